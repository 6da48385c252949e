"""Benchmark and evaluation harness for text-to-lip generation.

The rooms lie beside this folder, at the top of the checkout; the links in it give them their import names.
"""

import sys
from pathlib import Path

if not (Path(__file__).parent / "models").is_dir():
    # whoever imports this can only stop: the traceback would hide the one line that helps
    sys.tracebacklimit = 0
    raise ImportError(
        "this checkout of lipbench was made without its links (lipbench/models is no folder): "
        "git config core.symlinks true && git checkout -- lipbench, or install the wheel"
    )

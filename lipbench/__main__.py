"""`python -m lipbench VERB name=value …`."""

import sys

from lipbench.benchmarks.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

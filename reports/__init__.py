"""Records in, a report out: tables, figures and frame strips beside the paper's own values.

Example:
    >>> from pathlib import Path
    >>> from lipbench.reports.render import render
    >>> render(Path("runs/bench"))  # doctest: +SKIP
"""

"""A guard for every pytest run: lipbench must be this checkout's, and each module known by one name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import lipbench.benchmarks

CHECKOUT = Path(__file__).resolve().parent

# pytest names benchmarks/bench_latency.py by its folder: that package is lipbench's, not a second one. Here and not in
# pytest_configure, as the conftest of the folder is imported before that.
sys.modules.setdefault("benchmarks", lipbench.benchmarks)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test or measure another lipbench than this checkout's."""
    package = Path(lipbench.__file__).resolve().parent
    if package != CHECKOUT / "lipbench":
        raise pytest.UsageError(
            f"'lipbench' is {package}, not {CHECKOUT / 'lipbench'}: "
            "run from the checkout, in the environment that make setup made"
        )

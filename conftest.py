"""A guard for every pytest run: the rooms must be this checkout's."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOMS = ("models", "baselines", "metrics", "corpora", "training", "benchmarks", "reports")
CHECKOUT = Path(__file__).resolve().parent


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test or measure another package that happens to have a room's name."""
    for room in ROOMS:
        spec = importlib.util.find_spec(room)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found is None or found.parent != CHECKOUT / room:
            raise pytest.UsageError(
                f"'{room}' is {found or 'nowhere'}, not {CHECKOUT / room}: "
                "run from the checkout, in the environment that make setup made"
            )

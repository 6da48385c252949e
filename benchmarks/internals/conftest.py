"""Switches and inputs of the benchmarks of lipbench itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lipbench.errors import UserError

if TYPE_CHECKING:
    from lipbench.corpora.preparation.run import SourceCorpus

GRID_VARIABLE = "LIPBENCH_GRID"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switches of benchmarks that run on request."""
    group = parser.getgroup("lipbench")
    group.addoption(
        "--lipbench-learn",
        action="store_true",
        help="also train on the synthetic corpus and compare with controls that do not move: ten minutes on two cores",
    )
    group.addoption(
        "--lipbench-grid",
        default=os.environ.get(GRID_VARIABLE),
        metavar="ROOT",
        help=f"a GRID download, for the benchmarks of preparation and store; or set {GRID_VARIABLE}",
    )
    group.addoption(
        "--lipbench-store",
        metavar="STORE",
        help="a prepared GRID, for bench_scoring.py: a few minutes on two cores",
    )
    group.addoption(
        "--lipbench-report",
        action="store_true",
        help="also the report of ten thousand records in bench_report.py: a minute or two",
    )
    group.addoption(
        "--lipbench-paper",
        action="store_true",
        help="also the benchmarks of the paper's preset in bench_models.py: a few minutes and 1 GB of memory",
    )


@pytest.fixture(scope="session")
def grid(request: pytest.FixtureRequest) -> SourceCorpus:
    """GRID as downloaded; without it what needs it is skipped."""
    root = request.config.getoption("--lipbench-grid")
    if not root:
        pytest.skip(f"needs a GRID download: give --lipbench-grid=ROOT or set {GRID_VARIABLE}")
    from lipbench.corpora.grid.preparation import find_grid

    try:
        return find_grid(Path(root), split="random")
    except UserError as error:
        pytest.exit(f"lipbench: {error}", returncode=2)

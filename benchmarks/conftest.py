"""pytest's front door to the bench: options, parameters from the config, one sweep per session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from benchmarks.config import Bench
from benchmarks.config import request as compose
from models.errors import UserError

if TYPE_CHECKING:
    from corpora.preparation.run import Download

GRID_VARIABLE = "LIPBENCH_GRID"
REQUEST = pytest.StashKey[Bench]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --lipbench and the switches of benchmarks that run on request."""
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
    group.addoption(
        "--lipbench-gate",
        metavar="REVISION",
        help="only do what `lipbench gate base=REVISION` does, with the words of --lipbench, and end as it ends",
    )
    group.addoption(
        "--lipbench",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change the bench, as `lipbench bench NAME=VALUE` would (see lipbench bench --help); may be repeated",
    )


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Run the gate instead of the benchmarks, where it is asked for."""
    base = config.getoption("--lipbench-gate")
    if not base:
        return None
    from benchmarks import cli

    return cli.main(["gate", f"base={base}", *(config.getoption("--lipbench") or [])])


def pytest_configure(config: pytest.Config) -> None:
    """Compose the request, refuse to run in parallel, and show progress while cells run."""
    if config.getoption("benchmark_disable", default=False):
        raise pytest.UsageError("with --benchmark-disable nothing is measured: leave it out, or run tests/ instead")
    if getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("benchmarks that share a machine slow each other down: run them without -n")
    try:
        config.stash[REQUEST] = cast("Bench", compose("bench", config.getoption("--lipbench") or []))
    except UserError as error:
        raise pytest.UsageError(str(error)) from error
    if config.option.log_cli_level is None:
        config.option.log_cli_level = "INFO"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per cell of the request."""
    # names only: neither torch nor a model is imported to collect
    from benchmarks.cells import latency_cells, quality_cells

    request = metafunc.config.stash[REQUEST]
    if "timed" in metafunc.fixturenames:
        try:
            cells = latency_cells(request)
        except UserError as error:
            raise pytest.UsageError(str(error)) from error
        metafunc.parametrize("timed", cells, ids=["-".join(map(str, cell)).removesuffix("-eager") for cell in cells])
    if "scored" in metafunc.fixturenames:
        scored = quality_cells(request) if request.quality else []
        metafunc.parametrize("scored", scored, ids=[f"{s.system}-{s.durations}" for s in scored])


@pytest.fixture(scope="session")
def sweep(request: pytest.FixtureRequest):  # noqa: ANN201 - its type would import torch at collection
    """The session's bench run; it trains what it needs, when it needs it."""
    from benchmarks.sweep import Sweep

    made = Sweep(request.config.stash[REQUEST], progress=False)
    try:
        made.check()
    except UserError as error:
        pytest.exit(f"lipbench: {error}", returncode=2)
    yield made
    made.close()


@pytest.fixture(scope="session")
def grid(request: pytest.FixtureRequest) -> Download:
    """GRID as downloaded; without it what needs it is skipped."""
    root = request.config.getoption("--lipbench-grid")
    if not root:
        pytest.skip(f"needs a GRID download: give --lipbench-grid=ROOT or set {GRID_VARIABLE}")
    from corpora.grid.preparation import find_grid

    try:
        return find_grid(Path(root), split="random")
    except UserError as error:
        pytest.exit(f"lipbench: {error}", returncode=2)

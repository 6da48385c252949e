"""pytest's front door to the bench: options, parameters from the config, one sweep per session."""

from __future__ import annotations

from pathlib import Path

import pytest

from lipbench.benchmarks.config.composition import request as compose
from lipbench.benchmarks.config.requests import BenchRequest
from lipbench.errors import UserError

INTERNALS = "internals"
REQUEST = pytest.StashKey[BenchRequest]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --lipbench and --lipbench-gate."""
    group = parser.getgroup("lipbench")
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


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the benchmarks of lipbench itself unless their folder or a file in it is named."""
    if collection_path.name != INTERNALS:
        return None
    named = any(INTERNALS in Path(word.partition("::")[0]).parts for word in config.args)
    return None if named else True


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Run the gate instead of the benchmarks, where it is asked for."""
    base = config.getoption("--lipbench-gate")
    if not base:
        return None
    from lipbench.benchmarks.cli import main as cli

    return cli.main(["gate", f"base={base}", *(config.getoption("--lipbench") or [])])


def pytest_configure(config: pytest.Config) -> None:
    """Compose the request, refuse to run in parallel, and show progress while cells run."""
    if config.getoption("benchmark_disable", default=False):
        raise pytest.UsageError("with --benchmark-disable nothing is measured: leave it out, or run tests/ instead")
    if getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("benchmarks that share a machine slow each other down: run them without -n")
    try:
        config.stash[REQUEST] = compose("bench", BenchRequest, config.getoption("--lipbench") or [])
    except UserError as error:
        raise pytest.UsageError(str(error)) from error
    if config.option.log_cli_level is None:
        config.option.log_cli_level = "INFO"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per cell of the request."""
    # names only: neither torch nor a model is imported to collect
    from lipbench.benchmarks.cells.plan import latency_cells, quality_cells

    request = metafunc.config.stash[REQUEST]
    if "latency_task" in metafunc.fixturenames:
        try:
            cells = latency_cells(request)
        except UserError as error:
            raise pytest.UsageError(str(error)) from error
        metafunc.parametrize(
            "latency_task", cells, ids=["-".join(map(str, cell)).removesuffix("-eager") for cell in cells]
        )
    if "quality_task" in metafunc.fixturenames:
        tasks = quality_cells(request) if request.quality else []
        metafunc.parametrize("quality_task", tasks, ids=[f"{s.system}-{s.durations}" for s in tasks])


@pytest.fixture(scope="session")
def sweep(request: pytest.FixtureRequest):  # noqa: ANN201 - its type would import torch at collection
    """The session's bench run; it trains what it needs, when it needs it."""
    from lipbench.benchmarks.sweep import Sweep

    session_sweep = Sweep(request.config.stash[REQUEST], progress=False)
    try:
        session_sweep.check()
    except UserError as error:
        pytest.exit(f"lipbench: {error}", returncode=2)
    yield session_sweep
    session_sweep.close()

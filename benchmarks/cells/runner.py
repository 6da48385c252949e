"""Measure one cell and record either its result or its failure."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from lipbench.benchmarks.cells import environment
from lipbench.errors import UserError
from lipbench.metrics import METRICS
from lipbench.records.files import load_record, record_path, save_record
from lipbench.records.latency import Latency, UtteranceLatency
from lipbench.records.quality import Quality
from lipbench.records.record import Cell, Failure, Record
from lipbench.registry import is_path

log = logging.getLogger(__name__)


class NotAttemptedError(UserError):
    """A cell that this machine or this model has not: its record says why, and it is no failure."""


def run_cell(
    cell: Cell,
    run: Path,
    measure: Callable[[], Quality | Latency | UtteranceLatency],
    *,
    request: dict[str, object] | None = None,
) -> Record:
    """Measure a cell and write its record.

    Args:
        cell: what is asked for.
        run: the run's folder.
        measure: does it. Any exception except an interrupt becomes a record of status "failed";
            a `NotAttemptedError` one of status "not_attempted".
        request: all options of the command that asks, for the record.

    Returns:
        The record, which is on the disk by then.

    Raises:
        UserError: the record cannot be written.
    """
    began = time.perf_counter()
    result: Quality | Latency | UtteranceLatency | None = None
    failure: Failure | None = None
    was_attempted = True
    try:
        result = measure()
    except NotAttemptedError as error:
        was_attempted = False
        failure = Failure(type=type(error).__name__, message=str(error))
    except UserError as error:
        log.error("%s failed: %s", cell.key, error)
        failure = Failure(type=type(error).__name__, message=str(error))
    except Exception as error:
        log.exception("%s failed", cell.key)
        failure = Failure(type=type(error).__name__, message=str(error) or repr(error))
    record = Record(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=environment.command_line(),
        request=request or {},
        cell=cell,
        status="measured" if failure is None else "failed" if was_attempted else "not_attempted",
        machine=environment.machine(),
        software=environment.software(),
        result=result,
        failure=failure,
        seconds=time.perf_counter() - began,
    )
    save_record(record, run)
    return record


OPTIONS_WITHOUT_EFFECT = frozenset({"out", "workers", "controls", "features"})
"""Options that change where and how a cell is scored, and none of its numbers."""


def reusable_record(
    cell: Cell, run: Path, *, request: Mapping[str, object], corpus: str, protocol: str
) -> Record | None:
    """The record of a quality cell that an earlier run has scored, if scoring it again would give the same numbers.

    It would if the cell was measured, was asked for with the same options, and corpus, protocol, packages and our own
    source are what they were. Metrics of others (files and plug-ins) are never taken to be what they were.

    Args:
        cell: what is asked for.
        run: the run's folder.
        request: all options of the command that asks, as they would be recorded.
        corpus: the corpus' fingerprint.
        protocol: the protocol's fingerprint.

    Returns:
        None if the cell must be scored.
    """
    path = record_path(cell, run)
    if not path.is_file():
        return None
    try:
        record = load_record(path)
    except UserError as error:
        log.warning("scored again: %s", error)
        return None
    result = record.result
    holds = (
        isinstance(result, Quality)
        and record.cell == cell
        and _options_with_effect(record.request) == _options_with_effect(request)
        and all(_is_own_metric(metric.name) for metric in result.metrics)
        and (result.corpus.fingerprint, result.protocol.fingerprint) == (corpus, protocol)
        and environment.same_code(record.software)
    )
    return record if holds else None


def _is_own_metric(metric: str) -> bool:
    return not is_path(metric) and METRICS.origin(metric).startswith("lipbench.metrics.")


def _options_with_effect(request: Mapping[str, object]) -> dict[str, object]:
    return {option: value for option, value in request.items() if option not in OPTIONS_WITHOUT_EFFECT}

"""Going on where a run was stopped: a cell whose record still holds is not measured again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from benchmarks import environment
from benchmarks.record import Cell, Quality, Record
from benchmarks.record_files import load_record, record_path
from metrics import METRICS
from models.errors import UserError
from models.registry import is_path

log = logging.getLogger(__name__)

FREE = frozenset({"out", "workers", "controls", "features"})
"""Options that change where and how a cell is scored, and none of its numbers."""


def finished(cell: Cell, run: Path, *, request: Mapping[str, object], corpus: str, protocol: str) -> Record | None:
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
        and _fixed(record.request) == _fixed(request)
        and all(_is_ours(metric.name) for metric in result.metrics)
        and (result.corpus.fingerprint, result.protocol.fingerprint) == (corpus, protocol)
        and environment.same_code(record.software)
    )
    return record if holds else None


def _is_ours(metric: str) -> bool:
    return not is_path(metric) and METRICS.origin(metric).startswith("metrics.")


def _fixed(request: Mapping[str, object]) -> dict[str, object]:
    return {option: value for option, value in request.items() if option not in FREE}

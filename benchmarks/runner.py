"""One cell, recorded whatever happens: the result if there is one, the failure as a value if there is not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import environment
from benchmarks.record import Cell, Failure, Latency, Natural, Quality, Record
from benchmarks.record_files import save_record
from models.errors import UserError

log = logging.getLogger(__name__)


class NotAttemptedError(UserError):
    """A cell that this machine or this model has not: its record says why, and it is no failure."""


def run_cell(
    cell: Cell,
    run: Path,
    measure: Callable[[], Quality | Latency | Natural],
    *,
    request: dict[str, object] | None = None,
) -> Record:
    """Measure a cell and write its record.

    Args:
        cell: what is asked for.
        run: the run's folder.
        measure: does it. Whatever it raises, but for an interrupt, becomes a record of status "failed";
            a `NotAttemptedError` one of status "not_attempted".
        request: all options of the command that asks, for the record.

    Returns:
        The record, which is on the disk by then.

    Raises:
        UserError: the record cannot be written.
    """
    began = time.perf_counter()
    result: Quality | Latency | Natural | None = None
    failure: Failure | None = None
    attempted = True
    try:
        result = measure()
    except NotAttemptedError as error:
        attempted = False
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
        status="measured" if failure is None else "failed" if attempted else "not_attempted",
        machine=environment.machine(),
        software=environment.software(),
        result=result,
        failure=failure,
        seconds=time.perf_counter() - began,
    )
    save_record(record, run)
    return record

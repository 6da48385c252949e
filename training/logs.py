"""The logs that a run writes beside its checkpoint, and the error if they cannot be written."""

from __future__ import annotations

import contextlib
import errno
import threading
from collections.abc import Iterator
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from lipbench.errors import UserError
from lipbench.records import run_folder

_DISK_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT)


def loggers(folder: Path, first_step: int) -> list[Logger]:
    """Losses as CSV, and the same for TensorBoard.

    Args:
        folder: the run's.
        first_step: steps that were done before; each start has a log of its own, as Lightning's CSV logger would delete
            the earlier one.
    """
    version = run_folder.log_version(first_step)
    return [
        CSVLogger(folder, name=run_folder.LOGS, version=version),
        TensorBoardLogger(folder, "tensorboard", version=version),
    ]


@contextlib.contextmanager
def merge_write_errors(folder: Path) -> Iterator[None]:
    """Turn every write error of the log folder into one `UserError`.

    Args:
        folder: the run's.

    Raises:
        UserError: there is no room left, or something in the folder cannot be written.
        OSError: anything else that happened.
    """
    try:
        with _silence_writer_threads():
            yield
    except OSError as error:
        resume_hint = "train again: it goes on from the last checkpoint"
        if error.errno in _DISK_FULL_ERRORS:
            raise UserError(
                f"there is no room left in {folder}: {error}", remedy=f"Make room there and {resume_hint}"
            ) from error
        if not _is_below(folder, error.filename):
            raise
        raise UserError(
            f"{error.filename} cannot be written: {error.strerror}", remedy=f"Mend that and {resume_hint}"
        ) from error


def _is_below(folder: Path, name: object) -> bool:
    """Whether an error's file, if it names one, is the run's, and not one of the corpus that cannot be read."""
    # Lightning's loggers make the names absolute, or do not
    return isinstance(name, str) and Path(name).absolute().is_relative_to(folder.absolute())


@contextlib.contextmanager
def _silence_writer_threads() -> Iterator[None]:
    """Keep the thread that writes for TensorBoard from printing a traceback of its own.

    Its error is raised again in the training, by the next line that is to be written.
    """
    before = threading.excepthook

    def heard(hook_args: threading.ExceptHookArgs) -> None:
        is_tensorboard = type(hook_args.thread).__module__.startswith("tensorboard.")
        if not (is_tensorboard and isinstance(hook_args.exc_value, OSError)):
            before(hook_args)

    threading.excepthook = heard
    try:
        yield
    finally:
        threading.excepthook = before

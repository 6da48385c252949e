"""Checkpoint files that are whole or not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from lipbench.errors import UserError
from lipbench.files import write_atomic


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place and moves it there whole, so that a kill leaves the older one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write a checkpoint.

        Raises:
            UserError: the disk is full or cannot be written; an older checkpoint is still there.
        """

        def write(temporary: Path) -> None:
            # to a file and not to a path: torch would put the temporary name into the checkpoint
            with temporary.open("wb") as file:
                torch.save(checkpoint, file)

        try:
            write_atomic(Path(path), write)
        except (OSError, RuntimeError) as error:
            # torch reports a full disk as a RuntimeError of its zip writer
            raise UserError(
                f"the checkpoint {path} cannot be written: {error}",
                remedy="Make room there and train again: it goes on from the last one",
            ) from error

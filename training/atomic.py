"""Checkpoint files that are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from lipbench.errors import UserError


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place and moves it there whole, so that a kill leaves the older one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write a checkpoint.

        Raises:
            UserError: the disk is full or cannot be written; an older checkpoint is still there.
        """
        temporary = Path(f"{path}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except (OSError, RuntimeError) as error:
            # torch reports a full disk as a RuntimeError of its zip writer
            raise UserError(
                f"the checkpoint {path} cannot be written: {error}",
                remedy="Make room there and train again: it goes on from the last one",
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

"""Timing call by call in turn with another process, so that whatever slows the machine down meets both alike.

A referee (`lipbench.benchmarks.gate.measuring.turn_server`) names its socket in the
environment; without it, calls do not wait. The wire: the name of a cell asks
for a turn, a byte grants it; the next name gives it back.
"""

from __future__ import annotations

import os
import socket

VARIABLE = "LIPBENCH_TURNS"
"""Environment variable with the path of the referee's socket."""
GRANTED = b"g"


class LostTurnServerError(RuntimeError):
    """The process that grants turns has gone, so times would no longer be taken in turn."""


class TurnClient:
    """This process's side of the agreement, with one connection that is made at the first turn.

    Args:
        path: of the referee's socket; None: there is no referee.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._channel: socket.socket | None = None

    @classmethod
    def from_environment(cls) -> TurnClient:
        """As the environment says."""
        return cls(os.environ.get(VARIABLE))

    def wait(self, cell: str) -> None:
        """Wait until no other process is at work; the turn lasts until the next call of this, or this process's end.

        Args:
            cell: what is timed; the referee keeps both sides at the same cell.

        Raises:
            LostTurnServerError: the turn server has ended.
        """
        if self._path is None:
            return
        try:
            if self._channel is None:
                self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._channel.connect(self._path)
            self._channel.sendall(cell.encode())
            answer = self._channel.recv(len(GRANTED))
        except OSError as error:
            raise LostTurnServerError(f"no turn is granted at {self._path}: {error}") from error
        if answer != GRANTED:
            raise LostTurnServerError(f"no turn is granted at {self._path}: its process has ended")

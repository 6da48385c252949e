"""Granting processes the machine in turn, one timed call at a time.

Of two sides the other waits meanwhile, at a call of its own, and in each round the other goes first. So a slow second
of the machine meets as many calls of base as of head, which blocks measured one after the other cannot promise.
"""

from __future__ import annotations

import selectors
import socket
import tempfile
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from lipbench.benchmarks.timing.turns import GRANTED

POLL_S = 0.05
"""Time between two looks at whether a side has ended."""
LONGEST_MESSAGE = 4096


class _Side:
    """One side: where it asks, whether it waits for a turn, and which cells it has come to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.waiting: socket.socket | None = None
        self.cells: list[str] = []
        self.turns = 0

    def ask(self, cell: str, channel: socket.socket) -> None:
        self.waiting = channel
        if not self.cells or self.cells[-1] != cell:
            self.cells.append(cell)

    def grant(self) -> None:
        assert self.waiting is not None
        channel, self.waiting = self.waiting, None
        self.turns += 1
        try:
            channel.sendall(GRANTED)
        except OSError:
            # it died while it waited; that it runs no more is seen at the next look
            self.turns -= 1


class TurnServer:
    """Grants turns to one or two processes, each of which has the path of its own socket.

    Args:
        sides: their names, the first the one that has the first turn.
    """

    def __init__(self, *sides: str) -> None:
        # the path of a socket may have about a hundred characters, so it cannot lie in the gate's folder
        self._folder = tempfile.TemporaryDirectory(prefix="lipbench-")
        self._sides = sides
        self._players = {side: _Side(Path(self._folder.name) / side) for side in self._sides}
        self._due: deque[str] = deque()
        self._rounds = 0
        self._selector = selectors.DefaultSelector()
        self._open: set[socket.socket] = set()
        for player in self._players.values():
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._open.add(listener)
            listener.bind(str(player.path))
            listener.listen()
            self._selector.register(listener, selectors.EVENT_READ, (player, self._welcome))

    def __enter__(self) -> TurnServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._selector.close()
        for channel in self._open:
            channel.close()
        self._folder.cleanup()

    @property
    def paths(self) -> Mapping[str, str]:
        """Side to the path of its socket."""
        return {side: str(player.path) for side, player in self._players.items()}

    @property
    def turns(self) -> Mapping[str, int]:
        """Side to the number of turns that it has had."""
        return {side: player.turns for side, player in self._players.items()}

    def watch(self, running: Callable[[str], bool]) -> None:
        """Grant turns until no side runs any more.

        A side waits until the other does too, or has ended: what a process does between its turns disturbs no call.
        One that is at an earlier cell than the other has turns alone until it has caught up.

        Args:
            running: whether there is a process of a side that has not ended.
        """
        runs = dict.fromkeys(self._sides, True)
        while any(runs.values()):
            for key, _ in self._selector.select(POLL_S):
                player, hear = key.data
                hear(player, key.fileobj)
            runs = {side: running(side) for side in self._sides}
            next_side = self._choose(runs)
            if next_side is not None:
                self._players[next_side].grant()

    def _choose(self, runs: Mapping[str, bool]) -> str | None:
        waiting = [side for side in self._sides if self._players[side].waiting]
        if len(waiting) == 1:
            return waiting[0] if not any(runs[side] for side in self._sides if side not in waiting) else None
        if not waiting:
            return None
        progress = {side: len(self._players[side].cells) for side in waiting}
        if len(set(progress.values())) > 1:
            self._due.clear()
            return min(waiting, key=progress.__getitem__)
        if not self._due:
            self._due.extend(self._sides if self._rounds % 2 == 0 else reversed(self._sides))
            self._rounds += 1
        return self._due.popleft()

    def _welcome(self, player: _Side, listener: socket.socket) -> None:
        channel, _ = listener.accept()
        self._open.add(channel)
        self._selector.register(channel, selectors.EVENT_READ, (player, self._hear))

    def _hear(self, player: _Side, channel: socket.socket) -> None:
        """A side asks for a turn, or has closed its end."""
        try:
            message = channel.recv(LONGEST_MESSAGE)
        except ConnectionError:
            message = b""
        if message:
            player.ask(message.decode(), channel)
            return
        if player.waiting is channel:
            player.waiting = None
        self._leave(channel)

    def _leave(self, channel: socket.socket) -> None:
        self._selector.unregister(channel)
        self._open.discard(channel)
        channel.close()

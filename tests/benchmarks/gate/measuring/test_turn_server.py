from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lipbench.benchmarks.gate.measuring.turn_server import TurnServer
from lipbench.benchmarks.timing.turns import VARIABLE, LostTurnServerError, TurnClient

CHECKOUT = Path(__file__).parents[4]
SIDE = """
import sys, time
from lipbench.benchmarks.timing.turns import TurnClient
name, log, cells, wait = sys.argv[1], open(sys.argv[2], "a", buffering=1), sys.argv[3].split(","), float(sys.argv[4])
time.sleep(wait)
turns = TurnClient.from_environment()
for cell in cells:
    turns.wait(cell)
    log.write(f"{name}{cell}>\\n")
    time.sleep(0.02)
    log.write(f"{name}{cell}<\\n")
"""


def played(folder: Path, cells: Mapping[str, str], *, late: str = "") -> tuple[list[str], Mapping[str, int]]:
    """Let sides time cells, and return what each began (>) and ended (<) in order, and the turns of each."""
    log = folder / "log"
    with TurnServer(*cells) as referee, ThreadPoolExecutor() as pool:
        processes = {
            side: subprocess.Popen(
                [sys.executable, "-c", SIDE, side, str(log), asked, "0.5" if side == late else "0"],
                env={VARIABLE: referee.paths[side], "PYTHONPATH": str(CHECKOUT)},
            )
            for side, asked in cells.items()
        }
        pool.submit(referee.watch, lambda side: processes[side].poll() is None).result(60)
    assert all(process.returncode == 0 for process in processes.values())
    return log.read_text().split(), referee.turns


def begun(events: list[str]) -> str:
    return " ".join(event[:-1] for event in events[::2])


def alone(events: list[str]) -> bool:
    return all(
        (one[:-1], one[-1], other[-1]) == (other[:-1], ">", "<")
        for one, other in zip(events[::2], events[1::2], strict=True)
    )


@pytest.mark.parametrize("late", ["a", "b"])
def test_calls_alternate_and_the_side_that_begins_changes_every_round(tmp_path, late):
    events, turns = played(tmp_path, {"a": "1,1,1,2", "b": "1,1,1,2"}, late=late)
    assert begun(events) == "a1 b1 b1 a1 a1 b1 b2 a2"
    assert alone(events), "nobody works in another's turn"
    assert turns == {"a": 4, "b": 4}


def test_a_side_with_calls_left_at_a_cell_catches_up_before_the_next(tmp_path):
    events, _ = played(tmp_path, {"a": "1,2,2", "b": "1,1,1,2,2"})
    assert begun(events) == "a1 b1 b1 b1 b2 a2 a2 b2"
    assert alone(events)


def test_a_side_whose_other_has_ended_goes_on_alone(tmp_path):
    events, _ = played(tmp_path, {"a": "1", "b": "1,1,1"})
    assert begun(events) == "a1 b1 b1 b1"


def test_sides_of_other_cells_still_alternate(tmp_path):
    events, _ = played(tmp_path, {"a": "1,2", "b": "3,4"})
    assert begun(events) == "a1 b3 b4 a2"


def test_one_side_alone_is_granted_every_turn(tmp_path):
    assert played(tmp_path, {"a": "1,1,2"})[1] == {"a": 3}


def test_whoever_asks_nobody_waits_for_nobody(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    TurnClient.from_environment().wait("cell")


def test_a_referee_that_has_gone_is_an_error(tmp_path):
    with TurnServer("a") as referee:
        path = referee.paths["a"]
    with pytest.raises(LostTurnServerError, match="no turn is granted"):
        TurnClient(path).wait("cell")

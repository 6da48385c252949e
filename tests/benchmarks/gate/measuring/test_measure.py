from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lipbench.benchmarks.config.composition import request
from lipbench.benchmarks.config.requests import GateRequest
from lipbench.benchmarks.gate.measuring.measure import GateMeasurement, first_look_pairs
from lipbench.benchmarks.gate.measuring.revisions import Revision
from lipbench.errors import UserError
from lipbench.records.latency import Latency, LatencySample
from lipbench.records.record import Cell, Failure, Record
from lipbench.records.system import Machine, Software, System

CLI = """
import json, pathlib, sys
root = pathlib.Path(__file__).parents[1]
words = dict(word.split("=", 1) for word in sys.argv[2:])
out = pathlib.Path(words["out"].strip("'"))
log = root.parent / "log"
with log.open("a") as file:
    file.write(json.dumps([root.name, words]) + "\\n")
print("warming up")
if len(log.read_text().splitlines()) in json.loads((root / "dies_at").read_text()):
    sys.exit("no room")
if (root / "asks").is_file():
    import os, socket
    channel = socket.socket(socket.AF_UNIX)
    channel.connect(os.environ["LIPBENCH_TURNS"])
    for _ in range(3):
        channel.sendall(b"cell")
        assert channel.recv(1) == b"g"
(out / "records").mkdir(parents=True)
(out / "records" / "x.json").write_text((root / "record.json").read_text())
"""


class FakeSide:
    """A side whose command line writes one record that was made ready, and notes that it was called."""

    def __init__(self, name: str, folder: Path) -> None:
        self.root = folder / name
        self.side = Revision(name, f"commit of {name}", "", self.root, Path(sys.executable))
        (self.root / "benchmarks").mkdir(parents=True)
        (self.root / "benchmarks" / "__init__.py").write_text("")
        (self.root / "benchmarks" / "cli.py").write_text(CLI)
        self.dies_at([])
        self.makes()

    def dies_at(self, calls: list[int]) -> None:
        (self.root / "dies_at").write_text(json.dumps(calls))

    def asks_for_turns(self) -> None:
        (self.root / "asks").touch()

    def makes(self, *, commit: str | None = None, source: str = "s", fails: bool = False) -> None:
        cell = Cell(kind="latency", system="hh_t2l", frames=10, device="cpu")
        software = Software(
            python="", packages={}, commit=commit or self.side.commit, dirty=False, source=f"{source} {self.root.name}"
        )
        result = Latency(
            system=System(name="hh_t2l", title="HH", kind="model"), device="cpu", dtype="float32", batch=1, frames=10,
            tokens=4, fps=25.0, first_call_s=1.0, warmup=[], settled=True, samples=[LatencySample(wall_s=1.0)],
        )  # fmt: skip
        record = Record(
            created="", command="", cell=cell, software=software, seconds=1.0,
            status="failed" if fails else "measured", result=None if fails else result,
            failure=Failure(type="ValueError", message="no") if fails else None,
            machine=Machine(cpu="A", cores=2, memory_bytes=1, system="Linux", threads=2),
        )  # fmt: skip
        (self.root / "record.json").write_text(record.model_dump_json())


class Trial:
    """A gate of two such sides in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.base, self.head = FakeSide("base", folder), FakeSide("head", folder)

    def request(self, *words: str) -> GateRequest:
        plain = ["base=x", "models=[hh_t2l,dual_lip]", "frames=[10,20]", "durations=[]", "controls=[]", "pairs=5"]
        found = request("gate", GateRequest, [*plain, f"out={self.out}", *words])
        assert isinstance(found, GateRequest)
        return found

    def measuring(self, *words: str) -> GateMeasurement:
        return GateMeasurement(self.request(*words), self.base.side, self.head.side, device="cpu")

    @property
    def calls(self) -> list[tuple[str, dict[str, str]]]:
        log = self.folder / "log"
        return [tuple(json.loads(line)) for line in log.read_text().splitlines()] if log.is_file() else []

    @property
    def order(self) -> str:
        return "".join(name[0] for name, _ in self.calls)


@pytest.fixture
def trial(tmp_path) -> Trial:
    return Trial(tmp_path)


def commits(pairs) -> list[tuple[str | None, str | None]]:
    return [(pair.base.records[0].software.commit, pair.head.records[0].software.commit) for pair in pairs]


def test_both_sides_are_readied_and_then_timed_in_turn_each_pair_the_other_way_round(trial):
    pairs = trial.measuring().pairs(1)
    assert trial.order == "bh" + "bhhbbhhbbh"
    assert commits(pairs) == [("commit of base", "commit of head")] * 5, "whoever came first"
    assert all(pair.base.conditions and pair.head.conditions for pair in pairs)
    first = trial.calls[0][1]
    assert (first["frames"], first["seconds"]) == ("[10]", "0.001"), "what readies a side times nothing of use"


def test_sides_that_ask_for_turns_run_at_the_same_time(trial):
    trial.base.asks_for_turns()
    trial.head.asks_for_turns()
    pairs = trial.measuring().pairs(1)
    assert commits(pairs) == [("commit of base", "commit of head")] * 5, "whoever came first"
    for pair in pairs:
        assert pair.base.conditions == pair.head.conditions, "the same machine at the same time"
        assert pair.base.conditions.turns == 3
    assert len(trial.calls) == 12
    trial.measuring().pairs(1)
    assert len(trial.calls) == 12, "all is there"


def test_a_side_that_knows_no_turns_is_measured_by_itself(trial):
    trial.head.asks_for_turns()
    pairs = trial.measuring().pairs(1)
    assert trial.order == "bh" + "bhhbbhhbbh"
    assert {(pair.base.conditions.turns, pair.head.conditions.turns) for pair in pairs} == {(0, 3)}


def test_half_a_pair_of_sides_in_turn_is_measured_again(trial):
    trial.base.asks_for_turns()
    trial.head.asks_for_turns()
    trial.measuring().pairs(1)
    (trial.out / "blocks" / "1-002-head").rename(trial.out / "lost")
    assert len(trial.measuring().pairs(1)) == 5
    assert trial.order[12:] in ("bh", "hb")


def test_a_block_that_lacks_what_is_flagged_now_or_failed_is_measured_again(trial):
    measuring = trial.measuring()
    measuring.pairs(1)
    there = [Cell(kind="latency", system="hh_t2l", frames=10, device="cpu")]
    assert len(measuring.pairs(2, there)) == 10
    before = len(trial.calls)
    measuring.pairs(2, there)
    assert len(trial.calls) == before, "all is there"
    measuring.pairs(2, [Cell(kind="latency", system="dual_lip", frames=20, device="cpu")])
    assert len(trial.calls) == before + 20, "blocks of an earlier second look hold other cells"
    trial.head.makes(fails=True)
    trial.measuring("pairs=6").pairs(1)
    before = len(trial.calls)
    trial.measuring("pairs=6").pairs(1)
    assert trial.order[before:] == "h", "only what failed"


def test_a_broken_off_run_goes_on_behind_its_last_block(trial):
    for side in (trial.base, trial.head):
        side.dies_at([6])
    with pytest.raises(UserError, match=r"base \(commit of ba\) left no record: warming up / no room"):
        trial.measuring().pairs(1)
    assert trial.order == "bhbhhb"
    (trial.out / "waiting-base" / "records").mkdir(parents=True)  # a block that was cut off while it was kept
    trial.measuring().pairs(1)
    assert trial.order == "bhbhhb" + "bbhhbbh"
    trial.measuring().pairs(1)
    assert len(trial.calls) == 13, "all is there"
    assert len(trial.measuring("pairs=6").pairs(1)) == 6
    assert len(trial.calls) == 15, "more pairs of the same"


def test_flagged_cells_are_timed_again_alone_and_twice_as_often(trial):
    measuring = trial.measuring()
    measuring.pairs(1)
    before = len(trial.calls)
    flagged = [Cell(kind="latency", system="dual_lip", frames=20, device="cpu")]
    assert len(measuring.pairs(2, flagged)) == 10
    again = [words for _, words in trial.calls[before:]]
    assert len(again) == 20
    assert {(words["models"], words["frames"]) for words in again} == {("['dual_lip']", "[20]")}


@pytest.mark.parametrize("word", ["preset=tiny", "frames=[10]", "seconds=3.0"])
def test_a_folder_of_another_gate_is_refused(trial, word):
    trial.measuring().pairs(1)
    with pytest.raises(UserError, match="holds the measurements of another gate"):
        trial.measuring(word)
    trial.measuring("margin=0.5", "strict=true", "noise=x", "looks=1")  # how it is decided is free


def test_another_revision_in_the_folder_is_refused(trial):
    trial.measuring()
    for changed in (
        Revision("head", "another", "", trial.head.root, trial.head.side.python),
        Revision("head", trial.head.side.commit, "changed files", trial.head.root, trial.head.side.python),
    ):
        with pytest.raises(UserError, match="another gate"):
            GateMeasurement(trial.request(), trial.base.side, changed, device="cpu")


def test_records_of_other_code_than_said_are_refused_and_not_kept(trial):
    trial.head.makes(commit="of something installed")
    with pytest.raises(UserError, match="records of head are of revision of something installed"):
        _ = trial.measuring().quality
    assert [folder.name for folder in (trial.out / "blocks").iterdir()] == ["ready-base"]


def test_a_checkout_that_is_edited_while_it_is_measured_is_noticed(trial):
    measuring = trial.measuring()
    _ = measuring.quality
    trial.head.makes(source="edited")
    with pytest.raises(UserError, match="the code of head was changed while it was measured"):
        measuring.pairs(1)
    assert not list((trial.out / "blocks").glob("1-*-head"))


def test_an_aa_run_is_read_from_its_whole_pairs(trial):
    with pytest.raises(UserError, match="holds no pairs"):
        first_look_pairs(trial.out)
    trial.measuring().pairs(1)
    (trial.out / "blocks" / "1-004-base").rename(trial.out / "lost")
    assert commits(first_look_pairs(trial.out)) == [("commit of base", "commit of head")] * 4

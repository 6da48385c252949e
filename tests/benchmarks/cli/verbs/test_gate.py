"""`lipbench gate` as CI meets it: words in; exit code, text and summary out. Only measuring is a stand-in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from lipbench.benchmarks.cli import main as cli
from lipbench.benchmarks.cli import verbs
from lipbench.benchmarks.cli.main import main
from lipbench.benchmarks.cli.verbs.gate.work import expected_cells
from lipbench.benchmarks.config.requests import GateRequest
from lipbench.benchmarks.gate.measuring import measure, revisions
from lipbench.benchmarks.gate.pairs import BlockPair, BlockRecords
from lipbench.benchmarks.gate.selftest import drawn_record
from lipbench.records.files import save_record
from lipbench.records.quality import ClipScore, CorpusFacts, MetricFacts, ProtocolFacts, Quality
from lipbench.records.record import Cell, Record
from lipbench.records.system import Machine, Software, System

FRAMES = (25, 75, 137)
COMMIT = "0123456789abcdef"
MACHINE = Machine(cpu="A", cores=2, memory_bytes=1, system="Linux", threads=1)
SOFTWARE = Software(python="", packages={}, commit=COMMIT, dirty=False)
WORDS = ["base=v1", "models=[hh_t2l]", "preset=tiny", "device=cpu", "durations=[true]", f"frames={list(FRAMES)}",
         "corpus.train=2", "corpus.test=1", "corpus.speakers=1", "metrics=[psnr]", "pairs=10"]  # fmt: skip


def asked(words: Sequence[str] = WORDS) -> list[Cell]:
    found = verbs.request("gate", list(words))
    assert isinstance(found, GateRequest)
    return expected_cells(found, "cpu")


def drawn(cells: Sequence[Cell], *, blocks: int = 20, spread: float = 0.002, **facts: object) -> list[BlockRecords]:
    """Blocks of one revision."""
    generator = np.random.default_rng(0)
    timed = [cell for cell in cells if cell.kind == "latency"]
    known = {"machine": MACHINE, "software": SOFTWARE} | facts

    def record(cell: Cell) -> Record:
        seconds = ((cell.frames or 0) / 1000 * np.exp(generator.normal(0, spread, 9))).tolist()
        return drawn_record(cell, seconds).model_copy(update=known)

    return [BlockRecords(tuple(map(record, timed))) for _ in range(blocks)]


def slowed(block: BlockRecords, factor: Callable[[Cell], float]) -> BlockRecords:
    """A block whose calls took longer."""
    records: list[Record] = []
    for record in block.records:
        times = [sample.wall_s * factor(record.cell) for sample in record.result.samples]
        result = drawn_record(record.cell, times).result
        records.append(record.model_copy(update={"result": result}))
    return BlockRecords(tuple(records))


def aa_run(folder: Path, blocks: Sequence[BlockRecords]) -> Path:
    """The folder of a gate of one revision against itself."""
    for place, block in enumerate(blocks):
        for record in block.records:
            save_record(record, folder / "blocks" / f"1-{place // 2:03d}-{('base', 'head')[place % 2]}")
    return folder


def scored(cell: Cell, psnr: float = 30.0) -> Record:
    clips = [
        ClipScore(utterance=f"u{i}", speaker="s", text="", frames=9, generated_frames=9, values={"psnr": psnr + i})
        for i in range(12)
    ]
    result = Quality(
        system=System(name="hh_t2l", title="HH", kind="model"), durations="true", device="cpu", clips=clips,
        corpus=CorpusFacts(name="synthetic", fingerprint="c", split="test", clips=len(clips)),
        metrics=[MetricFacts(name="psnr", title="PSNR", unit="dB", higher_is_better=True, perfect=100.0)],
        protocol=ProtocolFacts(name="paper", fingerprint="p", summary=""),
    )  # fmt: skip
    return Record(created="", command="", cell=cell, status="measured", machine=MACHINE, software=SOFTWARE,
                  result=result, seconds=0.0)  # fmt: skip


Times = Callable[[int, int], float]
"""Length and place of a pair to what head's times are multiplied by."""


class Measured:
    """In the place of `GateMeasurement`: what two revisions measured."""

    def __init__(self, words: Sequence[str] = WORDS, head: Times = lambda _frames, _place: 1.0, psnr: float = 30.0):
        cells = asked(words)
        qualities = [cell for cell in cells if cell.kind == "quality"]
        self.quality = BlockPair(
            BlockRecords(tuple(scored(cell) for cell in qualities)),
            BlockRecords(tuple(scored(cell, psnr) for cell in qualities)),
        )
        self._blocks = drawn(cells, blocks=60)
        self._head = head
        self.looks: list[tuple[int, list[Cell] | None]] = []

    def __call__(self, *_: object, **__: object) -> Measured:
        return self

    def pairs(self, look: int, cells: list[Cell] | None = None) -> list[BlockPair]:
        self.looks.append((look, cells))
        return [self._pair(place) for place in (range(10) if look == 1 else range(10, 30))]

    def _pair(self, place: int) -> BlockPair:
        head = slowed(self._blocks[2 * place + 1], lambda cell: self._head(cell.frames or 0, place))
        return BlockPair(self._blocks[2 * place], head)


@pytest.fixture
def gate(tmp_path, monkeypatch) -> Callable[..., int]:
    """Runs the verb on what was measured; the summary goes to the file `summary` in the test's folder."""
    monkeypatch.setattr(
        revisions, "prepare_revision",
        lambda name, revision, folder: revisions.Revision(name, COMMIT, "", folder / name, Path(sys.executable)),
    )  # fmt: skip
    monkeypatch.setattr(revisions, "remove_checkouts", lambda sides: None)

    def run(measured: object, *words: str) -> int:
        monkeypatch.setattr(measure, "GateMeasurement", measured)
        return main(["gate", *WORDS, f"out={tmp_path / 'out'}", f"summary={tmp_path / 'summary'}", *words])

    return run


@pytest.fixture
def summary(tmp_path) -> Callable[[], str]:
    return lambda: (tmp_path / "summary").read_text()


def test_what_did_not_change_passes(gate, summary, capsys):
    measured = Measured()
    assert gate(measured) == 0
    assert capsys.readouterr().out.startswith("gate: PASS: ")
    assert summary().startswith("### gate: PASS: ")
    assert measured.looks == [(1, None)], "nothing was in doubt"


def test_other_frames_from_the_same_weights_fail_unless_they_are_let_pass(gate, summary):
    words = ["durations=[]", "quality=false"]

    class Redrawn(Measured):
        def _pair(self, place: int) -> BlockPair:
            pair = super()._pair(place)
            return BlockPair(*(self._made(block, level) for block, level in ((pair.base, 0.4), (pair.head, 0.45))))

        @staticmethod
        def _made(block: BlockRecords, level: float) -> BlockRecords:
            outputs = {"outputs": [f"{level}"], "sketch": [level] * 8}
            return BlockRecords(
                tuple(r.model_copy(update={"result": r.result.model_copy(update=outputs)}) for r in block.records),
                block.conditions,
            )

    measured = Redrawn([*WORDS, *words])
    assert gate(measured, *words) == 1
    assert "the same weights make other frames" in summary()
    assert gate(measured, *words, "output_tolerance=0.1") == 0


def test_a_slowdown_fails_after_a_second_look_at_it(gate, summary, capsys):
    measured = Measured(head=lambda frames, _: 1.2 if frames == 75 else 1.0)
    assert gate(measured) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("gate: FAIL: 1 fail")
    assert "hh_t2l, 75 frames, cpu" in printed
    assert "over 30 pairs" in summary()
    assert [cell.frames for look, cells in measured.looks if look == 2 for cell in cells or []] == [75]
    assert gate(measured, "looks=1") == 1
    assert measured.looks[-1] == (1, None)


def test_a_loss_of_quality_fails(gate, capsys):
    assert gate(Measured(psnr=25.0)) == 1
    assert "worse by more than the margin" in capsys.readouterr().out


def test_noise_is_ambiguous_and_strictly_a_failure(gate, summary, capsys):
    noisy = Measured(head=lambda _, place: 1.5 if place % 2 else 0.7)
    assert gate(noisy) == 3
    assert capsys.readouterr().out.startswith("gate: AMBIGUOUS: ")
    assert gate(noisy, "--strict") == 1
    assert capsys.readouterr().out.startswith("gate: FAIL (strict: ambiguous): ")
    assert "### gate: AMBIGUOUS" in summary(), "a summary is added to, not written over"


def test_a_base_that_does_not_build_is_not_measured(tmp_path, monkeypatch, capsys):
    checkout = tmp_path / "checkout"
    (checkout / "benchmarks").mkdir(parents=True)
    (checkout / "pyproject.toml").write_text('[project]\nname = "tiny"\nrequires-python = ">=3.11"\n')
    (checkout / "benchmarks" / "__init__.py").write_text("")
    (checkout / "benchmarks" / "cli.py").write_text("raise SystemExit('a module is missing')")
    git = ["git", "-C", str(checkout), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"], ["tag", "v1"]):
        subprocess.run([*git, *words], check=True)
    monkeypatch.setattr(revisions, "CHECKOUT", checkout)
    words = [*WORDS, f"out={tmp_path / 'out'}", f"summary={tmp_path / 'summary'}"]
    assert main(["gate", *words]) == 2
    assert "base (v1, " in capsys.readouterr().err
    said = (tmp_path / "summary").read_text()
    assert said.startswith("### gate: NOT MEASURED\n\nbase (v1, ")
    assert "does not build: a module is missing" in said
    assert main(["gate", *words, "base=v2"]) == 2
    assert "base=v2 is no revision" in capsys.readouterr().err


def test_an_interrupt_ends_without_a_verdict_and_says_what_is_kept(gate, summary, tmp_path, capsys):
    class Interrupted(Measured):
        def pairs(self, look, cells=None):
            raise KeyboardInterrupt

    assert gate(Interrupted()) == 130
    assert "what was finished is kept" in capsys.readouterr().err
    assert f"interrupted; the blocks in {tmp_path / 'out'} are kept" in summary()


def test_an_error_of_the_gate_itself_is_no_verdict(gate, summary, capsys):
    class Broken(Measured):
        def pairs(self, look, cells=None):
            raise ZeroDivisionError("in the middle")

    assert gate(Broken()) == 70
    assert "an error of lipbench itself: ZeroDivisionError: in the middle" in summary()


def stored(folder: Path, order: str, cells: Sequence[Cell], head: Times = lambda _frames, _place: 1.0) -> None:
    """Runs of both sides, a minute each, one after the other in some order such as "bhhb"."""
    measured = drawn(cells)
    places = {"b": 0, "h": 0}
    for minute, side in enumerate(order):
        block = slowed(measured[minute], lambda cell, s=side, m=minute: head(cell.frames or 0, m) if s == "h" else 1.0)
        for record in block.records:
            made = record.model_copy(update={"created": f"2026-01-01T00:{minute:02d}:00+00:00", "seconds": 50.0})
            save_record(made, folder / f"{side}-{places[side]:02d}")
        places[side] += 1


def test_stored_runs_are_gated_by_time_only_if_they_took_turns(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["gate", "base=null", "base_records=b-*", "head_records=h-*", *WORDS[1:], "quality=false", "durations=[]"]
    cells = asked(words[1:])
    stored(tmp_path, "bhhbbhhbbhhbbhhbbhhb", cells, lambda *_: 1.2)
    assert main(words) == 1
    assert "slower by more than the margin" in capsys.readouterr().out
    for slowdown in (1.2, 1.0):
        for run in tmp_path.glob("[bh]-*"):
            shutil.rmtree(run)
        stored(tmp_path, "b" * 10 + "h" * 10, cells, lambda *_, by=slowdown: by)
        assert main(words) == 2, "neither a failure nor a pass"
        assert "were not measured in turn" in capsys.readouterr().out
        assert main([*words, "times=false"]) == 0, "costs are as they were"
        assert ("+20.0%" in capsys.readouterr().out) == (slowdown > 1)


def test_an_aa_run_widens_margins(gate, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("lipbench.benchmarks.cli.verbs.gate.work.machine", lambda: MACHINE)
    # far over the margin of a calm machine, and within what this one shows by chance
    slower = Measured(head=lambda *_: 1.06)
    assert gate(slower) == 1
    loud = aa_run(tmp_path / "aa", drawn(asked(), spread=0.6))
    capsys.readouterr()
    assert gate(slower, f"noise={loud}") == 0
    assert "no A/A run" not in capsys.readouterr().out


def test_an_aa_run_of_something_else_is_refused_before_anything_is_measured(gate, tmp_path, capsys):
    def never(*_: object, **__: object) -> object:
        pytest.fail("was measured")

    elsewhere = aa_run(tmp_path / "aa", drawn(asked()))
    assert gate(never, f"noise={elsewhere}") == 2
    assert "on another machine than this: cpu A and " in capsys.readouterr().err
    small = aa_run(tmp_path / "small", drawn(asked([*WORDS, "preset=small"])))
    assert gate(never, f"noise={small}") == 2
    assert "preset=small where tiny is expected" in capsys.readouterr().err


def test_the_threads_of_an_aa_run_are_those_of_the_blocks(gate, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "lipbench.benchmarks.cli.verbs.gate.work.machine", lambda: MACHINE.model_copy(update={"threads": 2})
    )
    other = aa_run(tmp_path / "aa", drawn(asked(), machine=MACHINE.model_copy(update={"threads": 2})))
    assert gate(Measured(), f"noise={other}") == 2
    assert "threads 2 and 1" in capsys.readouterr().err


def test_a_cpu_has_a_margin_of_its_own(gate, capsys):
    slower = Measured(head=lambda *_: 1.033)
    assert gate(slower) == 0
    assert "every margin of latency is 3.5%" in capsys.readouterr().out
    assert gate(slower, "cpu_margin=0.0", "margin=0.02") == 1
    assert gate(slower, "cpu_margin=0.0", "margin=0.05") == 0


def test_something_and_one_thing_only_must_be_compared_with(gate, capsys):
    for words in (["base=null"], ["base_records=x"], ["base=null", "base_records=x"]):
        assert gate(Measured(), *words) == 2
        assert "something to compare with" in capsys.readouterr().err


def test_pytest_ends_as_the_gate_does(tmp_path, monkeypatch):
    """The gate in the place of all tests, with the words of --lipbench."""
    given: list[list[str]] = []

    def main(words: list[str]) -> int:
        given.append(words)
        return 3

    monkeypatch.setattr(cli, "main", main)
    shortcut = ["benchmarks", "--lipbench-gate=v1", "--lipbench=preset=tiny", "-p", "no:cacheprovider"]
    assert pytest.main(shortcut) == 3
    assert given == [["gate", "base=v1", "preset=tiny"]]

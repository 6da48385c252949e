"""Self-test of the gate: it must find planted regressions and report no others.

Times are drawn by a fixed seed, with the noise of a calm machine: the question is whether the gate decides as it must.
How it fares with the noise of a real one is measured by `lipbench.benchmarks.internals.gate_rates`. Clips are drawn,
scored, blurred and scored again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from lipbench import corpora
from lipbench.benchmarks.gate.deciding.decide import decide_in_two_looks
from lipbench.benchmarks.gate.pairs import BlockPair, BlockRecords
from lipbench.benchmarks.gate.verdict import SECOND_LOOK, Decision, Margins, Verdict
from lipbench.benchmarks.scoring.clips import ClipPair as Clips
from lipbench.benchmarks.scoring.clips import GeneratedClip, make_control_clips, to_pictures
from lipbench.benchmarks.scoring.scorer import Scorer, Scoring
from lipbench.records.latency import Latency, LatencySample
from lipbench.records.quality import Quality
from lipbench.records.record import Cell, Failure, Record
from lipbench.records.system import Machine, Software, System

PAIRS = 10
FRAMES = (25, 75, 137)
CALLS = 15
NOISE_S = 0.007
"""Standard deviation of the logarithm of a time, between processes and between calls."""
NOISE = 0.005
"""Standard deviation of what the stand-in for a model gets wrong, as a share of full brightness."""
CORPUS = {"train": 1, "test": 10, "speakers": 1, "seconds": [0.3, 0.4]}
HEIGHT = 40
CREATED, COMMAND = "1970-01-01T00:00:00+00:00", "lipbench gate --self-test"
MACHINE = Machine(cpu=None, cores=1, memory_bytes=0, system="drawn", threads=1)
SOFTWARE = Software(python="", packages={}, commit=None, dirty=None)
CELLS = [Cell(kind="latency", system="stand_in", frames=frames, device="cpu") for frames in FRAMES]


@dataclass(frozen=True)
class SelfTestResult:
    """One planted regression and the gate's decision."""

    title: str
    due: Verdict
    decision: Decision

    @property
    def passed(self) -> bool:
        """Whether it did."""
        return self.decision.verdict is self.due


def run(margins: Margins) -> list[SelfTestResult]:
    """Put each regression in, and let the gate decide.

    Args:
        margins: of the gate that is tested. Margins too wide for what is put in are found, too.
    """
    return [
        SelfTestResult(title, due, make())
        for title, due, make in (
            ("identical code", Verdict.PASS, lambda: _decide_latency(margins)),
            ("every call 5 % slower", Verdict.FAIL, lambda: _decide_latency(margins, head=lambda _: 1.05)),
            (
                "one cell 5 % slower",
                Verdict.FAIL,
                lambda: _decide_latency(margins, head=lambda cell: 1.05 if cell == 0 else 1.0),
            ),
            ("a cell removed from head", Verdict.NOT_MEASURED, lambda: _decide_latency(margins, change=_without_first)),
            (
                "a cell that failed on head",
                Verdict.NOT_MEASURED,
                lambda: _decide_latency(margins, change=_first_failed),
            ),
            ("twice as fast", Verdict.AMBIGUOUS, lambda: _decide_latency(margins, head=lambda _: 0.5)),
            ("one parameter more", Verdict.FAIL, lambda: _decide_latency(margins, change=_one_parameter_more)),
            ("identical clips", Verdict.PASS, lambda: _decide_quality(margins, blur=False)),
            ("blurred clips", Verdict.FAIL, lambda: _decide_quality(margins, blur=True)),
            (
                "another protocol",
                Verdict.NOT_MEASURED,
                lambda: _decide_quality(margins, blur=False, change=_other_protocol),
            ),
        )
    ]


RecordChange = Callable[[Sequence[Record]], Sequence[Record]]


def _decide_latency(
    margins: Margins, head: Callable[[int], float] = lambda _: 1.0, change: RecordChange = lambda records: records
) -> Decision:
    """Decide about drawn times as the verb does, second look included.

    Args:
        margins: of the gate.
        head: cell to what its times on head's side are multiplied by.
        change: what else is done to the records of head's blocks.
    """
    drawn = _drawn_times()

    def pair(place: int) -> BlockPair:
        head_seconds = [[value * head(cell) for value in times] for cell, times in enumerate(drawn[2 * place + 1])]
        return BlockPair(
            BlockRecords(tuple(_records(drawn[2 * place]))), BlockRecords(tuple(change(_records(head_seconds))))
        )

    first, second = range(PAIRS), range(PAIRS, (1 + SECOND_LOOK) * PAIRS)
    return decide_in_two_looks(CELLS, [*map(pair, first)], lambda _: [*map(pair, second)], margins)


@cache
def _drawn_times() -> list[list[list[float]]]:
    """Seconds of calls, by block and cell: a model linear in its length, noise between processes and between calls."""
    generator = np.random.default_rng(0)

    def block() -> list[list[float]]:
        process = generator.normal(0, NOISE_S, size=len(FRAMES))
        calls = generator.normal(0, NOISE_S, size=(len(FRAMES), CALLS))
        return (np.array(FRAMES)[:, None] / 1000 * np.exp(process[:, None] + calls)).tolist()

    return [block() for _ in range(2 * PAIRS * (1 + SECOND_LOOK))]


def _records(seconds: Sequence[Sequence[float]]) -> list[Record]:
    return [drawn_record(cell, times) for cell, times in zip(CELLS, seconds, strict=True)]


def drawn_record(cell: Cell, seconds: Sequence[float]) -> Record:
    """A latency record of a cell, of which nothing is known but the seconds that its calls took."""
    result = Latency(
        system=System(name=cell.system, title=cell.system, kind="model", preset=cell.preset, parameters=1),
        device=cell.device or "cpu",
        dtype="float32",
        batch=cell.batch or 1,
        frames=cell.frames or 1,
        tokens=1,
        fps=25.0,
        first_call_s=seconds[0],
        warmup=[],
        samples=[LatencySample(wall_s=value) for value in seconds],
        settled=True,
    )
    return _record(cell, result, seconds=sum(seconds))


def _record(cell: Cell, result: Latency | Quality, *, seconds: float = 0.0) -> Record:
    return Record(
        created=CREATED,
        command=COMMAND,
        cell=cell,
        status="measured",
        machine=MACHINE,
        software=SOFTWARE,
        result=result,
        seconds=seconds,
    )


def _without_first(records: Sequence[Record]) -> Sequence[Record]:
    return records[1:]


def _first_failed(records: Sequence[Record]) -> Sequence[Record]:
    failure = Failure(type="OutOfMemoryError", message="put in on purpose")
    return [records[0].model_copy(update={"status": "failed", "result": None, "failure": failure}), *records[1:]]


def _one_parameter_more(records: Sequence[Record]) -> Sequence[Record]:
    first = records[0]
    assert first.result is not None
    system = first.result.system
    system = system.model_copy(update={"parameters": (system.parameters or 0) + 1})
    return [first.model_copy(update={"result": first.result.model_copy(update={"system": system})}), *records[1:]]


def _other_protocol(records: Sequence[Record]) -> Sequence[Record]:
    result = records[0].result
    assert isinstance(result, Quality)
    protocol = result.protocol.model_copy(update={"fingerprint": "of another protocol"})
    return [records[0].model_copy(update={"result": result.model_copy(update={"protocol": protocol})})]


def _decide_quality(margins: Margins, *, blur: bool, change: RecordChange = lambda records: records) -> Decision:
    base, head = _quality(blur=False), _quality(blur=blur)
    pair = BlockPair(BlockRecords((base,)), BlockRecords(tuple(change([head]))))
    return decide_in_two_looks([base.cell], [pair], lambda _: [], margins)


@cache
def _quality(*, blur: bool) -> Record:
    """A record of drawn clips with a little noise, which may be blurred besides."""
    corpus = corpora.create("synthetic", **CORPUS)
    ids = corpus.ids("test")
    scoring = Scoring(
        corpus=corpus,
        corpus_options=CORPUS,
        ids=ids,
        split="test",
        protocol="paper",
        metrics=["psnr", "ssim"],
        workers=0,
    )
    control = "blur" if blur else "ground_truth"
    clips = _add_noise(make_control_clips(control, corpus, ids, frame_size=(HEIGHT, 2 * HEIGHT)))
    system = System(name="stand_in", title="Stand-in", kind="model", frame_size=(HEIGHT, 2 * HEIGHT))
    with Scorer(scoring) as scorer:
        result = scorer.pairs(system, clips, durations="true")
    return _record(Cell(kind="quality", system="stand_in", corpus="synthetic", durations="true"), result)


def _add_noise(clips: Iterator[Clips]) -> Iterator[Clips]:
    generator = torch.Generator().manual_seed(0)
    for clip in clips:
        noise = NOISE * torch.randn(clip.made.levels.shape, generator=generator)
        yield Clips(clip.truth, GeneratedClip(to_pictures(clip.made.frames + noise)))

"""Whether the gate still sees: regressions put in on purpose must be found, and nothing else.

Times are real ones (`samples.KEPT`): the calls of each process, from the fastest to the slowest, are dealt out to the
two sides in turn, so that both have the same spread whatever else ran on the machine. How the gate fares with noise is
measured by `benchmarks.gate.rates`; here it is whether it decides as it must. Clips are drawn, scored, blurred and
scored again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import torch

import corpora
from benchmarks.gate import samples
from benchmarks.gate.decide import decide
from benchmarks.gate.pairs import Block, Pair
from benchmarks.gate.rules import Rules
from benchmarks.gate.verdict import Decision, Verdict
from benchmarks.record import Cell, Quality, Record, System
from benchmarks.scoring.clips import Made, controlled
from benchmarks.scoring.clips import Pair as Clips
from benchmarks.scoring.scorer import Scorer, Scoring

NOISE = 0.005
"""Standard deviation of what the stand-in for a model gets wrong, as a share of full brightness."""
CORPUS = {"train": 1, "test": 10, "speakers": 1, "seconds": [0.3, 0.4]}
HEIGHT = 40


@dataclass(frozen=True)
class Outcome:
    """One thing that the gate had to see."""

    title: str
    due: Verdict
    decision: Decision

    @property
    def passed(self) -> bool:
        """Whether it did."""
        return self.decision.verdict is self.due


def run() -> list[Outcome]:
    """Put each regression in, and let the gate decide."""
    return [
        Outcome(title, due, make())
        for title, due, make in (
            ("identical code", Verdict.PASS, lambda: _timed()),
            ("every call 5 % slower", Verdict.FAIL, lambda: _timed(head=lambda _: 1.05)),
            ("one cell 5 % slower", Verdict.FAIL, lambda: _timed(head=lambda cell: 1.05 if cell == 0 else 1.0)),
            ("a cell removed from head", Verdict.NOT_MEASURED, lambda: _timed(change=_without_first)),
            ("a cell that failed on head", Verdict.NOT_MEASURED, lambda: _timed(change=_first_failed)),
            ("twice as fast", Verdict.AMBIGUOUS, lambda: _timed(head=lambda _: 0.5)),
            ("one parameter more", Verdict.FAIL, lambda: _timed(change=_one_parameter_more)),
            ("identical clips", Verdict.PASS, lambda: _scored(blur=False)),
            ("blurred clips", Verdict.FAIL, lambda: _scored(blur=True)),
            ("another protocol", Verdict.NOT_MEASURED, lambda: _scored(blur=False, change=_other_protocol)),
        )
    ]


Change = Callable[[Sequence[Record]], Sequence[Record]]


def _timed(head: Callable[[int], float] = lambda _: 1.0, change: Change = lambda records: records) -> Decision:
    """Decide about real times, dealt out in turn; `head` multiplies those of a cell on head's side."""
    kept = samples.load(samples.KEPT)
    pairs: list[Pair] = []
    for place, block in enumerate(kept.blocks):
        # the side that begins has the lower median by half a rank, so it is another one in every other process
        first, second = ([sorted(times)[side::2] for times in block.seconds] for side in (place % 2, 1 - place % 2))
        slowed = [[value * head(cell) for value in times] for cell, times in enumerate(second)]
        pairs.append(Pair(kept.block(place, first), kept.block(place, slowed)))
    changed = [Pair(pair.base, replace(pair.head, records=tuple(change(pair.head.records)))) for pair in pairs]
    return decide(kept.cells, changed, Rules())


def _without_first(records: Sequence[Record]) -> Sequence[Record]:
    return records[1:]


def _first_failed(records: Sequence[Record]) -> Sequence[Record]:
    from benchmarks.record import Failure

    failure = Failure(type="OutOfMemoryError", message="put in on purpose")
    return [records[0].model_copy(update={"status": "failed", "result": None, "failure": failure}), *records[1:]]


def _one_parameter_more(records: Sequence[Record]) -> Sequence[Record]:
    first = records[0]
    assert first.result is not None
    system = first.result.system.model_copy(update={"parameters": samples.PARAMETERS + 1})
    return [first.model_copy(update={"result": first.result.model_copy(update={"system": system})}), *records[1:]]


def _other_protocol(records: Sequence[Record]) -> Sequence[Record]:
    result = records[0].result
    assert isinstance(result, Quality)
    protocol = result.protocol.model_copy(update={"fingerprint": "of another protocol"})
    return [records[0].model_copy(update={"result": result.model_copy(update={"protocol": protocol})})]


def _scored(*, blur: bool, change: Change = lambda records: records) -> Decision:
    base, head = _quality(blur=False), _quality(blur=blur)
    pair = Pair(Block((base,)), Block(tuple(change([head]))))
    return decide([base.cell], [pair], Rules())


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
    clips = _noisy(controlled(control, corpus, ids, frame_size=(HEIGHT, 2 * HEIGHT)))
    system = System(name="stand_in", title="Stand-in", kind="model", frame_size=(HEIGHT, 2 * HEIGHT))
    with Scorer(scoring) as scorer:
        result = scorer.pairs(system, clips, durations="true")
    kept = samples.load(samples.KEPT)
    return Record(
        created=kept.created,
        command="lipbench gate --self-test",
        cell=Cell(kind="quality", system="stand_in", corpus="synthetic", durations="true"),
        status="measured",
        machine=kept.machine,
        software=kept.software,
        result=result,
        seconds=0.0,
    )


def _noisy(clips: Iterator[Clips]) -> Iterator[Clips]:
    generator = torch.Generator().manual_seed(0)
    for clip in clips:
        noise = NOISE * torch.randn(clip.made.frames.shape, generator=generator)
        yield Clips(clip.truth, Made((clip.made.frames + noise).clamp(0, 1)))

from __future__ import annotations

import numpy as np
import pytest
import torch

from lipbench.benchmarks.gate.deciding.frames import judge_frames
from lipbench.benchmarks.gate.deciding.manifest import MatchedCell
from lipbench.benchmarks.gate.verdict import Margins, Verdict
from lipbench.benchmarks.latency.outputs import FRAME_TOLERANCE, digest, sketch
from lipbench.records.latency import Latency, LatencySample
from lipbench.records.record import Cell, Record
from lipbench.records.system import Machine, Software, System

CELL = Cell(kind="latency", system="m", frames=6, device="cpu")
FRAMES = torch.rand(1, 6, 3, 20, 40, generator=torch.Generator().manual_seed(0))
NOISE = torch.randn(FRAMES.shape, generator=torch.Generator().manual_seed(1))


def record(made: torch.Tensor | None, checkpoint: str | None = None) -> Record:
    result = Latency(
        system=System(name="m", title="M", kind="model", checkpoint=checkpoint), device="cpu", dtype="float32", batch=1,
        frames=6, tokens=2, fps=25.0, first_call_s=1.0, warmup=[], settled=True, samples=[LatencySample(wall_s=1.0)],
        outputs=[] if made is None else [digest(made)], sketch=[] if made is None else sketch(made),
    )  # fmt: skip
    return Record(
        created="", command="", cell=CELL, status="measured", result=result, seconds=1.0,
        machine=Machine(cpu=None, cores=1, memory_bytes=1, system="", threads=1),
        software=Software(python="", packages={}, commit=None, dirty=None),
    )  # fmt: skip


def judged(base: Record, *heads: Record):
    return judge_frames([MatchedCell(CELL, tuple((base, head) for head in heads), tuple(range(len(heads))))], Margins())


@pytest.mark.parametrize("size", [1e-4, 1e-2, 0.3])
def test_sketches_differ_by_as_much_as_frames_do(size):
    apart = np.sqrt(np.mean((np.array(sketch(FRAMES)) - sketch(FRAMES + size * NOISE)) ** 2))
    assert 0.4 * size < apart < 1.8 * size


@pytest.mark.parametrize(
    ("other", "verdict"),
    [(FRAMES, Verdict.PASS), (FRAMES + 0.1 * FRAME_TOLERANCE * NOISE, Verdict.PASS),
     (FRAMES + 10 * FRAME_TOLERANCE * NOISE, Verdict.FAIL),
     (FRAMES.flip(1), Verdict.FAIL), (FRAMES.flip(-1), Verdict.FAIL)],
)  # fmt: skip
def test_the_same_weights_must_make_the_same_frames(other, verdict):
    (found,), notes = judged(record(FRAMES), record(other))
    assert found.verdict is verdict
    assert not notes


def test_frames_that_vary_by_process_are_ambiguous():
    (found,), _ = judged(record(FRAMES), record(FRAMES), record(FRAMES.flip(1)))
    assert found.verdict is Verdict.AMBIGUOUS


def test_other_weights_and_records_without_a_sketch_are_noted():
    for base, head in ((record(FRAMES, "a"), record(FRAMES.flip(1), "b")), (record(None), record(FRAMES))):
        found, (note,) = judged(base, head)
        assert not found
        assert "m, 6 frames, cpu" in note

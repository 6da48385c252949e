from __future__ import annotations

import pytest
import torch

import models
from benchmarks import latency, systems, timing
from models.contract import LipClip

CPU = torch.device("cpu")
QUICK = timing.Budget(seconds=0.01, least=2, most=3, warmup_s=0.0)


@pytest.mark.parametrize("name", models.names())
@pytest.mark.parametrize("frames", [1, 6])
def test_every_model_is_timed_at_exactly_the_length_asked_for(name, frames):
    subject = systems.untrained(name, "tiny", options={}, device=CPU)
    request = latency.request_of(frames, 2, frame_size=subject.frame_size, symbols=29, device=CPU)
    prepared = latency.prepare(subject, request, device=CPU, budget=QUICK)
    result = prepared.result([prepared.once() for _ in range(prepared.rounds)], 25.0)
    assert (result.frames, result.batch, result.device, result.dtype) == (frames, 2, "cpu", "float32")
    assert 2 <= len(result.samples) <= 3
    assert all(sample.wall_s > 0 for sample in [*result.samples, *result.warmup])
    assert result.first_call_s > 0
    assert result.system.checkpoint is None


def test_the_request_is_the_same_for_every_model_and_its_tokens_are_real():
    one, other = (latency.request_of(75, 1, frame_size=(4, 8), symbols=29, device=CPU) for _ in range(2))
    assert torch.equal(one.tokens, other.tokens)
    assert torch.equal(one.identity, other.identity)
    assert one.tokens.min() >= 1
    assert one.tokens.max() < 29


def test_a_model_that_makes_another_length_is_not_timed():
    class Short:
        frame_size = (4, 8)

        def generate(self, request):
            return LipClip(request.identity[:, None], torch.ones(len(request.tokens), dtype=torch.long))

    subject = systems.Subject(
        Short(), systems.describe(Short(), name="short", preset="", options={}), None, Short.frame_size
    )
    request = latency.request_of(5, 1, frame_size=(4, 8), symbols=3, device=CPU)
    with pytest.raises(ValueError, match=r"short made \[1\] frames, asked for \[5\]"):
        latency.prepare(subject, request, device=CPU, budget=QUICK)

from __future__ import annotations

import pytest
import torch

from lipbench import models
from lipbench.benchmarks import latency, timing
from lipbench.benchmarks.cells import loading
from lipbench.benchmarks.cells.runner import NotAttemptedError
from lipbench.benchmarks.latency import variants
from lipbench.models.contract import LipClip
from lipbench.records.latency import VARIANTS

CPU = torch.device("cpu")
QUICK = timing.Budget(seconds=0.01, least=2, most=3, warmup_s=0.0)


@pytest.mark.parametrize("name", models.names())
@pytest.mark.parametrize("frames", [1, 6])
def test_every_model_is_timed_at_exactly_the_length_asked_for(name, frames):
    subject = loading.build_untrained(name, "tiny", options={}, device=CPU)
    request = latency.random_request(frames, 2, frame_size=subject.frame_size, symbols=29, device=CPU)
    prepared = latency.prepare_cell(subject, request, device=CPU, budget=QUICK)
    result = prepared.result([prepared.take_sample() for _ in range(prepared.rounds)], 25.0)
    assert (result.frames, result.batch, result.device, result.dtype) == (frames, 2, "cpu", "float32")
    assert 2 <= len(result.samples) <= 3
    assert all(sample.wall_s > 0 for sample in [*result.samples, *result.warmup])
    assert result.first_call_s > 0
    assert result.system.checkpoint is None


def test_the_request_is_the_same_for_every_model_and_its_tokens_are_real():
    one, other = (latency.random_request(75, 1, frame_size=(4, 8), symbols=29, device=CPU) for _ in range(2))
    assert torch.equal(one.tokens, other.tokens)
    assert torch.equal(one.identity, other.identity)
    assert one.tokens.min() >= 1
    assert one.tokens.max() < 29


def test_a_model_that_makes_another_length_is_not_timed():
    class Short:
        frame_size = (4, 8)

        def generate(self, request):
            return LipClip(request.identity[:, None], torch.ones(len(request.tokens), dtype=torch.long))

    subject = loading.LoadedModel(
        Short(), loading.describe_system(Short(), name="short", preset="", options={}), None, Short.frame_size
    )
    request = latency.random_request(5, 1, frame_size=(4, 8), symbols=3, device=CPU)
    with pytest.raises(ValueError, match=r"short made \[1\] frames, asked for \[5\]"):
        latency.prepare_cell(subject, request, device=CPU, budget=QUICK)


def prepared(name, variant="eager", frames=5):
    subject = loading.build_untrained(name, "tiny", options={}, device=CPU)
    request = latency.random_request(frames, 1, frame_size=subject.frame_size, symbols=29, device=CPU)
    return latency.prepare_cell(subject, request, device=CPU, budget=QUICK, variant=variant)


def test_every_variant_that_can_be_named_is_there():
    assert tuple(variants._WAYS) == VARIANTS


def test_bf16_is_timed_on_a_copy_and_says_how_far_it_is_from_the_eager_model():
    cell = prepared("hh_t2l", "bf16")
    result = cell.result([cell.take_sample(), cell.take_sample()], 25.0)
    assert (result.dtype, result.variant) == ("bfloat16", "bf16")
    assert result.deviation is not None
    assert 0 < result.deviation < 0.5
    assert next(cell.subject.model.parameters()).dtype == torch.float32


def test_cuda_graphs_are_not_attempted_on_a_cpu():
    with pytest.raises(NotAttemptedError, match="no CUDA graphs on a CPU"):
        prepared("hh_t2l", "cuda_graph")


def test_the_first_frame_of_a_model_that_makes_one_after_another_is_its_first_step():
    start = prepared("transformer_t2l").first_frame
    assert start is not None
    assert (start.rule, start.frames) == ("first step", 1)


class Growing:
    """Makes other frames in every call."""

    frame_size = (4, 8)

    def __init__(self, step):
        self.calls = 0
        self.step = step

    def generate(self, request):
        self.calls += 1
        n = int(request.n_frames.max())
        return LipClip(torch.full((1, n, 3, 4, 8), self.calls * self.step), request.n_frames)

    def stream(self, request):
        yield self.generate(request).frames[:, :2]


def grown(step):
    model = Growing(step)
    subject = loading.LoadedModel(
        model, loading.describe_system(model, name="growing", preset="", options={}), None, model.frame_size
    )
    request = latency.random_request(5, 1, frame_size=(4, 8), symbols=3, device=CPU)
    return latency.prepare_cell(subject, request, device=CPU, budget=QUICK)


def test_hh_t2l_is_timed_to_the_first_frame_that_it_draws():
    start = prepared("hh_t2l").first_frame
    assert start is not None
    assert (start.rule, start.frames) == ("stream", 1)


def test_a_stream_is_timed_to_its_first_chunk():
    start = grown(0.0).first_frame
    assert start is not None
    assert (start.rule, start.frames) == ("stream", 2)


def test_a_number_is_void_where_the_frames_are_not_the_same_every_time():
    with pytest.raises(latency.OutputMismatchError, match=r"first frames of growing.*differ"):
        grown(0.1)


def test_rounding_does_not_void_and_both_digests_are_kept():
    cell = grown(1e-6)
    result = cell.result([cell.take_sample(), cell.take_sample()], 25.0)
    assert len(result.outputs) == len(set(result.outputs)) == 2


@pytest.mark.parametrize("name", ["dual_lip", "transformer_t2l"])
def test_no_submodule_is_left_uncompiled_for_the_number_of_its_siblings(name):
    subject = loading.build_untrained(name, "tiny", options={}, device=CPU)
    request = latency.random_request(2, 1, frame_size=subject.frame_size, symbols=29, device=CPU)
    limits = torch._dynamo.config
    with limits.patch(cache_size_limit=1):
        variants.apply_variant("compile", subject, request)
        assert limits.cache_size_limit >= len(list(subject.model.children()))

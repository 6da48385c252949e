from __future__ import annotations

import threading

import pytest
import torch

from lipbench.metrics.chunks import FRAMES_AT_ONCE, in_chunks, mean_over_time


@pytest.mark.parametrize("frames", [1, FRAMES_AT_ONCE, 7])
def test_frames_keep_their_order(frames):
    a, b = torch.rand(frames, 3), torch.rand(frames, 3)
    assert torch.equal(in_chunks(lambda x, y: (x - y).sum(dim=1), a, b), (a - b).sum(dim=1))


@pytest.mark.parametrize("reach", [1, 2])
@pytest.mark.parametrize("steps", [1, FRAMES_AT_ONCE, 11])
def test_every_step_counts_alike_in_a_mean_over_time(reach, steps):
    frames = torch.rand(steps + reach, 5, dtype=torch.float64)

    def measure(some):
        return some.diff(n=reach, dim=0).abs().mean()

    torch.testing.assert_close(mean_over_time(measure, frames, reach=reach), measure(frames), rtol=1e-14, atol=0)


def test_each_chunk_is_worked_on_by_one_thread_and_torchs_own_number_is_left_as_it_was():
    before = torch.get_num_threads()
    seen = []
    try:
        torch.set_num_threads(2)

        def measure(x, y):
            seen.append((torch.get_num_threads(), threading.current_thread().name))
            return x + y

        in_chunks(measure, torch.zeros(9), torch.zeros(9))
        assert torch.get_num_threads() == 2
        later = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert later == [2]
    finally:
        torch.set_num_threads(before)
    assert {threads for threads, _ in seen} == {1}
    assert threading.current_thread().name not in {name for _, name in seen}


def test_there_are_no_gradients_and_an_error_comes_through():
    values = in_chunks(torch.mul, torch.ones(5, requires_grad=True), torch.ones(5))
    assert not values.requires_grad
    before = torch.get_num_threads()

    def broken(x, y):
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        in_chunks(broken, torch.ones(5), torch.ones(5))
    assert torch.get_num_threads() == before

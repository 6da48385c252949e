"""The A/A run against made-up blocks, and its arithmetic against what theory says of normal noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipbench.benchmarks.doctor import text
from lipbench.benchmarks.doctor.diagnosis import Resolution
from lipbench.benchmarks.doctor.noise import aa_run, measure_in_turn, resolution, rounds_needed, summarise_noise


def test_sides_change_places_every_round_so_that_drift_meets_both():
    times = iter([1.0, 2.0, 1.0, 2.0])
    told = []
    twice = math.log(2)
    assert measure_in_turn(lambda: next(times), 2, told.append) == pytest.approx([twice, -twice])
    assert told == [1, 1]


def test_normal_noise_is_resolved_as_theory_says():
    sigma, rounds = 0.03, 100
    changes = np.random.default_rng(1).normal(0, sigma, rounds).tolist()
    of_median = math.sqrt(math.pi / 2) * sigma / math.sqrt(rounds)
    # 95 % two-sided, and beyond it in 80 % of the runs
    wanted = (1.960 + 0.842) * of_median
    found = resolution(changes)
    assert found.share == pytest.approx(wanted, rel=0.35)
    assert found.low <= found.share <= found.high
    assert found.low < wanted < found.high


def test_a_machine_without_noise_resolves_everything():
    assert resolution([0.0] * 10).share == 0.0


def test_a_side_that_is_always_slower_cannot_be_resolved_below_its_lead():
    assert resolution([math.log(1.1)] * 10).share == pytest.approx(0.1)


@given(share=st.floats(0.001, 0.5), rounds=st.integers(5, 200), target=st.floats(0.005, 0.1))
@settings(max_examples=50, deadline=None)
def test_rounds_grow_with_the_square_of_what_is_asked(share, rounds, target):
    found = rounds_needed(Resolution(rounds=rounds, share=share, low=share / 2, high=2 * share), target)
    assert found.low <= found.rounds <= found.high
    assert found.rounds == max(5, math.ceil(rounds * (math.log1p(share) / math.log1p(target)) ** 2))


def test_the_text_says_what_it_takes():
    changes = np.random.default_rng(0).normal(0, 0.05, 40).tolist()
    noise = summarise_noise(changes, seconds=20.0, device="cpu", isolated=False)
    said = "\n".join(text.noise_lines(noise))
    assert f"a paired run of 40 rounds resolves {noise.resolution.share:.1%}" in said
    assert [one.share for one in noise.needed] == [0.03, 0.01]
    assert f"to resolve 1% takes {noise.needed[1].rounds} rounds" in said


def test_a_real_run_has_a_change_for_each_round():
    noise = aa_run(torch.device("cpu"), seconds=0.01, rounds=5)
    assert len(noise.changes) == noise.resolution.rounds == 5
    assert any(noise.changes), "two blocks never take the same time to the last digit"
    assert noise.difference_low <= noise.difference <= noise.difference_high


def test_too_few_rounds_are_refused():
    with pytest.raises(ValueError, match="4 rounds are too few"):
        aa_run(torch.device("cpu"), seconds=0.01, rounds=4)

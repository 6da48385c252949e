from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn

from lipbench.training import schedules
from lipbench.training.config import TrainingConfig

CONFIG = TrainingConfig(steps=100, schedule="constant", learning_rate=0.5)


def rates(config):
    weight = nn.Parameter(torch.zeros(1))
    optimizer = schedules.optimizer([weight], config)
    scheduler = schedules.scheduler(optimizer, config)
    found = []
    for _ in range(config.steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_the_papers_rate_never_changes():
    assert set(rates(CONFIG)) == {0.5}


def test_a_warm_up_rises_evenly_to_the_rate_and_stays():
    found = rates(replace(CONFIG, warmup=4))
    assert found[:6] == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.5, 0.5])


def test_a_linear_decay_ends_just_above_nothing():
    found = rates(replace(CONFIG, schedule="linear", warmup=10))
    assert found[9] == pytest.approx(0.5)
    falls = [a - b for a, b in pairwise(found[9:])]
    assert falls == pytest.approx([falls[0]] * len(falls))
    assert 0 < found[-1] < 0.01


def test_the_public_codes_schedule():
    config = TrainingConfig(steps=9000, schedule="inverse_sqrt", warmup=2000, learning_rate=0.5 / (2000 * 256) ** 0.5)
    for step in (1, 500, 2000, 4000, 8000):
        theirs = 0.5 * min(step / 2000, 1) * max(2000, step) ** -0.5 * 256**-0.5
        assert config.learning_rate * schedules.share(step - 1, config) == pytest.approx(theirs)


def test_one_cycle_peaks_after_a_tenth():
    found = rates(replace(CONFIG, schedule="one_cycle"))
    assert max(found) == pytest.approx(0.5)
    assert found.index(max(found)) == 9
    assert found[-1] < 0.001


def test_the_optimiser_is_the_one_asked_for():
    config = replace(CONFIG, optimizer="adamw", beta1=0.8, beta2=0.98, weight_decay=0.1)
    made = schedules.optimizer([nn.Parameter(torch.zeros(1))], config)
    assert isinstance(made, torch.optim.AdamW)
    group = made.param_groups[0]
    assert (group["betas"], group["weight_decay"]) == ((0.8, 0.98), 0.1)
    assert type(schedules.optimizer([nn.Parameter(torch.zeros(1))], CONFIG)) is torch.optim.Adam

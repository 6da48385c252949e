from __future__ import annotations

import pytest
import torch
from torch import nn

from lipbench import models
from lipbench.errors import UnknownNameError, UserError
from lipbench.models.contract import TrainingBatch
from lipbench.models.hh_t2l.model import HHT2L


def size(name: str, preset: str) -> int:
    model = models.create(name, preset)
    assert isinstance(model, nn.Module)
    return sum(p.numel() for p in model.parameters())


def test_the_paper_preset_has_the_size_of_the_public_code():
    # research note on ParaLip: about 35.13 M parameters in use, embeddings apart
    assert size("hh_t2l", "paper") == pytest.approx(35.13e6, rel=2e-3)


def test_the_transformer_baseline_is_about_as_large_as_hh_t2l():
    # paper, footnote 4: "the total number of model parameters in HH-T2L and TransformerT2L are similar"
    assert size("transformer_t2l", "paper") == pytest.approx(size("hh_t2l", "paper"), rel=0.1)


@pytest.mark.parametrize("name", models.names())
def test_presets_come_in_order_of_size_and_at_the_stated_frame_sizes(name):
    assert size(name, "tiny") < 0.5e6 < size(name, "small") < 6e6 < size(name, "paper")
    sizes = {preset: models.create(name, preset).frame_size for preset in ("paper", "small", "tiny")}  # pyright: ignore
    assert sizes == {"paper": (80, 160), "small": (40, 80), "tiny": (20, 40)}


@pytest.mark.parametrize("name", models.names())
def test_unknown_presets_and_options_say_what_was_meant(name):
    with pytest.raises(UnknownNameError, match="Did you mean 'small'"):
        models.create(name, "smal")
    with pytest.raises(UnknownNameError, match="Did you mean 'vocabulary_size'"):
        models.create(name, "tiny", vocabulary_sise=64)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"hidden": "many"}, "not int"),
        ({"hidden": True}, "not int"),
        ({"dropout": "high"}, "not float"),
        ({"output": "relu"}, "sigmoid"),
        ({"hidden": 33}, "do not fit together"),
        ({"height": 21}, "do not fit together"),
        ({"image_channels": [8, 8]}, "do not fit together"),
        ({"image_channels": ["a", "b", "c"]}, "image_channels must be whole"),
        ({"heads": 0}, "heads must be whole and at least 1"),
        ({"hidden": -32}, "hidden must be whole and at least 1"),
        ({"encoder_layers": 0}, "encoder_layers"),
        ({"dropout": 2.0}, "dropout must be at least 0 and below 1"),
        ({"image_kernel": 4}, "image_kernel must be odd"),
        ({"duration_dropout": 1.0}, "duration_dropout must be at least 0 and below 1"),
    ],
)
def test_wrong_values_are_refused(options, says):
    with pytest.raises(UserError, match=says):
        models.create("hh_t2l", "tiny", **options)


def test_values_as_written_in_yaml_are_taken():
    model = models.create("hh_t2l", "tiny", dropout=0, image_channels=[16, 16, 8])
    assert model.config.dropout == 0.0  # pyright: ignore
    assert model.config.image_channels == (16, 16, 8)  # pyright: ignore


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_duration_dropout_is_the_only_one_that_training_s_durations_meet(share):
    torch.manual_seed(0)
    model = models.create("hh_t2l", "tiny", duration_dropout=share)
    assert isinstance(model, HHT2L)
    model.train()
    batch = TrainingBatch(
        tokens=torch.tensor([[1, 2, 3]]),
        token_lengths=torch.tensor([3]),
        durations=torch.tensor([[2, 2, 2]]),
        identity=torch.rand(1, 3, *model.frame_size),
        frames=torch.rand(1, 6, 3, *model.frame_size),
        frame_lengths=torch.tensor([6]),
        frame_indices=torch.tensor([[0, 1, 2, 3]]),
    )
    first, second = model(batch).durations, model(batch).durations
    assert torch.equal(first, second) == (share == 0)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("dual_lip", {"feedback_reduction": 0}, "feedback_reduction"),
        ("dual_lip", {"feedback_reduction": 3}, "must divide"),
        ("dual_lip", {"image_kernel": 4}, "image_kernel must be odd"),
        ("dual_lip", {"max_frames": 0}, "max_frames"),
        ("transformer_t2l", {"max_frames": 0}, "max_frames"),
        ("transformer_t2l", {"norm": "post"}, "pre-norm blocks only"),
        ("transformer_t2l", {"feedback_levels_skipped": 2}, "leave the feedback encoder a level"),
        ("transformer_t2l", {"chunk": 3}, "no option of transformer_t2l named 'chunk'"),
    ],
)
def test_the_rivals_options_are_checked_too(name, options, says):
    with pytest.raises(UserError, match=says):
        models.create(name, "tiny", **options)

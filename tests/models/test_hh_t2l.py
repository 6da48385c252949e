"""HH-T2L as its paper describes it, and as the public ParaLip code does where the paper is silent."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lipbench import models
from lipbench.models.contract import LipRequest, TrainingBatch
from lipbench.models.hh_t2l.model import HHT2L

PAPER = {
    # paper §4.2: 160 x 80 crops; 28 characters and padding
    "vocabulary_size": 29,
    "height": 80,
    "width": 160,
    # paper §4.3: hidden size, attention heads, stacked layers and dropout of the FFT blocks
    "hidden": 256,
    "heads": 2,
    "encoder_layers": 4,
    "decoder_layers": 4,
    "dropout": 0.2,
    # ParaLip: the feed-forward's convolution, 256 to 1024, kernel 9, times kernel^-0.5
    "ffn_inner": 1024,
    "ffn_kernel": 9,
    "ffn_scaled": True,
    # ParaLip: pre-norm blocks, attention without biases and without dropout on its weights
    "norm": "pre",
    "attention_bias": False,
    "attention_dropout": 0.0,
    # ParaLip: positions from 1 on, a learnable weight on those of the motion alone
    "first_position": 1,
    "text_positions_weighted": False,
    # paper §4.3: four layers of kernel 5; their channels from ParaLip
    "identity_channels": (16, 32, 64, 128),
    "image_channels": (256, 196, 128, 80, 48),
    "image_kernel": 5,
    # our choice, where the paper names none and ParaLip's tanh has a half that is never seen
    "output": "sigmoid",
    # ParaLip: the duration loss leaves the text encoder alone (predictor_sg), dropout 0.5
    "detach_durations": True,
    "duration_dropout": 0.5,
    # paper eq. 4: a loss on frames and on their sum
    "duration_domain": "linear",
    "duration_rounding": "total",
    # not in the paper
    "token_places": False,
    # how clips are drawn, which changes no value
    "drawing": "folded",
    "chunk": 0,
}

TOKENS = torch.tensor([[3, 1, 4, 1]])
FORMS = [{}, {"norm": "post"}, {"token_places": True}]


def build(**options: object) -> HHT2L:
    torch.manual_seed(0)
    model = models.create("hh_t2l", "tiny", **options)
    assert isinstance(model, HHT2L)
    return model.eval()


def picture(model: HHT2L, seed: int) -> Tensor:
    return torch.rand(1, 3, *model.frame_size, generator=torch.Generator().manual_seed(seed))


def given_to(part: nn.Module, call: Callable[[], object]) -> Tensor:
    """What a part of the model is given while something is called, joined over the calls."""
    given: list[Tensor] = []
    with part.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0])):
        call()
    return torch.cat(given)


def test_the_paper_preset_is_the_papers_model():
    model = models.create("hh_t2l", "paper")
    assert isinstance(model, HHT2L)
    assert dataclasses.asdict(model.config) == PAPER


@pytest.mark.parametrize("options", FORMS, ids=str)
def test_the_encoded_identity_is_added_to_the_state_of_every_frame(options):
    model = build(**options)
    faces = [picture(model, seed) for seed in (1, 2)]
    durations = torch.tensor([[2, 0, 3, 1]])
    requests = [LipRequest(TOKENS, torch.tensor([4]), face, durations) for face in faces]
    states = [given_to(model.motion_decoder, lambda one=one: model.generate(one)) for one in requests]
    vectors = [model.identity_encoder(face).vector for face in faces]
    moved = (vectors[1] - vectors[0])[:, None].expand(-1, 6, -1)
    assert moved.abs().max() > 1e-2
    torch.testing.assert_close(states[1] - states[0], moved, atol=1e-5, rtol=0)


@pytest.mark.parametrize("drawing", ["folded", "plain"])
def test_the_encoded_identity_stands_beside_every_motion_vector(drawing):
    model = build(drawing=drawing)
    face = picture(model, 1)
    request = LipRequest(TOKENS, torch.tensor([4]), face, n_frames=torch.tensor([7]))
    drawn_from = given_to(model.image_decoder.linear, lambda: model.generate(request))
    vector = model.identity_encoder(face).vector
    assert drawn_from.shape == (7, 2 * model.config.hidden)
    torch.testing.assert_close(drawn_from[:, model.config.hidden :], vector.expand(7, -1))


def test_who_speaks_changes_no_duration():
    model = build()
    nn.init.normal_(model.duration_predictor.linear.weight)  # a fresh one gives every token nearly the same
    clips = [model.generate(LipRequest(TOKENS, torch.tensor([4]), picture(model, seed))) for seed in (1, 2)]
    first, second = (clip.durations for clip in clips)
    assert first is not None
    assert second is not None
    assert torch.equal(first, second)
    assert first.unique().numel() > 1


@pytest.mark.parametrize("detached", [True, False])
def test_the_duration_loss_reaches_the_text_encoder_on_request_only(detached):
    model = build(detach_durations=detached)
    durations = torch.tensor([[2, 0, 3, 1]])
    frames = torch.rand(1, 6, 3, *model.frame_size)
    given = TrainingBatch(
        TOKENS, torch.tensor([4]), durations, picture(model, 1), frames, torch.tensor([6]), torch.tensor([[0]])
    )
    predicted = model(given).durations
    assert predicted is not None
    predicted.sum().backward()
    assert model.duration_predictor.linear.weight.grad is not None
    assert all((p.grad is None) == detached for p in model.text_encoder.parameters())


@pytest.mark.parametrize("options", FORMS, ids=str)
def test_a_frame_that_keeps_its_token_and_its_place_is_decoded_from_the_same_state(options):
    model = build(**options)
    before, after = [1, 2, 2, 3], [1, 3, 1, 3]
    requests = [
        LipRequest(TOKENS, torch.tensor([4]), picture(model, 1), torch.tensor([row])) for row in (before, after)
    ]
    one, other = (given_to(model.motion_decoder, lambda each=each: model.generate(each))[0] for each in requests)
    same = [torch.allclose(*pair, atol=1e-6) for pair in zip(one, other, strict=True)]
    if options.get("token_places"):
        # frames of tokens that have become longer or shorter are told so
        assert same == [True, False, False, False, False, True, True, True]
    else:
        assert same == [True, True, True, False, True, True, True, True]

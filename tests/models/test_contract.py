"""What every registered model must do. A model is tested by being registered."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor, nn

import models
from baselines.rollout import LengthLimitWarning
from models.contract import Lesson, LipClip, LipModel, LipRequest

VOCABULARY = 29


def build(name: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    model = models.create(name, "tiny")
    assert isinstance(model, nn.Module)
    # fresh batch norms know no statistics: one pass in training mode gives them some
    model.train()
    model(lesson(model))
    return model.eval()


def lesson(model: nn.Module, clips: int = 3, tokens: int = 6, seed: int = 1) -> Lesson:
    g = torch.Generator().manual_seed(seed)
    durations = torch.randint(0, 4, (clips, tokens), generator=g)
    durations[:, 0] += 1
    token_lengths = torch.tensor([tokens - i for i in range(clips)])
    durations[torch.arange(tokens) >= token_lengths[:, None]] = 0
    lengths = durations.sum(dim=1)
    height, width = model.frame_size  # pyright: ignore
    picked = torch.stack([torch.randint(0, int(n), (2,), generator=g) for n in lengths])
    ids = torch.randint(1, VOCABULARY, (clips, tokens), generator=g)
    return Lesson(
        tokens=ids * (torch.arange(tokens) < token_lengths[:, None]),
        token_lengths=token_lengths,
        durations=durations,
        identity=torch.rand(clips, 3, height, width, generator=g),
        frames=torch.rand(clips, int(lengths.max()), 3, height, width, generator=g),
        frame_lengths=lengths,
        picked=picked,
    )


def request_of(given: Lesson, **changes: Tensor | None) -> LipRequest:
    return LipRequest(given.tokens, given.token_lengths, given.identity)._replace(**changes)


def generate(model: nn.Module, request: LipRequest) -> LipClip:
    assert isinstance(model, LipModel)
    return model.generate(request)


@pytest.fixture(params=models.names())
def model(request: pytest.FixtureRequest) -> nn.Module:
    return build(request.param)


def test_frames_have_the_shape_range_and_length_asked_for(model):
    given = lesson(model)
    n_frames = torch.tensor([5, 9, 1])
    clip = generate(model, request_of(given, n_frames=n_frames))
    assert clip.frames.shape == (3, 9, 3, *model.frame_size)
    assert clip.lengths.tolist() == [5, 9, 1]
    assert torch.isfinite(clip.frames).all()
    assert clip.frames.min() >= 0
    assert clip.frames.max() <= 1


def test_a_model_chooses_a_length_of_at_least_one_frame_by_itself(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LengthLimitWarning)  # an untrained model may not know when to stop
        clip = generate(model, request_of(lesson(model)))
    assert (clip.lengths >= 1).all()
    assert clip.frames.shape[1] == int(clip.lengths.max())


def test_given_durations_fix_the_length(model):
    given = lesson(model)
    clip = generate(model, request_of(given, durations=given.durations))
    assert clip.lengths.tolist() == given.frame_lengths.tolist()
    if clip.durations is not None:
        assert torch.equal(clip.durations, given.durations)


def test_every_parameter_gets_a_gradient(model):
    model.train()
    given = lesson(model)
    attempt = model(given)
    total = sum(part.square().mean() for part in attempt if part is not None)
    total.backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert without == []
    idle = [name for name, p in model.named_parameters() if p.grad is not None and not p.grad.any()]
    assert idle == []


def test_an_attempt_has_the_picked_frames_and_rows_of_attention_that_sum_to_one(model):
    given = lesson(model)
    attempt = model(given)
    assert attempt.frames.shape == (3, 2, 3, *model.frame_size)
    if attempt.durations is not None:
        assert attempt.durations.shape == given.tokens.shape
    if attempt.attention is not None:
        valid = torch.arange(attempt.attention.shape[1]) < given.frame_lengths[:, None]
        assert torch.allclose(attempt.attention.sum(dim=-1)[valid], torch.ones(int(valid.sum())), atol=1e-5)
    if attempt.stop_logits is not None:
        assert attempt.stop_logits.shape == given.frames.shape[:2]


def test_batched_output_equals_single_output(model):
    given = lesson(model)
    n_frames = torch.tensor([4, 7, 6])
    together = generate(model, request_of(given, n_frames=n_frames))
    for row in range(3):
        size = int(given.token_lengths[row])
        alone = generate(
            model,
            LipRequest(
                given.tokens[row : row + 1, :size],
                given.token_lengths[row : row + 1],
                given.identity[row : row + 1],
                n_frames=n_frames[row : row + 1],
            ),
        )
        length = int(n_frames[row])
        torch.testing.assert_close(together.frames[row, :length], alone.frames[0], atol=2e-5, rtol=0)


def test_padding_changes_nothing(model):
    given = lesson(model)
    n_frames = torch.tensor([6, 6, 6])
    wider = torch.nn.functional.pad(given.tokens, (0, 5))
    short = generate(model, request_of(given, n_frames=n_frames))
    padded = generate(model, request_of(given, tokens=wider, n_frames=n_frames))
    torch.testing.assert_close(short.frames, padded.frames, atol=2e-5, rtol=0)


def test_the_same_seed_gives_the_same_result():
    for name in models.names():
        clips = []
        for _ in range(2):
            model = build(name, seed=7)
            clips.append(generate(model, request_of(lesson(model), n_frames=torch.tensor([3, 3, 3]))))
        assert torch.equal(clips[0].frames, clips[1].frames)


def test_one_token_of_text_is_enough(model):
    given = lesson(model)
    request = LipRequest(given.tokens[:1, :1], torch.tensor([1]), given.identity[:1], n_frames=torch.tensor([3]))
    assert generate(model, request).frames.shape[1] == 3


def test_text_and_identity_both_matter(model):
    given = lesson(model)
    n_frames = torch.tensor([6, 6, 6])
    base = generate(model, request_of(given, n_frames=n_frames)).frames
    other_text = generate(model, request_of(given, tokens=given.tokens.flip(0), n_frames=n_frames)).frames
    other_face = generate(model, request_of(given, identity=given.identity.flip(0), n_frames=n_frames)).frames
    assert not torch.allclose(base[0], other_text[0], atol=1e-6)
    assert not torch.allclose(base[0], other_face[0], atol=1e-6)


def test_generating_keeps_no_gradients(model):
    clip = generate(model, request_of(lesson(model), n_frames=torch.tensor([2, 2, 2])))
    assert not clip.frames.requires_grad


def test_the_card_says_what_it_is(model):
    card = model.card
    assert card.title
    assert card.paper
    assert card.origin
    assert card.licence

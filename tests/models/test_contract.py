"""What every registered model must do, in the forms that its options give it. A model is tested by being registered."""

from __future__ import annotations

import copy
import dataclasses
import warnings

import pytest
import torch
from torch import Tensor, nn

from lipbench import models
from lipbench.baselines.rollout import LengthLimitWarning
from lipbench.models.contract import LipClip, LipModel, LipRequest, StreamingLipModel, TrainingBatch

VOCABULARY = 29

PUBLIC_CODE = {
    "duration_domain": "log",
    "duration_rounding": "token",
    "output": "tanh",
    "first_position": 1,
    "text_positions_weighted": False,
}
VARIANTS = [
    *((name, {}) for name in models.names()),
    ("hh_t2l", PUBLIC_CODE),
    ("hh_t2l", {"norm": "post", "attention_bias": True, "attention_dropout": 0.1, "ffn_scaled": False}),
    ("hh_t2l", {"token_places": True}),
    ("dual_lip", {"durations": True}),
    ("dual_lip", {"output": "tanh", "feedback_reduction": 5}),
    ("dual_lip", {"durations": True, "output": "tanh"}),
    ("transformer_t2l", {"cache": False}),
    ("transformer_t2l", {"feedback_levels_skipped": 1}),
    ("transformer_t2l", {"attention_bias": True, "attention_dropout": 0.1, "ffn_scaled": False, "output": "tanh"}),
]


def named(variant) -> str:
    name, options = variant
    return "-".join([name, *options])[:60]


def build(name: str, seed: int = 0, **options: object) -> nn.Module:
    torch.manual_seed(seed)
    model = models.create(name, "tiny", **options)
    assert isinstance(model, nn.Module)
    # fresh batch norms know no statistics: one pass in training mode gives them some
    model.train()
    model(batch(model))
    return model.eval()


def batch(model: nn.Module, clips: int = 3, tokens: int = 6, seed: int = 1) -> TrainingBatch:
    g = torch.Generator().manual_seed(seed)
    durations = torch.randint(0, 4, (clips, tokens), generator=g)
    durations[:, 0] += 1
    token_lengths = torch.tensor([tokens - i for i in range(clips)])
    durations[torch.arange(tokens) >= token_lengths[:, None]] = 0
    lengths = durations.sum(dim=1)
    height, width = model.frame_size  # pyright: ignore
    picked = torch.stack([torch.randint(0, int(n), (2,), generator=g) for n in lengths])
    ids = torch.randint(1, VOCABULARY, (clips, tokens), generator=g)
    return TrainingBatch(
        tokens=ids * (torch.arange(tokens) < token_lengths[:, None]),
        token_lengths=token_lengths,
        durations=durations,
        identity=torch.rand(clips, 3, height, width, generator=g),
        frames=torch.rand(clips, int(lengths.max()), 3, height, width, generator=g),
        frame_lengths=lengths,
        frame_indices=picked,
    )


def whole(given: TrainingBatch) -> TrainingBatch:
    """The same batch with every frame to be drawn; after a clip's end, its last frame again."""
    return given._replace(frame_indices=torch.arange(given.frames.shape[1]).minimum(given.frame_lengths[:, None] - 1))


def widen_contrast(model: nn.Module) -> None:
    """A fresh network draws grey: make its pictures differ."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, 3.0)


def without_dropout(model: nn.Module) -> nn.Module:
    shares = {field.name: 0.0 for field in dataclasses.fields(model.config) if field.name.endswith("dropout")}  # pyright: ignore
    same = type(model)(dataclasses.replace(model.config, **shares))  # pyright: ignore
    same.load_state_dict(model.state_dict())
    for module in same.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0  # no option names DualLip's duration predictor's
    return same


def request_of(given: TrainingBatch, **changes: Tensor | None) -> LipRequest:
    return LipRequest(given.tokens, given.token_lengths, given.identity)._replace(**changes)


def generate(model: nn.Module, request: LipRequest) -> LipClip:
    assert isinstance(model, LipModel)
    return model.generate(request)


@pytest.fixture(params=VARIANTS, ids=named)
def model(request: pytest.FixtureRequest) -> nn.Module:
    name, options = request.param
    return build(name, **options)


def test_frames_have_the_shape_range_and_length_asked_for(model):
    given = batch(model)
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
        clip = generate(model, request_of(batch(model)))
    assert (clip.lengths >= 1).all()
    assert clip.frames.shape[1] == int(clip.lengths.max())


def test_hh_t2l_hands_out_the_frames_of_generate_before_it_has_made_the_last():
    """Batched, at lengths of its own and given ones, without gradients."""
    model = build("hh_t2l")
    assert isinstance(model, StreamingLipModel)
    given = batch(model)
    for changes in ({}, {"n_frames": torch.tensor([5, 9, 1])}, {"durations": given.durations}):
        request = request_of(given, **changes)
        clip, chunks = generate(model, request), list(model.stream(request))
        assert chunks[0].shape[1] == 1
        assert len(chunks) > 1
        assert not chunks[-1].requires_grad
        streamed = torch.cat(chunks, dim=1)
        assert streamed.shape == clip.frames.shape
        for row, length in enumerate(clip.lengths.tolist()):
            torch.testing.assert_close(streamed[row, :length], clip.frames[row, :length], atol=1e-6, rtol=0)


def test_given_durations_fix_the_length(model):
    given = batch(model)
    clip = generate(model, request_of(given, durations=given.durations))
    assert clip.lengths.tolist() == given.frame_lengths.tolist()
    if clip.durations is not None:
        assert torch.equal(clip.durations, given.durations)


def test_given_durations_are_obeyed_token_by_token_or_as_a_sum_by_models_without_them(model):
    widen_contrast(model)
    given = batch(model)
    moved = given.durations.clone()
    moved[:, 0] -= 1
    moved[:, 1] += 1
    clip, other = (generate(model, request_of(given, durations=each)) for each in (given.durations, moved))
    with torch.no_grad():
        taught = model(whole(given)).frames
    for row, length in enumerate(given.frame_lengths.tolist()):
        if model.card.predicts_durations:
            torch.testing.assert_close(clip.frames[row, :length], taught[row, :length], atol=2e-5, rtol=0)
            assert (other.frames[row, :length] - clip.frames[row, :length]).abs().max() > 2e-4
        else:
            assert torch.equal(other.frames[row, :length], clip.frames[row, :length])


def test_every_parameter_gets_a_gradient(model):
    model.train()
    given = batch(model)
    attempt = model(given)
    total = sum(part.square().mean() for part in attempt if part is not None)
    total.backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert without == []
    idle = [name for name, p in model.named_parameters() if p.grad is not None and not p.grad.any()]
    assert idle == []


def test_an_attempt_has_the_picked_frames_and_rows_of_attention_that_sum_to_one(model):
    given = batch(model)
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
    given = batch(model)
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


def test_batched_output_equals_single_output_at_lengths_of_the_models_own(model):
    if hasattr(model, "stop"):
        nn.init.constant_(model.stop.bias, -4.0)  # an untrained stop token speaks at once: make it wait
    given = batch(model)
    together = generate(model, request_of(given))
    assert len(set(together.lengths.tolist())) > 1
    assert together.lengths.min() > 1
    for row, size in enumerate(given.token_lengths.tolist()):
        here = slice(row, row + 1)
        one = LipRequest(given.tokens[here, :size], given.token_lengths[here], given.identity[here])
        alone, length = generate(model, one), int(together.lengths[row])
        assert alone.lengths.tolist() == [length]
        torch.testing.assert_close(together.frames[row, :length], alone.frames[0], atol=2e-5, rtol=0)
        if together.durations is not None:
            assert alone.durations is not None
            assert alone.durations[0].tolist() == together.durations[row, :size].tolist()


def test_padding_changes_nothing(model):
    given = batch(model)
    n_frames = torch.tensor([6, 6, 6])
    wider = torch.nn.functional.pad(given.tokens, (0, 5))
    short = generate(model, request_of(given, n_frames=n_frames))
    padded = generate(model, request_of(given, tokens=wider, n_frames=n_frames))
    torch.testing.assert_close(short.frames, padded.frames, atol=2e-5, rtol=0)


@pytest.mark.parametrize("training", [False, True], ids=["evaluating", "training"])
def test_padding_a_batch_changes_nothing(model, training):
    pad = torch.nn.functional.pad
    given = batch(model)
    wider = given._replace(
        tokens=pad(given.tokens, (0, 3)),
        durations=pad(given.durations, (0, 3)),
        frames=torch.cat([given.frames, torch.rand_like(given.frames)], dim=1),
    )
    pair = [without_dropout(model).train(training) for _ in range(2)]
    with torch.no_grad():
        short, padded = (each(one) for each, one in zip(pair, (given, wider), strict=True))
    tokens, frames = given.tokens.shape[1], given.frames.shape[1]
    torch.testing.assert_close(padded.frames, short.frames, atol=2e-5, rtol=0)
    if short.durations is not None:
        torch.testing.assert_close(padded.durations[:, :tokens], short.durations, atol=2e-5, rtol=0)
        assert not padded.durations[:, tokens:].any()
    valid = torch.arange(frames) < given.frame_lengths[:, None]
    if short.stop_logits is not None:
        torch.testing.assert_close(padded.stop_logits[:, :frames][valid], short.stop_logits[valid], atol=2e-5, rtol=0)
    if short.attention is not None:
        torch.testing.assert_close(
            padded.attention[:, :frames, :tokens][valid], short.attention[valid], atol=2e-5, rtol=0
        )
        assert not padded.attention[:, :frames, tokens:][valid].any()
    # what batch norms remember of it; in training alone they learn
    torch.testing.assert_close(pair[1].state_dict(), pair[0].state_dict(), atol=2e-5, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS, ids=named)
def test_the_same_seed_gives_the_same_result(variant):
    name, options = variant
    clips = []
    for _ in range(2):
        model = build(name, seed=7, **options)
        clips.append(generate(model, request_of(batch(model), n_frames=torch.tensor([3, 3, 3]))))
    assert torch.equal(clips[0].frames, clips[1].frames)


def test_generating_twice_gives_the_same_frames(model):
    request = request_of(batch(model), n_frames=torch.tensor([3, 4, 2]))
    assert torch.equal(generate(model, request).frames, generate(model, request).frames)


def test_one_token_of_text_is_enough(model):
    given = batch(model)
    request = LipRequest(given.tokens[:1, :1], torch.tensor([1]), given.identity[:1])
    assert generate(model, request._replace(n_frames=torch.tensor([3]))).frames.shape[1] == 3
    clip = generate(model, request._replace(durations=torch.tensor([[4]])))
    assert clip.lengths.tolist() == [4]
    assert torch.isfinite(clip.frames).all()


def test_tokens_that_last_no_frame_at_all(model):
    given = batch(model)
    rows = torch.tensor([[0, 0, 3, 0, 2, 0], [0, 0, 0, 0, 1, 0], [2, 0, 0, 0, 0, 0]])
    clip = generate(model, request_of(given, durations=rows))
    assert clip.lengths.tolist() == [5, 1, 2]
    assert all(torch.isfinite(clip.frames[i, :n]).all() for i, n in enumerate([5, 1, 2]))
    if clip.durations is not None:
        assert torch.equal(clip.durations, rows)
    # a token that lasts no frame is still read: it colours its neighbours
    tokens = given.tokens.clone()
    tokens[0, 3] = tokens[0, 3] % (VOCABULARY - 1) + 1
    other = generate(model, request_of(given, tokens=tokens, durations=rows))
    assert not torch.equal(other.frames[0, :5], clip.frames[0, :5])


def test_the_longest_sentence(model):
    """The longest clips of the corpora last 8.1 s at 29.97 frames per second (TCD-TIMIT, paper section 4.1)."""
    g = torch.Generator().manual_seed(3)
    tokens = torch.randint(1, VOCABULARY, (1, 120), generator=g).repeat(2, 1)
    tokens[1, -1] = tokens[1, -1] % (VOCABULARY - 1) + 1
    identity = torch.rand(1, 3, *model.frame_size, generator=g).repeat(2, 1, 1, 1)
    clip = generate(model, LipRequest(tokens, torch.tensor([120, 120]), identity, n_frames=torch.tensor([243, 243])))
    assert clip.frames.shape[:2] == (2, 243)
    assert torch.isfinite(clip.frames).all()
    assert not torch.equal(clip.frames[0, -1], clip.frames[1, -1])  # the last token is heard to the very end


@pytest.mark.parametrize(("dtype", "distance"), [(torch.bfloat16, 0.01), (torch.float16, 0.002)], ids=str)
def test_half_precision_stays_near_single(model, dtype, distance):
    """At most 0.01 of the range in bfloat16 and 0.002 in float16, in every pixel; docs/models.md says so."""
    widen_contrast(model)
    given = batch(model)
    single = generate(model, request_of(given, durations=given.durations))
    half = copy.deepcopy(model).to(dtype)
    clip = generate(half, request_of(given, durations=given.durations, identity=given.identity.to(dtype)))
    assert clip.frames.dtype == dtype
    assert single.frames[0, : int(given.frame_lengths[0])].std() > 3 * distance
    for row, length in enumerate(given.frame_lengths.tolist()):
        torch.testing.assert_close(
            clip.frames[row, :length].float(), single.frames[row, :length], atol=distance, rtol=0
        )


def test_frames_are_drawn_with_the_weights_of_the_moment_and_the_plain_way_agrees(model):
    if not hasattr(model.config, "drawing"):
        pytest.skip("it draws in one way")
    plain = type(model)(dataclasses.replace(model.config, drawing="plain")).eval()
    keys = list(model.state_dict())
    request = request_of(batch(model), n_frames=torch.tensor([7, 4, 7]))
    for change in range(2):
        plain.load_state_dict(model.state_dict())
        for row, length in enumerate([7, 4, 7]):
            ours, theirs = (generate(each, request).frames[row, :length] for each in (model, plain))
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
        with torch.no_grad():  # as a step of training does, and as reading a checkpoint does
            for tensor in model.state_dict().values():
                if tensor.is_floating_point():
                    tensor.mul_(1.2 + change)
    assert list(model.state_dict()) == keys


def test_text_and_identity_both_matter(model):
    given = batch(model)
    n_frames = torch.tensor([6, 6, 6])
    base = generate(model, request_of(given, n_frames=n_frames)).frames
    other_text = generate(model, request_of(given, tokens=given.tokens.flip(0), n_frames=n_frames)).frames
    other_face = generate(model, request_of(given, identity=given.identity.flip(0), n_frames=n_frames)).frames
    assert not torch.allclose(base[0], other_text[0], atol=1e-6)
    assert not torch.allclose(base[0], other_face[0], atol=1e-6)


def test_generating_keeps_no_gradients(model):
    clip = generate(model, request_of(batch(model), n_frames=torch.tensor([2, 2, 2])))
    assert not clip.frames.requires_grad


def test_the_card_says_what_it_is(model):
    card = model.card
    assert card.title
    assert card.paper
    assert card.origin
    assert card.licence

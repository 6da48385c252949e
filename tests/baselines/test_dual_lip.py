from __future__ import annotations

import pytest
import torch

from lipbench import models
from lipbench.baselines.dual_lip.attention import LocationAttention
from lipbench.baselines.dual_lip.with_durations import DualLipWithDurations
from lipbench.models.contract import LipRequest, TrainingBatch


def test_attention_stays_on_the_text_and_remembers_where_it_looked():
    torch.manual_seed(0)
    attention = LocationAttention(6, 4, channels=3, kernel=5)
    text = torch.rand(2, 7, 4)
    valid = torch.arange(7) < torch.tensor([7, 3])[:, None]
    look = attention.start(text)
    assert look.now[:, 0].tolist() == [1, 1]
    for step in range(1, 4):
        seen, look = attention(torch.rand(2, 6), text, attention.memory(text), valid, look)
        assert torch.allclose(look.now.sum(dim=1), torch.ones(2))
        assert not look.now[1, 3:].any()
        torch.testing.assert_close(seen, (look.now[:, :, None] * text).sum(dim=1))
        assert torch.allclose(look.total.sum(dim=1), torch.full((2,), step + 1.0))


def test_where_it_looked_changes_where_it_looks():
    torch.manual_seed(0)
    attention = LocationAttention(6, 4, channels=3, kernel=5)
    text, query = torch.rand(1, 7, 4), torch.rand(1, 6)
    valid = torch.ones(1, 7, dtype=torch.bool)
    start = attention.start(text)
    moved = type(start)(start.now.flip(1), start.total.flip(1))
    _, one = attention(query, text, attention.memory(text), valid, start)
    _, other = attention(query, text, attention.memory(text), valid, moved)
    assert not torch.allclose(one.now, other.now)


@pytest.mark.parametrize(
    ("durations", "known", "ours"),
    [
        (
            False,
            ("recurrence", "location-sensitive attention", "frame fed back", "stop token"),
            (
                "layer size",
                "pre-net and its dropout",
                "stop rule and its loss",
                "image stack (HH-T2L's)",
                "guided-attention loss",
            ),
        ),
        (
            True,
            ("expanded by durations",),
            ("layer and its size", "both directions", "image stack (HH-T2L's)", "duration predictor"),
        ),
    ],
    ids=["attention", "durations"],
)
def test_the_card_says_what_is_known_of_duallip_and_what_is_our_choice(durations, known, ours):
    """docs/models.md, What is reconstruction; the public record of DualLip holds no code and no sizes."""
    model = models.create("dual_lip", "tiny", durations=durations)
    kind, _, rest = model.card.origin.partition(": ")  # pyright: ignore
    public, _, choices = rest.partition(" known at second hand; ")
    assert kind == "a reconstruction"
    assert [words for words in known if words not in public] == []
    assert [words for words in ours if words not in choices] == []
    assert choices.endswith("are our choice")


def branch(**options) -> DualLipWithDurations:
    torch.manual_seed(0)
    made = models.create("dual_lip", "tiny", durations=True, **options)
    assert isinstance(made, DualLipWithDurations)
    return made.eval()


def test_the_branch_with_durations_makes_all_frames_from_the_text_and_feeds_none_back():
    model = branch()
    assert not model.card.autoregressive
    assert model.card.predicts_durations
    tokens, durations = torch.tensor([[1, 2, 3]]), torch.tensor([[2, 0, 3]])
    frames = torch.rand(1, 5, 3, 20, 40)
    given = TrainingBatch(
        tokens, torch.tensor([3]), durations, torch.rand(1, 3, 20, 40), frames, torch.tensor([5]), torch.arange(5)[None]
    )
    with torch.no_grad():
        attempt = model(given)
        # what really happened is not an input: nothing leaks from one frame to the next
        assert torch.equal(model(given._replace(frames=1 - frames)).frames, attempt.frames)
    clip = model.generate(LipRequest(tokens, torch.tensor([3]), given.identity, durations=durations))
    torch.testing.assert_close(clip.frames, attempt.frames, atol=1e-5, rtol=0)


def test_the_branch_with_durations_predicts_them_where_none_are_given():
    clip = branch().generate(LipRequest(torch.tensor([[1, 2, 3]]), torch.tensor([3]), torch.rand(1, 3, 20, 40)))
    assert clip.durations is not None
    assert int(clip.durations.sum()) == int(clip.lengths) == clip.frames.shape[1]


def test_the_duration_loss_leaves_the_text_alone():
    model = branch().train()
    given = TrainingBatch(
        torch.tensor([[1, 2]]), torch.tensor([2]), torch.tensor([[1, 1]]), torch.rand(1, 3, 20, 40),
        torch.rand(1, 2, 3, 20, 40), torch.tensor([2]), torch.tensor([[0]]),
    )  # fmt: skip
    durations = model(given).durations
    assert durations is not None
    durations.sum().backward()
    assert model.embedding.weight.grad is None
    assert model.duration_predictor.linear.weight.grad is not None

from __future__ import annotations

import pytest
import torch

from lipbench import models
from lipbench.baselines.rollout import LengthLimitWarning, RolloutStep, roll_out
from lipbench.models.contract import LipRequest, TrainingBatch

REQUEST = LipRequest(torch.ones(2, 1, dtype=torch.long), torch.ones(2, dtype=torch.long), torch.zeros(2, 3, 2, 4))


def counting(stops_at: list[int]):
    """Each frame is the previous one plus 1, so a frame's level says how many steps it took."""

    def step(previous, made):
        frame = previous + 1
        logit = torch.where(torch.tensor(stops_at) == made + 1, 9.0, -9.0)
        return RolloutStep(frame, logit, made + 1)

    return step


def test_each_frame_is_made_from_the_one_before_and_the_stop_token_ends_each_clip():
    clip = roll_out(counting([2, 4]), REQUEST, 0, limit=10)
    assert clip.lengths.tolist() == [2, 4]
    assert clip.frames[:, :, 0, 0, 0].tolist() == [[1, 2, 3, 4]] * 2


def test_a_clip_ends_at_the_median_of_the_lengths_that_the_logits_stand_for():
    # lengths from 60 to 100 are equally likely, and nothing but the frame number is known
    def step(previous, made):
        frame_number = made + 1
        chance = 0.0 if frame_number < 60 else 1 / (101 - frame_number)
        return RolloutStep(previous, torch.logit(torch.full((2,), chance)), frame_number)

    assert roll_out(step, REQUEST, 0, limit=200).lengths.tolist() == [80, 80]


def test_a_given_length_wins_over_the_stop_token():
    clip = roll_out(counting([1, 1]), REQUEST._replace(n_frames=torch.tensor([3, 5])), 0, limit=2)
    assert clip.lengths.tolist() == [3, 5]
    assert clip.frames.shape[1] == 5


def test_durations_fix_the_length_too():
    clip = roll_out(counting([1, 1]), REQUEST._replace(durations=torch.tensor([[2], [1]])), 0, limit=9)
    assert clip.lengths.tolist() == [2, 1]


def test_the_safety_limit_is_reported_when_hit():
    with pytest.warns(LengthLimitWarning, match="1 of 2 clips had no stop token within 6 frames"):
        clip = roll_out(counting([2, 99]), REQUEST, 0, limit=6)
    assert clip.lengths.tolist() == [2, 6]
    assert clip.cut_off == (1,)
    assert roll_out(counting([2, 6]), REQUEST, 0, limit=6).cut_off == ()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dual_lip", {}),
        ("dual_lip", {"feedback_reduction": 5, "output": "tanh"}),
        ("transformer_t2l", {}),
        ("transformer_t2l", {"feedback_levels_skipped": 1}),
        ("transformer_t2l", {"attention_bias": True, "ffn_scaled": False, "first_position": 1, "output": "tanh"}),
    ],
)
def test_generating_equals_teacher_forcing_with_ones_own_frames(name, options):
    """Both forms of a rival are one network: fed its own clip, the parallel form gives that clip back."""
    torch.manual_seed(0)
    model = models.create(name, "tiny", vocabulary_size=9, **options).eval()  # pyright: ignore
    tokens, lengths = torch.randint(1, 9, (2, 5)), torch.tensor([5, 5])
    identity = torch.rand(2, 3, 20, 40)
    clip = model.generate(LipRequest(tokens, lengths, identity, n_frames=torch.tensor([6, 6])))
    batch = TrainingBatch(
        tokens, lengths, torch.ones(2, 5), identity, clip.frames, clip.lengths, torch.arange(6).expand(2, -1)
    )
    with torch.no_grad():
        again = model(batch)
    torch.testing.assert_close(again.frames, clip.frames, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["dual_lip", "transformer_t2l"])
def test_a_changed_frame_changes_those_after_it_and_none_before(name):
    torch.manual_seed(0)
    model = models.create(name, "tiny", vocabulary_size=9).eval()  # pyright: ignore
    frames = torch.rand(1, 6, 3, 20, 40)
    base = TrainingBatch(
        torch.randint(1, 9, (1, 5)), torch.tensor([5]), torch.ones(1, 5), torch.rand(1, 3, 20, 40), frames,
        torch.tensor([6]), torch.arange(6)[None],
    )  # fmt: skip
    changed = frames.clone()
    changed[:, 2] = 1 - changed[:, 2]
    with torch.no_grad():
        one, other = model(base).frames, model(base._replace(frames=changed)).frames
    assert torch.equal(one[:, :3], other[:, :3])
    assert all(not torch.equal(one[:, t], other[:, t]) for t in range(3, 6))


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("name", ["dual_lip", "transformer_t2l"])
def test_the_fed_back_frame_is_dropped_out_while_training_only(name, share):
    torch.manual_seed(0)
    model = models.create(name, "tiny", vocabulary_size=9, feedback_dropout=share)  # nothing else of tiny drops out
    batch = TrainingBatch(
        torch.randint(1, 9, (1, 5)), torch.tensor([5]), torch.ones(1, 5), torch.rand(1, 3, 20, 40),
        torch.rand(1, 6, 3, 20, 40), torch.tensor([6]), torch.arange(6)[None],
    )  # fmt: skip
    for training in (True, False):
        model.train(training)  # pyright: ignore
        with torch.no_grad():
            one, other = model(batch).stop_logits, model(batch).stop_logits  # pyright: ignore
        assert torch.equal(one, other) == (share == 0 or not training)

from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from lipbench.models.layers.durations import DurationPredictor, expand, token_position_features, whole_frames

durations = st.lists(st.integers(0, 9), min_size=1, max_size=12).filter(any)
predicted = st.lists(st.floats(0, 20, width=32), min_size=1, max_size=30)


def whole(row, n_frames=None, **options):
    return whole_frames(row, torch.ones_like(row, dtype=torch.bool), n_frames, **options)


@given(durations)
def test_expanding_repeats_each_token_as_the_paper_says(row):
    states = torch.arange(1.0, len(row) + 1)[None, :, None]
    frames, lengths = expand(states, torch.tensor([row]), sum(row))
    expected = [float(i + 1) for i, count in enumerate(row) for _ in range(count)]
    assert frames[0, :, 0].tolist() == expected
    assert lengths.tolist() == [sum(row)]


@given(st.lists(durations, min_size=2, max_size=4))
def test_expanding_a_padded_batch_equals_expanding_each_row(rows):
    width = max(len(row) for row in rows)
    table = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    states = torch.rand(len(rows), width, 3)
    frames, lengths = expand(states, table, int(table.sum(dim=1).max()))
    for i, row in enumerate(rows):
        alone, _ = expand(states[i : i + 1, : len(row)], torch.tensor([row]), sum(row))
        assert torch.equal(frames[i, : int(lengths[i])], alone[0])
        assert not frames[i, int(lengths[i]) :].any()


def test_expanding_is_exact_beyond_what_half_precision_can_count():
    # a running sum in bfloat16 goes wrong from frame 257 on
    row = torch.full((1, 400), 3)
    states = torch.arange(400, dtype=torch.bfloat16)[None, :, None]
    frames, lengths = expand(states, row, 1200)
    assert lengths.tolist() == [1200]
    assert torch.equal(frames[0, :, 0], torch.arange(400, dtype=torch.bfloat16).repeat_interleave(3))


@given(predicted)
def test_rounding_keeps_the_total_and_at_least_one_frame(row):
    frames = whole(torch.tensor([row]))
    total = float(torch.tensor([row]).double().sum())
    assert (frames >= 0).all()
    assert int(frames.sum()) >= 1
    assert abs(int(frames.sum()) - max(total, 1)) <= 0.5 + 1e-6


@given(predicted, st.integers(1, 400))
def test_rounding_to_a_length_reaches_it_exactly(row, n_frames):
    frames = whole(torch.tensor([row]), torch.tensor([n_frames]))
    assert int(frames.sum()) == n_frames
    assert (frames >= 0).all()


@given(st.lists(st.floats(0.5, 20, width=32), min_size=1, max_size=20), st.integers(0, 5))
def test_padding_gets_no_frame(row, padding):
    frames = whole_frames(torch.tensor([row + [9.0] * padding]), torch.arange(len(row) + padding)[None] < len(row))
    assert not frames[0, len(row) :].any()


def test_no_token_is_off_by_a_frame_or_more():
    row = torch.rand(1, 200) * 5
    assert ((whole(row) - row).abs() < 1.0).all()


def test_the_predictor_starts_near_its_start_and_gives_padding_nothing():
    torch.manual_seed(0)
    predictor = DurationPredictor(16, start=2.5).eval()
    valid = torch.tensor([[True, True, False]])
    out = predictor(torch.zeros(1, 3, 16), valid)
    assert torch.allclose(out[0, :2], torch.tensor(2.5), atol=0.6)
    assert out[0, 2] == 0


def test_a_logarithmic_prediction_comes_as_frames_and_its_logarithm_can_be_had_back():
    torch.manual_seed(0)
    predictor = DurationPredictor(16, start=2.5, domain="log").eval()
    valid = torch.tensor([[True, True, False]])
    assert torch.allclose(predictor(torch.zeros(1, 3, 16), valid)[0, :2], torch.tensor(2.5), atol=0.6)
    said = torch.tensor(-0.7)  # less than no frame at all: a loss must still be able to mend it
    torch.nn.init.constant_(predictor.linear.bias, said.item())
    torch.nn.init.zeros_(predictor.linear.weight)
    out = predictor(torch.rand(1, 3, 16), valid)
    torch.testing.assert_close(out.log1p()[0], said * torch.tensor([1.0, 1.0, 0.0]))
    out.log1p().sum().backward()
    assert predictor.linear.bias.grad.item() == 2
    assert whole_frames(out, valid).tolist() == [[1, 0, 0]]


def test_rounding_each_token_lets_errors_add_up_and_gives_a_clip_of_nothing_a_frame_per_token():
    row = torch.tensor([[1.4, 1.4, 1.4], [0.4, 0.2, -0.3]])
    assert whole(row, rounding="token").tolist() == [[1, 1, 1], [1, 1, 1]]
    valid = torch.tensor([[True, True, True], [True, True, False]])
    assert whole_frames(row, valid, rounding="token").tolist() == [[1, 1, 1], [1, 1, 0]]
    assert whole(row, torch.tensor([6, 5]), rounding="token").sum(dim=1).tolist() == [6, 5]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8).filter(any), st.integers(0, 3))
def test_places_count_the_frames_of_each_token(durations, padding):
    made = token_position_features(torch.tensor([durations]), sum(durations) + padding)[0]
    assert made.isfinite().all()
    expected = [
        (i + 0.5, frames - i - 0.5, (i + 0.5) / frames, math.log(frames)) for frames in durations for i in range(frames)
    ]
    since, until, share, log = (torch.tensor(each) for each in zip(*expected, strict=True))
    torch.testing.assert_close(made[: sum(durations)], torch.stack([share, since, until, log], dim=-1))

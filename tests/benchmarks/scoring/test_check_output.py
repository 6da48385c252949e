"""A model that breaks the contract fails its cell, by its name and the sentence; padding is its own affair."""

from __future__ import annotations

import pytest
import torch

from lipbench.benchmarks.cells.runner import run_cell
from lipbench.benchmarks.scoring.scorer import Scorer
from lipbench.errors import UserError
from lipbench.records.files import load_records
from lipbench.records.record import Cell


class Spoilt:
    """Gives back what another model made, spoilt."""

    def __init__(self, model, spoil):
        self.model, self.spoil = model, spoil

    def generate(self, request):
        return self.spoil(self.model.generate(request))


def frames_with(value, *, clip=1, frame=0):
    def spoil(made):
        made.frames[clip, frame, 0, 0, 0] = value
        return made

    return spoil


def score(drawn, spoil, *, durations="true", inner=None, metrics=("psnr",)):
    model = Spoilt(inner or drawn.Parrot(durations=2), spoil)
    with Scorer(drawn.scoring(metrics=list(metrics))) as scorer:
        return scorer.model(drawn.subject(model), durations=durations, batch=3)


@pytest.mark.parametrize(
    ("spoil", "which", "problem"),
    [
        (lambda made: made._replace(frames=made.frames[:2]), "batch", "it gave 2 clips for 3 sentences"),
        (lambda made: made._replace(frames=made.frames[:, :, :1]), "batch", "not (clips, frames, 3, 40, 80)"),
        (lambda made: made._replace(frames=made.frames[..., :79]), "batch", "not (clips, frames, 3, 40, 80)"),
        (lambda made: made._replace(frames=made.frames[:, 0]), "batch", "not (clips, frames, 3, 40, 80)"),
        (lambda made: made._replace(frames=(255 * made.frames).byte()), "batch", "torch.uint8, not floating point"),
        (lambda made: made._replace(lengths=made.lengths[:2]), "batch", "its lengths are (2,)"),
        (lambda made: made._replace(lengths=made.lengths.float()), "batch", "torch.float32, not (3,) whole numbers"),
        (lambda made: made._replace(durations=made.durations[:, :2]), "batch", "its durations are (3, 2)"),
        (lambda made: made._replace(durations=made.durations / 2), "batch", "torch.float32, not (3,"),
        (lambda made: made._replace(lengths=made.lengths * torch.tensor([1, 0, 1])), "second", "its length is 0"),
        (lambda made: made._replace(lengths=made.lengths + torch.tensor([0, 999, 0])), "second", "and there are"),
        (frames_with(float("nan")), "second", "hold values from nan to nan"),
        (frames_with(float("inf")), "second", "to inf"),
        (frames_with(255.0), "second", "to 255"),
        (frames_with(-0.01), "second", "from -0.01 to"),
    ],
)
def test_what_breaks_the_contract_is_named_with_the_model_and_the_sentence(drawn, spoil, which, problem):
    ids = drawn.corpus.ids("test")
    with pytest.raises(UserError) as caught:
        score(drawn, spoil, durations="predicted")
    place = {"batch": f"{ids[0]} and 2 more", "second": ids[1]}[which]
    assert str(caught.value).startswith(f"what parrot made of {place} cannot be scored: ")
    assert problem in str(caught.value)
    assert "LipClip" in str(caught.value)


def test_rounding_beyond_the_range_and_any_padding_change_no_score(drawn):
    def rounded(made):
        frames = made.frames.clone()
        frames[frames == frames.amax()] += 1e-6
        frames[torch.arange(frames.shape[1]) >= made.lengths[:, None]] = float("nan")
        return made._replace(frames=frames)

    plain = score(drawn, lambda made: made)
    assert [clip.values for clip in score(drawn, rounded).clips] == [clip.values for clip in plain.clips]


def test_the_cell_fails_with_the_reason_and_the_others_stay(drawn, tmp_path):
    for name, spoil in (("good", lambda made: made), ("bad", frames_with(float("nan")))):
        cell = Cell(kind="quality", system=name, corpus="synthetic")
        run_cell(cell, tmp_path, lambda spoil=spoil: score(drawn, spoil))
    found = {record.cell.system: record for record in load_records(tmp_path)}
    assert found["good"].status == "measured"
    assert found["bad"].status == "failed"
    assert drawn.corpus.ids("test")[1] in found["bad"].failure.message

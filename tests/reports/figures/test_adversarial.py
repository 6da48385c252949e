"""Figure 6: variants of one model, told apart by what trained them."""

import numpy as np
import pytest

from lipbench.reports.figures.adversarial import crop_mouth_box, draw_adversarial, find_ablation, moments
from lipbench.reports.figures.figure import MissingFigure, ReportFigure
from lipbench.reports.figures.style import render_figure
from lipbench.reports.inputs.strips import load_strips

LOSSES = {"base": (0.0, 0.0), "+SSIM": (1.0, 0.0), "+ADV": (0.0, 1.0), "+SSIM+ADV": (1.0, 1.0)}


def ablation(make, losses, name="hh_t2l"):
    ssim, adversarial = LOSSES[losses]
    training = make.TRAINING.model_copy(update={"recipe": {"weight_ssim": ssim, "weight_adversarial": adversarial}})
    about = {"training": training, "checkpoint": f"{sum(losses.encode()):064x}"}
    return make.quality(
        name, strip=f"{losses}.safetensors", about=about, asked={"checkpoint": f"{losses}.ckpt"}, durations="true"
    )


def drawn(records, drawing, root):
    table = drawing.quality_table(records)
    strips, _ = load_strips([table], root)
    return draw_adversarial(strips, table), strips


@pytest.fixture
def files(make, tmp_path):
    for place, losses in enumerate(LOSSES):
        make.write_strip(tmp_path / f"{losses}.safetensors", [[0.1 * place] * 7])
    return tmp_path


def test_rows_are_in_the_order_of_table_4_under_the_truth(make, drawing, files):
    found, _ = drawn([ablation(make, one) for one in reversed(LOSSES)], drawing, files)
    assert isinstance(found, ReportFigure)
    (axes,) = found.figure.axes
    labels = [text.get_text() for text in axes.texts if text.get_text() in ("Ground truth", *LOSSES)]
    assert labels == ["Ground truth", *LOSSES]
    assert len(axes.images) == 5 * 4, "a whole frame and three enlarged ones each"
    assert len(axes.patches) == 5
    whole, large = axes.images[0].get_array(), axes.images[1].get_array()
    assert whole.shape == (40, 80, 3)
    assert large.shape == (24, 48, 3)
    wide = [image.get_extent()[1] - image.get_extent()[0] for image in axes.images[:2]]
    assert wide[0] == pytest.approx(wide[1]), "the part fills as much room as the whole"
    assert "Not measured" not in found.caption
    assert "protocol paper (aaaaaaaaaaaa)" in found.caption


def test_what_is_missing_is_said(make, drawing, files):
    found, _ = drawn([ablation(make, "+SSIM"), ablation(make, "+SSIM+ADV")], drawing, files)
    assert isinstance(found, ReportFigure)
    assert "Not measured, or without sample frames: base and +ADV." in found.caption


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (
            (("+SSIM", "hh_t2l"), ("base", "hh_t2l")),
            "every model was trained without the discriminator (+SSIM and base)",
        ),
        ((("+ADV", "hh_t2l"),), "every model was trained with the discriminator (+ADV)"),
        ((("+ADV", "hh_t2l"), ("base", "dual_lip")), "no system was trained both with and without the discriminator"),
    ],
)
def test_without_both_there_is_a_reason(make, drawing, files, rows, reason):
    found, _ = drawn([ablation(make, losses, name) for losses, name in rows], drawing, files)
    assert isinstance(found, MissingFigure)
    assert found.reason == reason


def test_without_strips_or_recipes_there_is_a_reason(make, drawing, files, tmp_path):
    found, _ = drawn([make.quality("hh_t2l")], drawing, files)
    assert found.reason == "no sample frames are there"
    found, _ = drawn([make.quality("hh_t2l", strip="base.safetensors", about={"training": None})], drawing, files)
    assert found.reason == "no record of a model tells which losses trained it"


def test_moments_are_where_the_mouth_differs_from_the_first_frame_and_from_one_another():
    truth = np.zeros((6, 40, 80, 3), dtype=np.uint8)
    truth[2], truth[3], truth[5] = 200, 201, 90
    truth[4, :2] = 255  # outside what is enlarged
    assert moments(truth) == [2, 3, 5]
    assert moments(truth[:1]) == [0]
    assert crop_mouth_box(truth).shape == (6, 24, 48, 3)


def test_variants_sampled_at_other_moments_are_not_set_side_by_side(make, drawing, files):
    make.write_strip(files / "+ADV.safetensors", [[0.1] * 2], numbers="0,9")
    records = [ablation(make, "base"), ablation(make, "+ADV")]
    table = drawing.quality_table(records)
    strips, _ = load_strips([table], files)
    assert find_ablation(strips) is None
    reason = draw_adversarial(strips, table).reason
    assert reason == "no clip was sampled at the same moments with and without the discriminator"


@pytest.mark.parametrize("odd", LOSSES)
def test_one_that_was_sampled_otherwise_leaves_the_others_and_is_named(make, drawing, files, odd):
    make.write_strip(files / f"{odd}.safetensors", [[0.1] * 2], numbers="0,9")
    found, _ = drawn([ablation(make, one) for one in LOSSES], drawing, files)
    assert isinstance(found, ReportFigure)
    assert [text.get_text() for text in found.figure.axes[0].texts if text.get_text() in LOSSES] == [
        one for one in LOSSES if one != odd
    ]
    assert f"Not shown, as sampled from other clips or at other moments: {odd}." in found.caption
    assert len(render_figure(found.figure, "png")) > 5000


def test_a_variant_that_failed_or_lost_its_frames_is_said_to_be_missing(make, drawing, files):
    (files / "+ADV.safetensors").unlink()
    failed = make.failed(make.quality_cell("hh_t2l", durations="true", checkpoint="base.ckpt"))
    found, _ = drawn([failed, *(ablation(make, one) for one in ("+SSIM", "+ADV", "+SSIM+ADV"))], drawing, files)
    assert isinstance(found, ReportFigure)
    assert "Not measured, or without sample frames: base and +ADV." in found.caption

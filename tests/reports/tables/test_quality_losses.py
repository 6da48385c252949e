"""Beside which of several trainings the paper's values stand."""

from lipbench.reports.markdown.quality_notes import quality_notes
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.quality import quality_tables


def only(records):
    (table,) = quality_tables(records, collect_names(records))
    return table


def of_losses(make, losses, **more):
    """HH-T2L trained with these weights of the SSIM and the adversarial loss."""
    recipe = {"weight_ssim": losses[0], "weight_adversarial": losses[1]}
    about = {
        "title": f"HH-T2L {losses}",
        "training": make.TRAINING.model_copy(update={"recipe": recipe}),
        "checkpoint": f"{losses[0]:.0f}{losses[1]:.0f}" * 32,
    }
    return make.quality("hh_t2l", about=about, asked={"checkpoint": f"{losses}.ckpt"}, **more)


def test_of_several_trainings_the_papers_value_stands_beside_that_with_its_losses_alone(make):
    table = only(
        [of_losses(make, losses) for losses in ((1.0, 0.0), (0.0, 0.0), (1.0, 5.0))] + [make.quality("dual_lip")]
    )
    beside = {row.label: row.cells["psnr"].paper is not None for row in table.rows}
    assert beside == {
        "HH-T2L (0.0, 0.0)": False, "HH-T2L (1.0, 0.0)": False, "HH-T2L (1.0, 5.0)": True, "DualLip": True,
    }  # fmt: skip
    notes = " ".join(quality_notes(table))
    assert "stands beside HH-T2L (1.0, 5.0) alone" in notes
    assert "not beside HH-T2L (0.0, 0.0) and HH-T2L (1.0, 0.0)" in notes


def test_where_none_has_the_papers_losses_its_value_stands_beside_all_and_that_is_said(make):
    table = only([of_losses(make, losses) for losses in ((1.0, 0.0), (0.0, 5.0))])
    assert all(row.cells["psnr"].paper is not None for row in table.rows)
    notes = " ".join(quality_notes(table))
    assert "HH-T2L (0.0, 5.0) and HH-T2L (1.0, 0.0) were trained with other losses" in notes


def test_of_losses_that_nothing_tells_nothing_is_said(make):
    table = only([make.quality("hh_t2l", about={"training": None}), make.quality("dual_lip")])
    assert all(row.cells["psnr"].paper is not None for row in table.rows)
    assert "section 4.3" not in " ".join(quality_notes(table))

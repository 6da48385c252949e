"""All figures of a report: which there are, of what, and why the others are not."""

import numpy as np
import pytest

from lipbench.reports.figures.figure import MissingFigure, ReportFigure
from lipbench.reports.figures.gallery import choose_tables, draw_figures, missing_figure_sentences, report_styles
from lipbench.reports.figures.style import render_figure
from lipbench.reports.inputs.strips import load_strips
from lipbench.reports.inputs.training_logs import load_training_logs
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.make import make_tables

REAL = [0.0, 2.0, 4.0, 2.0, 1.0]


def placed(records, root):
    names = collect_names(records)
    tables = make_tables(records, names)
    choice = choose_tables(tables.quality, tables.latency)
    strips, _ = load_strips([tables.quality[i] for i in sorted(choice.quality)], root)
    return list(draw_figures(tables, choice, strips, load_training_logs(root), report_styles(tables, names.order)))


def lively(drawing, name, n=40):
    """Clips of many lengths with everything that figures are drawn from."""
    return [
        drawing.clip(
            i,
            frames=50 + i,
            ssim=0.8 - 0.001 * np.arange(50 + i) / len(name),
            speaker=f"s{i % 12}",
            values={"ssim": 0.8 - 0.001 * i, "psnr": 28.0, "lmd": 1.0, "aperture_correlation": 0.5},
            aperture=REAL,
            aperture_truth=REAL,
        )
        for i in range(n)
    ]


@pytest.fixture
def rich(make, drawing, tmp_path):
    make.write_strip(tmp_path / "a.safetensors", [[0.1] * 7, [0.9] * 7])
    records = [
        make.quality(name, scores=lively(drawing, name), strip="a.safetensors")
        for name in ("hh_t2l", "dual_lip", "first_frame")
    ]
    return [*records, *(make.latency(name, n) for name in ("hh_t2l", "dual_lip") for n in (50, 75))], tmp_path


def test_a_rich_run_has_every_figure_and_each_has_its_words(rich):
    found = placed(*rich)
    drawn = [one.what for one in found if isinstance(one.what, ReportFigure)]
    expected = {
        "strip",
        "ssim-length",
        "metrics-length",
        "positions",
        "openings",
        "durations",
        "pareto-cpu",
    }
    assert expected <= {one.name for one in drawn}
    for one in drawn:
        assert one.title
        assert "n = " in one.caption
        assert "protocol paper (aaaaaaaaaaaa)" in one.caption
        assert "GRID" in one.caption
        assert one.caption.endswith(".")
        assert len(one.alt) > 20
    reasons = missing_figure_sentences(found)
    absent = {"With and without adversarial training", "Memory against length", "Energy against length"}
    assert absent <= {reason.split(" (")[0] for reason in reasons}
    names = [(one.what.name, one.of) for one in found if isinstance(one.what, ReportFigure)]
    assert len(set(names)) == len(names), "no figure overwrites another"


def test_systems_look_alike_in_every_figure(rich, drawing):
    for one in placed(*rich):
        if isinstance(one.what, ReportFigure) and one.what.figure.legends:
            legend = one.what.figure.legends[0]
            colors = dict(zip((t.get_text() for t in legend.get_texts()), legend.legend_handles, strict=True))
            assert colors["HH-T2L"].get_color() == "#0072B2"
            assert colors["DualLip"].get_color() == "#D55E00"


def test_of_several_protocols_the_papers_is_drawn(make, drawing, tmp_path):
    records = [
        make.quality(name, scores=lively(drawing, name), protocol=protocol)
        for name in ("hh_t2l", "dual_lip")
        for protocol in (make.PROTOCOL, make.OTHER_PROTOCOL)
    ]
    found = placed(records, tmp_path)
    assert {one.of[-1] for one in found} == {"paper"}
    only = placed([one for one in records if one.result.protocol is make.OTHER_PROTOCOL], tmp_path)
    assert {one.of[-1] for one in only} == {"lelechen63-2018"}


def test_one_reason_for_several_conditions_is_one_sentence(make, tmp_path):
    found = placed([make.quality("hh_t2l", durations=durations) for durations in ("true", "predicted")], tmp_path)
    (sentence,) = [one for one in missing_figure_sentences(found) if one.startswith("Quality against latency")]
    assert sentence == "Quality against latency (GRID, predicted durations and GRID, true durations): nothing was timed"


def test_odd_names_are_drawn_and_break_nothing(make, drawing, tmp_path):
    odd = "a$b$ \\frac{ <b>|x_y^z% &amp; \n \u5507"
    clips = [
        clip.model_copy(update={"text": odd, "utterance": f"s1/{i}{odd}"})
        for i, clip in enumerate(lively(drawing, "a"))
    ]
    records = [make.quality("odd", scores=clips, about={"title": odd}), make.latency("odd", 75, about={"title": odd})]
    drawn = [one.what for one in placed(records, tmp_path) if isinstance(one.what, ReportFigure)]
    assert {one.name for one in drawn} >= {"ssim-length", "positions", "openings", "durations"}
    for one in drawn:
        assert len(render_figure(one.figure, "png")) > 5000
        assert any("a$b$ \\frac{ <b>" in text for text in drawing.texts(one.figure))


def test_a_run_that_only_failed_has_no_figure_and_no_error(make, tmp_path):
    assert (
        placed([make.failed(make.quality_cell("hh_t2l")), make.failed(make.latency_cell("hh_t2l", 75))], tmp_path) == []
    )


def test_a_variant_looks_the_same_in_all_figures_whatever_order_its_records_come_in(make):
    variants = [make.quality("hh_t2l", about={"title": f"HH-T2L{losses}"}) for losses in (" +ADV", "", " +SSIM+ADV")]
    timed = [make.latency("hh_t2l", frames=length) for length in (25, 75)]
    found = []
    for records in ([*variants, *timed], [*timed, *reversed(variants)]):
        names = collect_names(records)
        tables = make_tables(records, names)
        found.append(report_styles(tables, names.order))
        (table,) = tables.quality
        assert [row.label for row in table.rows] == ["HH-T2L", "HH-T2L +ADV", "HH-T2L +SSIM+ADV"]
    assert found[0] == found[1]
    assert found[0]["HH-T2L"].color == "#0072B2", "the model's own, in latency too"


@pytest.mark.parametrize(("text", "kind"), [("loss/l1,step\n0.5,9\n", ReportFigure), ("no log\n", MissingFigure)])
def test_trainings_in_the_run_have_a_figure_or_a_reason(make, tmp_path, text, kind):
    file = tmp_path / "train" / "one" / "csv" / "from_step_000000" / "metrics.csv"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    *_, last = placed([make.quality("hh_t2l")], tmp_path)
    assert isinstance(last.what, kind)
    assert (last.of, last.what.title) == ((), "Training")

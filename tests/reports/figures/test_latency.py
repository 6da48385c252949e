"""Figures: that something is drawn, that it is the right thing, and that nothing global stays behind."""

import dataclasses
import io

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from lipbench.records.record import Failure
from lipbench.reports.figures.figure import MissingFigure, ReportFigure
from lipbench.reports.figures.latency import draw_latency, latency_figure
from lipbench.reports.figures.style import plot_styles, render_figure
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.latency import latency_tables


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=float)


def style_of(table):
    return plot_styles((row.name, row.label) for row in table.rows)


def table_of(records):
    (table,) = latency_tables(records, collect_names(records))
    return table


def latency_of(records):
    table = table_of(records)
    return latency_figure(table, style_of(table))


def hollow(axes):
    """Points of the paper's in a panel."""
    lines = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    return sorted((x, y) for line in lines for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True))


@pytest.mark.parametrize(
    ("systems", "lengths"),
    [(("hh_t2l", "dual_lip"), (25, 50, 75, 100, 137)), (("hh_t2l",), (25, 75)), (("zebra",), (75,))],
)
def test_latency_figure_draws_every_system(make, systems, lengths):
    records = [make.latency(name, n) for name in systems for n in lengths]
    figure = latency_of(records)
    drawn = {line.get_color() for line in figure.axes[0].lines}
    assert {look.color for look in style_of(table_of(records)).values()} <= drawn
    image = pixels(render_figure(figure, "png"))
    assert image.std() > 5
    assert image.shape[1] > 1000


def test_points_are_medians_and_hollow_markers_are_the_papers(make):
    records = [make.latency(name, n) for name in ("hh_t2l", "dual_lip") for n in (50, 75)]
    left = latency_of(records).axes[0]
    medians = {r.result.frames: np.median([s.wall_s for s in r.result.samples]) * 1000 for r in records[:2]}
    points = [line for line in left.lines if line.get_linestyle() == "None"]
    full = next(line for line in points if line.get_markerfacecolor() == style_of(table_of(records))["HH-T2L"].color)
    assert dict(zip(full.get_xdata(), full.get_ydata(), strict=True)) == pytest.approx(medians)
    assert hollow(left) == [(75, 22.0), (75, 299.0), (137, 34.0), (137, 650.0)]
    assert hollow(latency_of(records).axes[1]) == [(75, 1.0), (75, 13.09), (137, 1.0), (137, 19.12)]


def test_the_papers_points_stand_beside_its_own_batch_size_only(make):
    records = [make.latency(name, n, batch=4) for name in ("hh_t2l", "dual_lip") for n in (50, 75)]
    figure = latency_of(records)
    assert [hollow(axes) for axes in figure.axes] == [[], []]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["HH-T2L", "DualLip"]
    with_paper = latency_of([make.latency("hh_t2l", 75)])
    assert with_paper.legends[0].get_texts()[-1].get_text() == "paper (RTX 2080 Ti)"


def test_variants_of_one_model_are_drawn_apart_and_share_the_papers_points(make):
    plain = [make.latency("hh_t2l", n) for n in (50, 75)]
    other = [make.latency("hh_t2l", n, about={"options": {"chunk": 8}}) for n in (50, 75)]
    figure = latency_of(plain + other)
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()][:2] == ["HH-T2L (chunk=8)", "HH-T2L (chunk=default)"]
    first, second = legend.legend_handles[:2]
    assert first.get_color() != second.get_color()
    assert first.get_marker() != second.get_marker()
    assert hollow(figure.axes[0]) == [(75, 22.0), (137, 34.0)]


def test_without_the_baseline_the_second_panel_is_linear_latency(make):
    assert (
        latency_of([make.latency("hh_t2l", n) for n in (25, 75)]).axes[1].get_title(loc="left")
        == "Latency (linear scale)"
    )
    both = [make.latency(name, 75) for name in ("hh_t2l", "dual_lip")]
    assert latency_of(both).axes[1].get_title(loc="left") == "Speed-up over DualLip"


def test_no_style_and_no_figure_stays_behind(make):
    before = dict(mpl.rcParams)
    assert b"<svg" in render_figure(latency_of([make.latency("hh_t2l", 75)]), "svg")
    assert dict(mpl.rcParams) == before
    pyplot = pytest.importorskip("matplotlib.pyplot")
    assert pyplot.get_fignums() == []


def test_the_words_tell_the_fits_the_machine_and_both_ends(make):
    table = table_of([make.latency(name, n) for name in ("hh_t2l", "dual_lip") for n in (50, 100)])
    drawn = draw_latency(table, style_of(table))
    assert isinstance(drawn, ReportFigure)
    line = next(row.line for row in table.rows if row.name == "hh_t2l")
    assert f"HH-T2L {line.intercept * 1000:.2f} + {line.slope * 1000:.3g} L" in drawn.caption
    assert (
        "AMD EPYC 7B13, 2 threads, CPU, float32, batch 1, preset small; n = 20 timed calls per point" in drawn.caption
    )
    assert "Hollow: the paper's table 3" in drawn.caption
    gain = next(row for row in table.rows if row.name == "hh_t2l").measured[100].speedup.value
    assert f"({gain:.1f}× as fast as the baseline)" in drawn.alt
    assert drawn.alt.count("baseline") == 1
    right = drawn.figure.axes[1]
    assert (right.get_yscale(), right.get_ylabel()) == ("log", "times as fast (log scale)")


def test_where_every_cell_failed_there_is_a_reason(make):
    table = table_of([make.latency("hh_t2l", 75)])
    rows = [dataclasses.replace(row, cells={75: Failure(type="E", message="m")}) for row in table.rows]
    found = draw_latency(dataclasses.replace(table, rows=rows), style_of(table))
    assert found == MissingFigure(title="Latency against length", reason="no cell was measured")

"""Quality against latency: what is paired with what, and who is unbeaten."""

import pytest

from lipbench.reports.figures.figure import MissingFigure, ReportFigure
from lipbench.reports.figures.pareto import draw_pareto, frontier, pair_quality_latency

SSIM = {"hh_t2l": 0.85, "dual_lip": 0.9, "transformer_t2l": 0.8, "first_frame": 0.7}


def scored(make, drawing, name, lmd=1.0, ssim=None, **more):
    at = SSIM[name] if ssim is None else ssim
    clips = [drawing.clip(i, ssim=at + 0.001 * i, values={"ssim": at + 0.001 * i, "lmd": lmd}) for i in range(12)]
    return make.quality(name, scores=clips, **more)


def drawn(quality, latency, drawing):
    table, times = drawing.quality_table(quality), drawing.latency_table(latency)
    return draw_pareto(table, times, drawing.style(table)), table, times


@pytest.fixture
def three(make, drawing):
    quality = [
        scored(make, drawing, name, lmd) for name, lmd in (("hh_t2l", 1.0), ("dual_lip", 2.0), ("transformer_t2l", 3.0))
    ]
    latency = [make.latency(name, n) for name in ("hh_t2l", "dual_lip", "transformer_t2l") for n in (50, 70, 137)]
    return [*quality, scored(make, drawing, "first_frame")], latency


def test_points_are_the_mean_and_the_median_at_the_length_next_to_the_clips(three, drawing):
    found, table, times = drawn(*three, drawing)
    assert isinstance(found, ReportFigure)
    ssim, lmd = found.figure.axes
    style = drawing.style(table)
    (point,) = [
        line
        for line in ssim.lines
        if line.get_color() == style["DualLip"].color
        and line.get_marker() == style["DualLip"].marker
        and line.get_markerfacecolor() != "white"
    ]
    assert point.get_xdata()[0] == pytest.approx(
        next(r for r in times.rows if r.name == "dual_lip").measured[70].wall.median * 1000
    )
    assert point.get_ydata()[0] == pytest.approx(0.9055)
    assert ssim.get_xlabel() == "ms for 70 frames"
    assert (ssim.get_ylabel(), lmd.get_ylabel()) == ("SSIM", "LMD (px)")
    assert (ssim.yaxis_inverted(), lmd.yaxis_inverted()) == (False, True)
    assert ssim.get_xscale() == "log"
    assert "First frame repeated" in drawing.texts(found.figure)
    assert "Unbeaten: HH-T2L and DualLip on SSIM; HH-T2L on LMD." in found.alt


def test_the_papers_points_are_those_of_its_tables(three, drawing):
    found, *_ = drawn(*three, drawing)
    hollow = [line for line in found.figure.axes[0].lines if line.get_markerfacecolor() == "white"]
    points = sorted((line.get_xdata()[0], line.get_ydata()[0]) for line in hollow)
    assert points == [(22.0, 0.875), (299.0, 0.872), (689.0, 0.829)]


def test_the_frontier_follows_the_metrics_direction(three, drawing):
    table, times = drawing.quality_table(three[0]), drawing.latency_table(three[1])
    points, frames = pair_quality_latency(table, times)
    assert frames == 70
    known = {metric.name: metric for metric in table.metrics}
    assert [point.label for point in frontier(points, known["ssim"])] == ["HH-T2L", "DualLip"]
    assert [point.label for point in frontier(points, known["lmd"])] == ["HH-T2L"]


def test_another_preset_or_other_options_are_another_model(make, drawing):
    quality = [scored(make, drawing, name) for name in ("hh_t2l", "dual_lip")]
    latency = [make.latency("hh_t2l", 75), make.latency("dual_lip", 75, about={"options": {"width": 2}})]
    found, *_ = drawn(quality, latency, drawing)
    assert isinstance(found, MissingFigure)
    assert found.reason.startswith("fewer than two models")


def test_a_model_that_was_told_its_vocabulary_to_be_timed_is_the_one_that_was_scored(make, drawing):
    built = {"config": {"vocabulary_size": 29}}
    quality = [scored(make, drawing, name, about=built) for name in ("hh_t2l", "dual_lip")]
    told = {**built, "options": {"vocabulary_size": 29}}
    found, *_ = drawn(quality, [make.latency(name, 75, about=told) for name in ("hh_t2l", "dual_lip")], drawing)
    assert not isinstance(found, MissingFigure)


def test_ways_of_running_one_model_share_its_colour_and_not_its_marker(make, drawing):
    quality = [scored(make, drawing, name) for name in ("hh_t2l", "dual_lip")]
    latency = [make.latency(name, 75) for name in ("hh_t2l", "dual_lip")]
    latency.append(make.latency("dual_lip", 75, seconds=[0.001] * 8, asked={"variant": "graph"}))
    found, table, _ = drawn(quality, latency, drawing)
    color = drawing.style(table)["DualLip"].color
    handles = [handle for handle in found.figure.legends[0].legend_handles if handle.get_color() == color]
    assert len(handles) == 2
    assert len({handle.get_marker() for handle in handles}) == 2


def test_the_paper_is_joined_with_a_model_as_it_is_and_that_is_said(make, drawing):
    quality = [scored(make, drawing, name) for name in ("hh_t2l", "dual_lip")]
    latency = [make.latency(name, 75) for name in ("hh_t2l", "dual_lip")]
    graph = make.latency("hh_t2l", 75, seconds=[0.001] * 8, asked={"variant": "a_graph"})
    latency.insert(0, graph.model_copy(update={"result": graph.result.model_copy(update={"variant": "a_graph"})}))
    found, _, times = drawn(quality, latency, drawing)
    eager = next(row for row in times.rows if row.label == "HH-T2L").measured[75].wall.median
    thin = [line for line in found.figure.axes[0].lines if line.get_linewidth() == 0.6]
    assert {float(line.get_xdata()[0]) for line in thin} >= {eager * 1000}
    assert 1.0 not in {float(line.get_xdata()[0]) for line in thin}
    assert "Of 2 ways of running HH-T2L the paper's is joined with HH-T2L." in found.caption


def test_a_collapsed_model_does_not_squeeze_the_others_and_is_named(make, drawing):
    values = {"hh_t2l": 0.86, "dual_lip": 0.85, "transformer_t2l": 0.84, "a": 0.83, "b": 0.855, "collapsed": 0.12}
    quality = [scored(make, drawing, name, ssim=value, corpus="synthetic") for name, value in values.items()]
    found, *_ = drawn(quality, [make.latency(name, 75) for name in values], drawing)
    axes = found.figure.axes[0]
    assert axes.get_ylabel() == "SSIM"
    assert axes.get_ylim()[0] > 0.7
    assert any(text.get_text() == "↓ collapsed: 0.126" for text in axes.texts)
    assert "SSIM of collapsed (0.126)" in found.caption

"""How systems look, and how text and figures come out."""

import base64
import io
import re

import numpy as np
from PIL import Image

from lipbench.reports.figures.style import (
    empty_figure,
    house_style,
    legend,
    log_axis,
    plain_label,
    plot_styles,
    render_figure,
)


def test_looks_are_distinct_and_stable():
    others = [(name, name.upper()) for name in "abcdefgh"]
    systems = [("hh_t2l", "HH-T2L"), ("hh_t2l", "HH-T2L (tiny)"), ("dual_lip", "DualLip"), *others[:7]]
    for ten in (systems, [*others, ("yak", "Yak"), ("zebra", "Zebra")]):
        found = plot_styles(ten)
        assert len(found) == 10
        assert len({(look.color, look.marker) for look in found.values()}) == 10
    assert plot_styles(systems) == plot_styles(iter(systems))
    assert plot_styles([("hh_t2l", "HH-T2L")])["HH-T2L"] == plot_styles(systems)["HH-T2L"]


def test_arrangement_changes_no_look_and_the_plainest_row_has_the_systems_own():
    order = ["hh_t2l", "yak", "zebra", "first_frame", "shift"]
    rows = [("hh_t2l", "HH-T2L +ADV"), ("zebra", "Zebra"), ("hh_t2l", "HH-T2L (base losses)"), ("yak", "Yak"),
            ("hh_t2l", "HH-T2L")]  # fmt: skip
    found = plot_styles(rows, order)
    assert all(plot_styles([*rows[i:], *rows[:i], rows[0]], order) == found for i in range(5))
    assert found["HH-T2L"] == plot_styles([("hh_t2l", "HH-T2L")])["HH-T2L"]
    assert len({(look.color, look.marker) for look in found.values()}) == 5


def test_neighbours_differ_in_grey_too():
    found = plot_styles(
        [(name, name) for name in ("hh_t2l", "dual_lip", "transformer_t2l", "first_frame", "mean_frame", "a", "b")]
    )
    assert len({look.marker for look in found.values()}) == 7
    assert len({found[name].dash for name in ("hh_t2l", "dual_lip", "transformer_t2l")}) == 3


def test_foreign_text_is_drawn_as_it_is():
    assert plain_label("a\nb  c") == "a b c"
    assert plain_label("x" * 99).endswith("…")
    assert len(plain_label("x" * 99)) == 34
    assert plain_label("r² ± é — \u5507") == "r² ± é — \N{REPLACEMENT CHARACTER}"
    with house_style():
        figure = empty_figure(2.0)
        axes = figure.subplots()
        axes.set_title(plain_label("costs $x_1$ \\frac{ & <b>"))
    assert len(render_figure(figure, "png")) > 1000
    assert b"<b>" not in render_figure(figure, "svg")


def test_both_kinds_are_the_same_each_time_and_share_their_layout():
    def make():
        with house_style():
            figure = empty_figure(2.0)
            axes = figure.subplots()
            axes.imshow(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
        return figure

    assert render_figure(make(), "svg") == render_figure(make(), "svg")
    figure = make()
    first = render_figure(figure, "png")
    svg = render_figure(figure, "svg").decode()
    assert render_figure(figure, "png") == first, "another kind in between changes nothing"
    (embedded,) = re.findall(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)", svg)
    assert Image.open(io.BytesIO(base64.b64decode(embedded))).size == (4, 4), "an SVG holds the picture's own pixels"


def test_a_legend_never_runs_out_of_the_figure():
    labels = [f"a rather long name of a model {i}" for i in range(7)]
    with house_style():
        figure = empty_figure(3.0)
        figure.subplots()
        legend(figure, plot_styles((label, label) for label in labels), labels, hollow="paper")
        figure.draw_without_rendering()
        box = figure.legends[0].get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width


def test_a_log_axis_has_plain_numbers():
    with house_style():
        figure = empty_figure(2.0)
        axes = figure.subplots()
        axes.plot([3, 80], [1, 1])
        log_axis(axes, "x")
        figure.draw_without_rendering()
        texts = [text.get_text() for text in axes.get_xticklabels()]
    assert {"5", "10", "20", "50"} <= set(texts)

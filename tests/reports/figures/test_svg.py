"""Smaller SVG that shows the same."""

import re
import xml.etree.ElementTree as ET

import pytest

from lipbench.reports.figures.style import draw_bars, empty_figure, house_style, plot_styles, render_figure
from lipbench.reports.figures.svg import shrink_svg

SVG = """<svg>
  <g clip-path="url(#p1)">
     <use xlink:href="#m1" x="46.400249" y="129.907288" style="fill: #5f5f5f"/>
     <use xlink:href="#m1" x="46.996001" y="-0.004" style="fill: #5f5f5f"/>
  </g>
  <g><use x="1" style="fill: #000"/><use x="2" style="fill: #fff"/></g>
  <path d="M 298.838924 82.808779
L 3.5 82
" style="stroke-width: 0.123456"/>
  <g transform="translate(43.696178 143.365296) scale(0.015625)"/>
</svg>"""


def test_coordinates_get_two_decimals_and_markers_of_a_line_one_style():
    small = shrink_svg(SVG)
    assert '<g clip-path="url(#p1)" style="fill: #5f5f5f">' in small
    assert '<use xlink:href="#m1" x="46.4" y="129.91"/>' in small
    assert 'x="47" y="-0"' in small
    assert 'd="M 298.84 82.81L 3.5 82"' in small
    assert small.count("style=") == 4, "markers of two styles keep theirs"
    assert "stroke-width: 0.123456" in small, "only coordinates are rounded"
    assert "translate(43.696178 143.365296) scale(0.015625)" in small


def test_a_figures_file_stays_an_svg_with_every_marker_and_bar():
    (look,) = plot_styles([("hh_t2l", "HH-T2L")]).values()
    with house_style():
        figure = empty_figure(2.0)
        axes = figure.subplots()
        axes.plot(range(30), range(30), marker="o")
        draw_bars(axes, [0, 10, 20], [1, 2, float("nan")], [11, 12, 13], look)
    svg = render_figure(figure, "svg").decode()
    ET.fromstring(svg)
    markers = max(re.findall(r"<g[^>]*>\s*((?:<use [^>]*/>\s*)+)</g>", svg), key=len)
    assert markers.count("<use") == 30
    assert "style" not in markers
    (bars,) = re.findall(rf'<path d="([^"]*)"[^>]*{look.color.lower()}', svg)
    assert (bars.count("M"), bars.count("L")) == (2, 2), "one without both ends is left out"


@pytest.mark.parametrize("text", ["", "<svg/>", "no svg"])
def test_what_holds_nothing_of_it_stays_as_it_is(text):
    assert shrink_svg(text) == text

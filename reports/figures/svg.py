"""SVG as Matplotlib writes it, in a third of its bytes: a report's page holds every figure.

Nothing that is drawn changes by more than a hundredth of a point.
"""

from __future__ import annotations

import re

_GEOMETRY = re.compile(r' (?:d|x|y)="[^"]*"')
_LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
_MARKERS = re.compile(r"<g( clip-path=\"[^\"]*\")?>\s*((?:<use [^>]*/>\s*)+)</g>")
_STYLE = re.compile(r' style="[^"]*"')
_INDENT = re.compile(r"\n\s+(?=<)")


def shrink_svg(svg: str) -> str:
    """Make an SVG file of Matplotlib's smaller.

    Coordinates get two decimals (points), and markers of one line share one style.

    Args:
        svg: as `Figure.savefig` writes it.
    """
    svg = _GEOMETRY.sub(lambda match: _LONG_NUMBER.sub(_round_number, match[0].replace("\n", "")), svg)
    return _INDENT.sub("\n", _MARKERS.sub(_merge_styles, svg))


def _round_number(match: re.Match[str]) -> str:
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")


def _merge_styles(match: re.Match[str]) -> str:
    """A group of markers, their style said once if they have one in common."""
    styles = set(_STYLE.findall(match[2]))
    if len(styles) != 1:
        return match[0]
    return f"<g{match[1] or ''}{styles.pop()}>\n{_STYLE.sub('', match[2])}</g>"

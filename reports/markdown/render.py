"""A report as markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lipbench.reports.markdown.section import Part, Report
from lipbench.reports.markdown.size_limit import REPORT_HINT, Piece, fit_to_limit
from lipbench.reports.markdown.templating import render_part


def render_markdown(
    report: Report, order: Mapping[str, str], *, limit: int | None = None, in_full: str = REPORT_HINT
) -> str:
    """Render a report.

    Args:
        report: what it is made of.
        order: kinds of its sections, see `lipbench.reports.markdown.size_limit.fit_to_limit`.
        limit: most bytes of UTF-8; None: nothing is dropped.
        in_full: where what is dropped is to be found, as a sentence.

    Returns:
        Markdown with HTML only for line breaks, small print and foldable details.
    """
    pieces = [piece for one in report.parts for piece in _pieces(one)]
    return fit_to_limit(render_part("opening", report), pieces, order, limit, in_full=in_full)


def _pieces(whole: Part) -> Iterator[Piece]:
    heading = render_part("heading", whole)
    for section in whole.sections:
        yield Piece(section.kind, render_part("section", section), heading)
        yield from (Piece("details", render_part("table", table), heading) for table in section.details)

"""A comparison of two runs as markdown, within a number of bytes."""

from __future__ import annotations

from reports.budget import Piece, fitted
from reports.formatting import escaped
from reports.provenance import provenance
from reports.templating import part
from reports.two_runs import TwoRuns
from reports.two_runs_text import PlainTable, about, sides, tables, verdict

NOTES = (
    "Quality: means over the clips that both runs scored, weighted by their protocol. B − A: paired, clip by clip, "
    "with its 95 % bootstrap interval by speaker (by clip where there is one). p: sign-flip test, Holm-corrected over "
    "all metrics of this comparison that changed; better and worse are said below 0.05 only.",
    "Latency: B / A of medians, of real utterances of sums over the same ones, with a 95 % bootstrap interval over "
    "calls or utterances. It covers the scatter within each run, not what happens from run to run: the same code "
    "timed twice can differ by more, and the intervals are not corrected for their number. lipbench gate alternates "
    "the two and decides.",
)
"""What a reader must know, as plain text."""


IN_FULL = "lipbench compare A B out=DIR writes it all."


def markdown(found: TwoRuns, *, limit: int | None = None) -> str:
    """The comparison for reading, the verdict first and the provenance of both runs last; records' words are escaped.

    Args:
        found: what was compared.
        limit: most bytes of UTF-8; sections are dropped as `reports.budget` has it. None: nothing is dropped.
    """
    opening = part(
        "compared",
        [escaped(sentence) for sentence in verdict(found)],
        [escaped(about(name, side)) for name, side in sides(found)],
        [escaped(doubt) for doubt in found.doubts],
        NOTES,
    )
    pieces = [Piece(table.kind, _table(table)) for table in tables(found)]
    for name, side in sides(found):
        traced = provenance(side.records)
        pieces.append(Piece("provenance", part("sources", f"Provenance of {name}", traced)))
        options = part("recipes", traced)
        pieces += [Piece("recipes", options)] if options else []
    return fitted(opening, pieces, limit, in_full=IN_FULL)


def _table(table: PlainTable) -> str:
    marks = (":--", *("--:" for _ in table.header[1:-1]), ":--")
    rows = [tuple(map(escaped, row)) for row in (table.header, *table.rows)]
    lines = [f"| {' | '.join(row)} |" for row in (rows[0], marks, *rows[1:])]
    return "\n".join([f"## {escaped(table.title)}", "", *lines])

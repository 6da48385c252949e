"""The part on how near our metrics come to other libraries' on fixed inputs."""

from __future__ import annotations

from lipbench.errors import UserError
from lipbench.records.calibration import Calibration
from lipbench.records.run_folder import CALIBRATION
from lipbench.reports.formatting import escape, join_words, shorten
from lipbench.reports.markdown.cells import Column, Row, Table, TableCell, listing, names
from lipbench.reports.markdown.data import ReportData
from lipbench.reports.markdown.section import Part, Section


def calibration_part(data: ReportData) -> Part | None:
    """The comparison, or why it cannot be read; None if none was made."""
    found = data.calibration
    if found is None:
        return None
    if isinstance(found, UserError):
        why = listing(("File", "Why"), [(CALIBRATION, shorten(found.problem, 500))])
        section = Section(kind="calibration", tables=[why])
        return Part(title="Calibration that could not be read", sections=[section])
    section = Section(kind="calibration", text=[calibration_note(found)], tables=[calibration_table(found)])
    return Part(title="Calibration of the metrics", sections=[section])


def calibration_table(calibration: Calibration) -> Table:
    """One row per comparison, the worst share of what is allowed first."""
    rows = sorted(calibration.rows, key=lambda row: row.difference / row.allowed, reverse=True)
    numbers = map(Column, ("Ours", "Theirs", "Difference", "Allowed"))
    return Table(
        (*names("Metric", "Setting", "Reference"), *numbers),
        tuple(
            Row(
                (
                    *map(TableCell, (row.metric, row.setting, row.source)),
                    *(TableCell(f"{value:.6g}", value) for value in (row.ours, row.reference)),
                    TableCell(f"{row.difference:.1e}", row.difference, mark=None if row.passed else "doubtful"),
                    TableCell(f"{row.allowed:.0e}", row.allowed, " relative" if row.kind == "relative" else ""),
                )
            )
            for row in rows
        ),
        "Every comparison",
    )


def calibration_note(calibration: Calibration) -> str:
    """What the table says, as one sentence of markdown."""
    failed_rows = [row for row in calibration.rows if not row.passed]
    sentence = (
        f"**{len(failed_rows)} of {len(calibration.rows)} comparisons differ by more than is allowed.**"
        if failed_rows
        else f"All {len(calibration.rows)} comparisons on fixed inputs differ by no more than is allowed."
    )
    if calibration.absent:
        sentence += f" Not installed, so not compared with: {escape(join_words(calibration.absent))}."
    return sentence

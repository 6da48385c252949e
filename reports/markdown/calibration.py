"""How near our metrics come to other libraries' on fixed inputs, as a table."""

from __future__ import annotations

from lipbench.records.calibration import Calibration
from lipbench.reports.formatting import TextTable, escaped, joined


def calibration_text(calibration: Calibration) -> TextTable:
    """One row per comparison, the worst share of what is allowed first."""
    rows = sorted(calibration.rows, key=lambda row: row.difference / row.allowed, reverse=True)
    header = ("Metric", "Setting", "Reference", "Ours", "Theirs", "Difference", "Allowed")
    return TextTable(
        header,
        tuple(
            (
                escaped(row.metric),
                escaped(row.setting),
                escaped(row.source),
                f"{row.ours:.6g}",
                f"{row.reference:.6g}",
                f"{row.difference:.1e}" if row.passed else f"**{row.difference:.1e}**",
                f"{row.allowed:.0e}" + (" relative" if row.kind == "relative" else ""),
            )
            for row in rows
        ),
    )


def calibration_note(calibration: Calibration) -> str:
    """What the table says, as one sentence of markdown."""
    failed = [row for row in calibration.rows if not row.passed]
    said = (
        f"**{len(failed)} of {len(calibration.rows)} comparisons differ by more than is allowed.**"
        if failed
        else f"All {len(calibration.rows)} comparisons on fixed inputs differ by no more than is allowed."
    )
    if calibration.absent:
        said += f" Not installed, so not compared with: {escaped(joined(calibration.absent))}."
    return said

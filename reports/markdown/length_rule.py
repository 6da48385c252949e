"""What the protocol's rule for clips of unequal length did to each system of a quality table."""

from __future__ import annotations

from lipbench.records.quality import changed_lengths, total_effect
from lipbench.reports.formatting import count, escape, number, signed
from lipbench.reports.markdown.cells import Column, Row, Table, TableCell
from lipbench.reports.tables.quality import QualityRow, QualityTable

RULES = {
    "truncate": "the longer clip loses its end",
    "resample": "frames are left out of the longer clip, evenly, until both have one length",
    "dtw": "frames are paired by what they show, in order, so one may be compared with several",
    "hold": "the shorter clip holds its last frame until the longer one ends",
}
"""What the rules do, in words; a record may name another, of a protocol that is not lipbench's."""
_EFFECTS = {
    "preds_dropped": "Generated frames left out",
    "target_dropped": "Real frames left out",
    "preds_repeated": "Generated frames compared again",
    "target_repeated": "Real frames compared again",
}


def length_table(table: QualityTable) -> Table | None:
    """The effect for reading, one row per model.

    Returns:
        None if every clip of every model has the true length.
    """
    rows = [row for row in table.models if changed_lengths(row.scores)]
    if not rows:
        return None
    shown = [name for name in _EFFECTS if any(_frames(row, name) for row in rows)]
    columns = (
        Column("Clips of another length", left=True),
        Column("Clips"),
        Column("Length", "frames, generated minus real"),
        *(Column(_EFFECTS[name], "per such clip") for name in shown),
    )
    return Table(columns, tuple(_row(row, shown) for row in table.models))


def _row(row: QualityRow, effect_names: list[str]) -> Row:
    changed_clips = changed_lengths(row.scores)
    clips = f"{len(changed_clips)} of {row.clips}"
    if not changed_clips:
        return Row(
            (TableCell(row.label), TableCell(clips, 0), *[TableCell()] * (1 + len(effect_names))), record=row.record
        )
    gaps = [clip.generated_frames - clip.frames for clip in changed_clips]
    mean = sum(gaps) / len(gaps)
    cells = (
        TableCell(row.label),
        TableCell(
            clips,
            len(changed_clips),
            lines=(f"{sum(gap > 0 for gap in gaps)} longer, {sum(gap < 0 for gap in gaps)} shorter",),
        ),
        TableCell(signed(mean, 1), mean, lines=(f"from {signed(min(gaps), 0)} to {signed(max(gaps), 0)}",)),
        *(_cell(_frames(row, name), len(changed_clips)) for name in effect_names),
    )
    return Row(cells, record=row.record)


def _cell(frames: int | None, clips: int) -> TableCell:
    if frames is None:
        return TableCell("not recorded")
    return TableCell(number(frames / clips, 2), frames / clips, lines=(f"{count(frames, 'frame')} in all",))


def _frames(row: QualityRow, name: str) -> int | None:
    effect = total_effect(row.scores)
    return None if effect is None else int(getattr(effect, name))


def length_note(table: QualityTable) -> str | None:
    """A note on the length rule, as markdown; None unless durations are predicted and the table has models."""
    if table.durations != "predicted" or not table.models:
        return None
    if length_table(table) is None:
        return "Every clip of the models has the true length, so no rule for unequal lengths was needed."
    rule = table.protocol.length
    if rule is None:
        return (
            f"Clips of another length are compared by the rule of the protocol {escape(table.protocol.name)}, which "
            "its summary under Provenance names."
        )
    words = f": {RULES[rule]}" if rule in RULES else ""
    return f"Clips of another length are compared by the rule “{escape(rule)}” of the protocol{words}."

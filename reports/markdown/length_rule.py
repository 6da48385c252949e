"""What the protocol's rule for clips of unequal length did to each system of a quality table."""

from __future__ import annotations

from lipbench.records.quality import changed_lengths, total_effect
from lipbench.reports.formatting import NOTHING, TextTable, count, escaped, number, signed, stacked
from lipbench.reports.tables.csv import _EFFECTS
from lipbench.reports.tables.quality import QualityRow, QualityTable

HEAD = "Clips of another length"
"""First column's title."""
RULES = {
    "truncate": "the longer clip loses its end",
    "resample": "frames are left out of the longer clip, evenly, until both have one length",
    "dtw": "frames are paired by what they show, in order, so one may be compared with several",
    "hold": "the shorter clip holds its last frame until the longer one ends",
}
"""What the rules do, in words; a record may name another, of a protocol that is not lipbench's."""
_UNKNOWN = "not recorded"


def length_text(table: QualityTable) -> TextTable | None:
    """The effect for reading, one row per model.

    Returns:
        None if every clip of every model has the true length.
    """
    rows = [row for row in table.models if changed_lengths(row.scores)]
    if not rows:
        return None
    shown = [name for name in _EFFECTS if any(_frames(row, name) for row in rows)]
    header = (
        HEAD,
        "Clips",
        stacked("Length", "frames, generated minus real"),
        *(stacked(_EFFECTS[name], "per such clip") for name in shown),
    )
    return TextTable(header, tuple(_row(row, shown) for row in table.models))


def _row(row: QualityRow, shown: list[str]) -> tuple[str, ...]:
    changed = changed_lengths(row.scores)
    clips = f"{len(changed)} of {row.clips}"
    if not changed:
        return (escaped(row.label), clips, *[NOTHING] * (1 + len(shown)))
    gaps = [clip.generated_frames - clip.frames for clip in changed]
    longer, shorter = sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
    sides = stacked(clips, f"{longer} longer, {shorter} shorter")
    length = stacked(signed(sum(gaps) / len(gaps), 1), f"from {signed(min(gaps), 0)} to {signed(max(gaps), 0)}")
    return (escaped(row.label), sides, length, *(_cell(row, name, len(changed)) for name in shown))


def _cell(row: QualityRow, name: str, clips: int) -> str:
    frames = _frames(row, name)
    return _UNKNOWN if frames is None else stacked(number(frames / clips, 2), f"{count(frames, 'frame')} in all")


def _frames(row: QualityRow, name: str) -> int | None:
    effect = total_effect(row.scores)
    return None if effect is None else int(getattr(effect, name))


def length_note(table: QualityTable) -> str | None:
    """Which rule it was, as one note of markdown; None where a note on it would be no news."""
    if table.durations != "predicted" or not table.models:
        return None
    if length_text(table) is None:
        return "Every clip of the models has the true length, so no rule for unequal lengths was needed."
    rule = table.protocol.length
    if rule is None:
        return (
            f"Clips of another length are compared by the rule of the protocol {escaped(table.protocol.name)}, which "
            "its summary under Provenance names."
        )
    words = f": {RULES[rule]}" if rule in RULES else ""
    return f"Clips of another length are compared by the rule “{escaped(rule)}” of the protocol{words}."

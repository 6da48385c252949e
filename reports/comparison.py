"""The paper's tables 1 to 4, row by row, with what a run has to set beside each: a value, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import pandas as pd

from benchmarks.record import Failure, MetricFacts, Quality, Record
from reports.formatting import (
    NOTHING,
    code,
    count,
    decimals_for,
    escaped,
    interval_of,
    milliseconds,
    number,
    printed,
    shortened,
    signed,
    size,
    times,
)
from reports.latency_table import LatencyTable
from reports.paper import LatencyCondition, Paper, QualityCondition, QualityEntry
from reports.quality_table import QualityRow, QualityTable
from reports.statistics import Interval
from reports.tables import Tables, TextTable, stacked

Status = Literal["reproduced", "differs", "not comparable", "undecided", "not measured", "failed", "not attempted"]

METRICS = (
    MetricFacts(name="psnr", title="PSNR", unit="dB", higher_is_better=True),
    MetricFacts(name="ssim", title="SSIM", unit="", higher_is_better=True),
    MetricFacts(name="lmd", title="LMD", unit="px", higher_is_better=False),
    MetricFacts(name="fid", title="FID", unit="", higher_is_better=False),
)
"""The paper's metrics in the order of its tables: known here for tables of which a run measured nothing."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One number of the paper and what we have for it."""

    quantity: str
    """Metric name, "latency_s" or "speedup"."""
    paper: Decimal
    status: Status
    reason: str | None = None
    """What the status rests on; None where it says everything."""
    ours: float | None = None
    interval: Interval | None = None
    n: int | None = None
    """Clips, or timed calls."""

    @property
    def difference(self) -> float | None:
        """Ours minus the paper's."""
        return None if self.ours is None else self.ours - float(self.paper)


@dataclass(frozen=True, kw_only=True)
class ComparedRow:
    """One system of one of the paper's tables."""

    label: str
    """Of our row, or the paper's name of a system that we have none of."""
    variant: str | None
    corpus: str | None
    """Of table 3, whose rows are of two corpora."""
    cells: dict[str, Compared]


@dataclass(frozen=True, kw_only=True)
class ComparedTable:
    """One of the paper's tables beside one condition of ours, or beside nothing."""

    source: str
    about: str
    """What ours was measured on, as markdown; why there is nothing, where there is not."""
    rows: list[ComparedRow]


def compare_with_paper(records: Sequence[Record], tables: Tables, paper: Paper) -> list[ComparedTable]:
    """Set a run beside every number that the paper prints in its tables 1 to 4.

    A paper's number is *reproduced* if it lies in our 95 % interval, widened by half of the number's last printed
    digit, and *differs* if not. Both are said only where the two are of one kind: quality of frames of the paper's
    size; of latency the speed-up alone, as seconds are of the machine.

    Args:
        records: of one run.
        tables: made from them.
        paper: what to compare with.

    Returns:
        One table per condition of ours that fits a table of the paper's, and one for each of those that none fits, in
        the paper's order.
    """
    found: list[ComparedTable] = []
    for condition in paper.quality:
        ours = [table for table in tables.quality if table.condition == condition]
        found += [_quality(condition, table, paper) for table in ours]
        found += [] if ours else [_no_quality(condition, records, paper)]
    timed = [t for t in tables.latency if t.batch == paper.batch and any(c.frames in t.lengths for c in paper.latency)]
    found += [_latency(table, paper) for table in timed] or [_no_latency(tables, paper)]
    return sorted(found, key=lambda table: table.source)


# Tables 1, 2 and 4 -----------------------------------------------------------------------------------------------


def _quality(condition: QualityCondition, table: QualityTable, paper: Paper) -> ComparedTable:
    rows: list[ComparedRow] = []
    for entry in condition.rows:
        ours = [row for row in table.models if row.entry == entry]
        failed = [row for row in table.rows if row.failure and row.name == entry.system and row.kind == "model"]
        rows += [_quality_row(row, entry, table, paper) for row in ours]
        if not ours:
            # which losses a cell that failed would have had is not known: it is no news of any variant
            failure = failed[0].failure if failed and entry.variant is None else None
            reason = f"{failure.type}: {failure.message}" if failure else None
            rows.append(_absent(entry, paper, "failed" if failure else "not attempted", reason))
    frames = f"{size(table.frame_size)} pixels" if table.frame_size else "frame size not recorded"
    clips = sorted({row.clips for row in table.models})
    parts = [
        f"{escaped(paper.corpora[condition.corpus])}, {condition.durations} durations",
        f"{escaped(table.corpus.split)} split",
        " or ".join(count(n, "clip") for n in clips),
        count(table.speakers, "speaker") if table.speakers else "speakers not known",
        frames,
        f"protocol **{escaped(table.protocol.name)}** {code(table.protocol.fingerprint[:12])}",
    ]
    return ComparedTable(source=condition.source, about="; ".join(part for part in parts if part), rows=rows)


def _quality_row(row: QualityRow, entry: QualityEntry, table: QualityTable, paper: Paper) -> ComparedRow:
    cells = {name: _quality_cell(row, name, value, table, paper) for name, value in entry.values.items()}
    return ComparedRow(label=row.label, variant=entry.variant, corpus=None, cells=cells)


def _quality_cell(row: QualityRow, name: str, value: Decimal, table: QualityTable, paper: Paper) -> Compared:
    cell = row.cells.get(name)
    if cell is None or math.isnan(cell.mean.value):
        reason = row.not_measured.get(name) or (cell.mean.reason if cell else None)
        asked = reason or "the metric was not asked for"
        return Compared(quantity=name, paper=value, status="not measured", reason=asked)
    mean = cell.mean
    if row.untrained:
        status, reason = "not comparable", "untrained"
    elif table.frame_size != paper.frame_size:
        here = size(table.frame_size) if table.frame_size else "unknown size"
        status, reason = "not comparable", f"frames of {here}"
    else:
        status, reason = _decide(mean.interval, value)
        reason = mean.reason or reason
    return Compared(
        quantity=name, paper=value, status=status, reason=reason, ours=mean.value, interval=mean.interval, n=mean.n
    )


def _decide(interval: Interval | None, value: Decimal) -> tuple[Status, str | None]:
    """Whether a printed number lies within an interval of ours."""
    if interval is None:
        return "undecided", "no interval"
    digits = value.as_tuple().exponent
    half = 0.5 * 10.0**digits if isinstance(digits, int) else 0.0
    inside = interval.low - half <= float(value) <= interval.high + half
    return ("reproduced", "within our interval") if inside else ("differs", None)


def _absent(entry: QualityEntry, paper: Paper, status: Status, reason: str | None = None) -> ComparedRow:
    cells = {n: Compared(quantity=n, paper=value, status=status, reason=reason) for n, value in entry.values.items()}
    return ComparedRow(label=paper.systems[entry.system], variant=entry.variant, corpus=None, cells=cells)


def _no_quality(condition: QualityCondition, records: Sequence[Record], paper: Paper) -> ComparedTable:
    place = f"{escaped(paper.corpora[condition.corpus])}, {condition.durations} durations"
    splits = {
        record.result.corpus.split
        for record in records
        if isinstance(record.result, Quality)
        and (record.result.corpus.name, record.result.durations) == (condition.corpus, condition.durations)
    }
    why = "scored here on another split than the paper's" if splits else "nothing was scored here"
    rows = [_absent(entry, paper, "not attempted") for entry in condition.rows]
    return ComparedTable(source=condition.source, about=f"{place}: {why}", rows=rows)


# Table 3 ---------------------------------------------------------------------------------------------------------


def _latency(table: LatencyTable, paper: Paper) -> ComparedTable:
    rows: list[ComparedRow] = []
    for condition in paper.latency:
        for entry in condition.rows:
            shown = [row for row in table.rows if row.name == entry.system and condition.frames in row.cells]
            rows += [_latency_row(table, label=row.label, system=entry.system, of=condition, paper=paper)
                     for row in shown]  # fmt: skip
            if not shown:
                rows.append(_latency_row(table, label=None, system=entry.system, of=condition, paper=paper))
    parts = [table.hardware, table.device.upper(), table.dtype, f"preset {table.preset}" if table.preset else ""]
    about = f"{', '.join(part for part in parts if part)} (the paper: {paper.hardware})"
    return ComparedTable(source=paper.latency[0].source, about=escaped(about), rows=rows)


def _latency_row(
    table: LatencyTable | None, *, label: str | None, system: str, of: LatencyCondition, paper: Paper
) -> ComparedRow:
    entry = next(row for row in of.rows if row.system == system)
    row = next((r for r in table.rows if r.label == label), None) if table and label else None
    corpus = f"{paper.corpora[of.corpus]}, {of.frames} frames"
    values = {"latency_s": entry.latency_s, "speedup": entry.speedup}
    if row is None or of.frames not in row.measured:
        failure = row.cells.get(of.frames) if row else None
        status: Status = "failed" if isinstance(failure, Failure) else "not attempted"
        reason = f"{failure.type}: {failure.message}" if isinstance(failure, Failure) else None
        cells = {n: Compared(quantity=n, paper=v, status=status, reason=reason) for n, v in values.items()}
        return ComparedRow(label=label or paper.systems[system], variant=None, corpus=corpus, cells=cells)
    cell = row.measured[of.frames]
    seconds = Compared(
        quantity="latency_s", paper=entry.latency_s, status="not comparable", reason="another machine",
        ours=cell.wall.median, interval=cell.wall.interval, n=cell.wall.n,
    )  # fmt: skip
    if cell.speedup is None:
        why = "the baseline was not measured at this length"
        ratio = Compared(quantity="speedup", paper=entry.speedup, status="not measured", reason=why)
    elif system == paper.baseline:
        ratio = Compared(
            quantity="speedup", paper=entry.speedup, status="not comparable", reason="1 by definition",
            ours=cell.speedup.value, n=cell.wall.n,
        )  # fmt: skip
    else:
        status, reason = _decide(cell.speedup.interval, entry.speedup)
        ratio = Compared(
            quantity="speedup", paper=entry.speedup, status=status, reason=reason,
            ours=cell.speedup.value, interval=cell.speedup.interval, n=cell.wall.n,
        )  # fmt: skip
    return ComparedRow(label=row.label, variant=None, corpus=corpus, cells={"latency_s": seconds, "speedup": ratio})


def _no_latency(tables: Tables, paper: Paper) -> ComparedTable:
    lengths = " or ".join(str(condition.frames) for condition in paper.latency)
    why = f"nothing was timed here at {lengths} frames and a batch of {paper.batch}" if tables.latency else (
        "nothing was timed here"
    )  # fmt: skip
    rows = [
        _latency_row(None, label=None, system=entry.system, of=condition, paper=paper)
        for condition in paper.latency
        for entry in condition.rows
    ]
    return ComparedTable(source=paper.latency[0].source, about=why, rows=rows)


# As text and for programs ----------------------------------------------------------------------------------------

_HEADS = {
    **{m.name: stacked(f"{m.title} {'↑' if m.higher_is_better else '↓'}", m.unit) for m in METRICS},
    "latency_s": stacked("Latency ↓", "ms"),
    "speedup": stacked("Speed-up ↑", "times as fast as the baseline"),
}


def comparison_text(table: ComparedTable) -> TextTable:
    """A comparison for reading: ours large; its interval, the paper's value and the status small beneath it."""
    names = [name for name in _HEADS if any(name in row.cells for row in table.rows)]
    first = escaped(table.source)
    rows = []
    for row in table.rows:
        title = stacked(escaped(row.label), *(escaped(part) for part in (row.variant, row.corpus) if part))
        rows.append((title, *(_text(row.cells.get(name), _decimals(table, name)) for name in names)))
    return TextTable((first, *(_HEADS[name] for name in names)), tuple(rows))


def _decimals(table: ComparedTable, name: str) -> int:
    cells = [row.cells[name] for row in table.rows if name in row.cells]
    return decimals_for(value for cell in cells for value in (cell.ours or 0.0, float(cell.paper)))


def _text(cell: Compared | None, decimals: int) -> str:
    if cell is None:
        return NOTHING
    status = escaped(cell.status if cell.reason is None else f"{cell.status}: {shortened(cell.reason, 40)}")
    status = f"**{status}**" if cell.status == "differs" else status
    if cell.quantity == "latency_s":
        paper = f"*paper {printed(cell.paper.scaleb(3))}*"
        ours = None if cell.ours is None else milliseconds(cell.ours)
        return stacked(ours or NOTHING, paper, status)
    if cell.quantity == "speedup":
        ours = None if cell.ours is None else times(cell.ours)
        around = f"[{times(cell.interval.low)}, {times(cell.interval.high)}]" if cell.interval else None
        return stacked(ours or NOTHING, around, f"*paper {printed(cell.paper)}×*", status)
    if cell.ours is None or cell.difference is None:
        return stacked(NOTHING, f"*paper {printed(cell.paper)}*", status)
    beside = f"*paper {printed(cell.paper)} ({signed(cell.difference, decimals)})*"
    return stacked(number(cell.ours, decimals), interval_of(cell.interval, decimals), beside, status)


def comparison_frame(tables: Iterable[ComparedTable]) -> pd.DataFrame:
    """All comparisons for programs: one row per number of the paper."""
    return pd.DataFrame(
        {
            "source": table.source,
            "system": row.label,
            "variant": row.variant,
            "corpus": row.corpus,
            "quantity": cell.quantity,
            "ours": cell.ours,
            "low": cell.interval.low if cell.interval else None,
            "high": cell.interval.high if cell.interval else None,
            "n": cell.n,
            "paper": float(cell.paper),
            "difference": cell.difference,
            "status": cell.status,
            "reason": cell.reason,
        }
        for table in tables
        for row in table.rows
        for cell in row.cells.values()
    )


COMPARISON_NOTES = (
    "Every number of the paper's tables 1 to 4 has its place here. Differences: ours minus the paper's.",
    "Reproduced: the paper's number, with the rounding of its last digit, lies in our 95 % interval. Differs: it does "
    "not. Undecided: too little was measured for an interval. The paper states neither intervals nor its metric "
    "protocol, so neither word says more than that.",
    "Not comparable: quality of frames that are not of the paper's size or of random weights; seconds on another "
    "machine. Of latency the speed-up alone is judged.",
)
"""What a reader must know of the comparison, as markdown."""

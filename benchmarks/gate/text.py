"""A decision as lines for a terminal and as markdown for a job's summary."""

from __future__ import annotations

from collections.abc import Sequence

from lipbench.benchmarks.gate.verdict import VERDICT_ORDER, Decision, Finding, Verdict

NEXT_STEPS = {
    Verdict.FAIL: "Look at the cells above. If the change is meant to cost this, raise the margin in the same change",
    Verdict.NOT_MEASURED: "Nothing is known of the cells above: mend what their reasons name, and run it again",
    Verdict.AMBIGUOUS: "Run it again on a calmer machine, or with more pairs; strict=true turns this into a failure",
}
ROWS = 40
"""Rows of the table; a whole sweep that failed for one reason needs no more."""


def headline(decision: Decision, *, strict: bool) -> str:
    """The verdict in one line."""
    counts = decision.counts()
    parts = [f"{counts[verdict]} {verdict.value}" for verdict in VERDICT_ORDER if counts[verdict]]
    verdict = decision.verdict.value.upper()
    if strict and decision.verdict is Verdict.AMBIGUOUS:
        verdict = f"{Verdict.FAIL.value.upper()} (strict: ambiguous)"
    return f"gate: {verdict}: {', '.join(parts) or 'nothing was compared'}, of {len(decision.findings)} checks"


def lines(decision: Decision, *, strict: bool) -> list[str]:
    """Verdict, offending cells, notes, what to do next."""
    text = [headline(decision, strict=strict)]
    listed_findings = decision.offending[:ROWS]
    if listed_findings:
        text.append("")
        text += _columns([("check", "verdict", "where", "change", "allowed", "reason"), *map(_row, listed_findings)])
    text += _rest(decision)
    text += ["", *(f"note: {note}" for note in decision.notes)] if decision.notes else []
    text += ["", f"next: {NEXT_STEPS[decision.verdict]}"] if decision.verdict in NEXT_STEPS else []
    return text


def markdown(decision: Decision, *, strict: bool) -> str:
    """The same as markdown, with what passed folded away."""
    text = [f"### {headline(decision, strict=strict)}", ""]
    if decision.offending:
        text += [*_table(decision.offending[:ROWS]), *_rest(decision), ""]
    text += [f"* {note}" for note in decision.notes]
    if decision.verdict in NEXT_STEPS:
        text += ["", f"**Next:** {NEXT_STEPS[decision.verdict]}"]
    passed = [finding for finding in decision.findings if finding.verdict is Verdict.PASS]
    if passed:
        text += [
            "",
            f"<details><summary>{len(passed)} checks passed</summary>",
            "",
            *_table(passed[:200]),
            "",
            "</details>",
        ]
    return "\n".join(text) + "\n"


def _rest(decision: Decision) -> list[str]:
    more = len(decision.offending) - ROWS
    return [f"… and {more} more"] if more > 0 else []


def _row(finding: Finding) -> tuple[str, ...]:
    return (
        finding.check,
        finding.verdict.value,
        finding.place,
        finding.change or "–",
        finding.allowed or "–",
        finding.reason,
    )


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _table(findings: Sequence[Finding]) -> list[str]:
    rows = [
        "| " + " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in _row(finding)) + " |"
        for finding in findings
    ]
    return ["| check | verdict | where | change | allowed | reason |", "|---|---|---|---|---|---|", *rows]

"""Whether the same weights still make the same frames. Bit for bit passes; so does what differs by rounding only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lipbench.benchmarks.gate.deciding.manifest import MatchedCell
from lipbench.benchmarks.gate.verdict import Finding, Margins, Verdict, cell_label
from lipbench.records.latency import Latency
from lipbench.records.quality import Quality


def judge_frames(cells: Sequence[MatchedCell], margins: Margins) -> tuple[list[Finding], list[str]]:
    """Compare what the timed calls of every latency cell made.

    Returns:
        One finding per cell whose frames both sides kept a digest of, and notes on the others.
    """
    scored_systems = {
        comparable.cell.system for comparable in cells if isinstance(comparable.matched[0][0].result, Quality)
    }
    findings: list[Finding] = []
    uncompared: list[str] = []
    for comparable in cells:
        base, head = ([p[side].result for p in comparable.matched] for side in (0, 1))
        before, after = ([result for result in side if isinstance(result, Latency)] for side in (base, head))
        if not before or not after:
            continue
        weighed = _weigh_frames(before, after, comparable.cell.system in scored_systems, margins)
        if weighed is None:
            uncompared.append(cell_label(comparable.cell))
            continue
        verdict, reason, change = weighed
        findings.append(
            Finding(
                check="costs",
                place=f"frames of {cell_label(comparable.cell)}",
                verdict=verdict,
                reason=reason,
                change=change,
                allowed=f"{margins.output_tolerance:g}",
                cell=comparable.cell,
            )
        )
    return findings, [
        f"frames are not compared, no digests or other weights: {', '.join(uncompared)}"
    ] if uncompared else []


def _weigh_frames(
    before: Sequence[Latency], after: Sequence[Latency], is_scored: bool, margins: Margins
) -> tuple[Verdict, str, str] | None:
    """Verdict, reason and difference; None where nothing can be said."""
    digests = [{digest for result in side for digest in result.outputs} for side in (before, after)]
    if digests[0] and digests[0] == digests[1]:
        return Verdict.PASS, "bit for bit as before", "0"
    if not all(result.sketch for result in (*before, *after)):
        return None
    base, head = (np.array([result.sketch for result in side]) for side in (before, after))
    if max(_largest_rms(side, side[0]) for side in (base, head)) > margins.output_tolerance:
        return Verdict.AMBIGUOUS, "they should be the same in every process, and are not", ""
    distance = _largest_rms(head, base[0])
    if distance <= margins.output_tolerance:
        return Verdict.PASS, "as before, but for rounding", f"{distance:.2g}"
    if len({result.system.checkpoint for result in (*before, *after)}) > 1:
        return None
    if is_scored:
        return Verdict.PASS, "the same weights make other frames, whose quality is judged", f"{distance:.2g}"
    return Verdict.FAIL, "the same weights make other frames, and no quality of them is measured", f"{distance:.2g}"


def _largest_rms(sketches: np.ndarray, sketch: np.ndarray) -> float:
    """The largest root mean square difference of any of some sketches from another."""
    return float(np.sqrt(((sketches - sketch) ** 2).mean(axis=1)).max())

"""Quality: the same clips on both sides, clip by clip, and a loss that was declared beforehand to be small enough.

A loss is not proved absent by not being significant, so a metric passes only when its interval ends below the margin
(non-inferiority), and fails only when the interval begins above it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lipbench.benchmarks.gate.deciding.estimate import ALPHA
from lipbench.benchmarks.gate.deciding.manifest import MatchedCell
from lipbench.benchmarks.gate.verdict import Finding, Margins, Verdict, cell_label
from lipbench.records.quality import ClipScore, MetricFacts, Quality
from lipbench.records.record import Cell
from lipbench.statistics.intervals import MIN_CLUSTERS
from lipbench.statistics.paired import Difference, correct_family, paired_difference


@dataclass(frozen=True, kw_only=True)
class QualityLoss:
    """One metric of one cell. Signs are such that above 0 is worse, in the metric's unit."""

    cell: Cell
    facts: MetricFacts
    margin: float
    implausible: float
    """Gain beyond which something else was probably scored."""
    beyond: Difference
    """Loss minus margin."""


def judge(cells: Sequence[MatchedCell], margins: Margins) -> tuple[list[Finding], list[str]]:
    """Decide about every quality cell, all metrics of all cells one family.

    Returns:
        Findings, and notes on metrics that cannot be gated.
    """
    findings: list[Finding] = []
    notes: dict[str, str] = {}
    losses: list[QualityLoss] = []
    for comparable in cells:
        base, head = (record.result for record in comparable.matched[0])
        if not isinstance(base, Quality) or not isinstance(head, Quality):
            continue
        if base.clips == head.clips and base.corpus_scores == head.corpus_scores:
            findings.append(_finding(comparable.cell, None, Verdict.PASS, "every clip scores exactly as before"))
            continue
        absent = _absent(base, head)
        if absent:
            findings.append(_finding(comparable.cell, None, Verdict.NOT_MEASURED, absent))
            continue
        for facts in base.metrics:
            reason = _ungated(facts, base)
            if reason:
                notes[facts.name] = f"{facts.title} is not gated: {reason}"
                continue
            loss_or_finding = _loss(comparable.cell, facts, base, head, margins)
            if isinstance(loss_or_finding, QualityLoss):
                losses.append(loss_or_finding)
            else:
                findings.append(loss_or_finding)
    family = correct_family([loss.beyond for loss in losses])
    findings += [_weigh(replace(loss, beyond=beyond)) for loss, beyond in zip(losses, family, strict=True)]
    return findings, list(notes.values())


def _ungated(facts: MetricFacts, base: Quality) -> str | None:
    if facts.per == "corpus":
        return "all clips together have one value, which has no spread to judge a change by"
    if facts.higher_is_better is None and facts.perfect is None:
        return "it has no direction"
    return None if base.values(facts.name) else "no clip of base has a value"


def _absent(base: Quality, head: Quality) -> str | None:
    """Why head's scores are incomplete: clips or values that base has and head lacks."""
    after = {clip.utterance: clip for clip in head.clips}
    missing_clips = sorted(clip.utterance for clip in base.clips if clip.utterance not in after)
    if missing_clips:
        return f"head scored {len(missing_clips)} clips fewer than base, {missing_clips[0]} among them"
    missing_values = sorted(
        (metric, clip.utterance)
        for clip in base.clips
        for metric in clip.values
        if metric not in after[clip.utterance].values
    )
    if missing_values:
        metric, utterance = missing_values[0]
        reason = after[utterance].missing.get(metric) or head.not_measured.get(metric) or "it does not say why"
        return f"head lacks {len(missing_values)} values that base has, the first {metric} of {utterance}: {reason}"
    return None


def _loss(cell: Cell, facts: MetricFacts, base: Quality, head: Quality, margins: Margins) -> QualityLoss | Finding:
    """How much worse each clip became; a finding at once where a perfect value was lost."""
    after = {clip.utterance: clip for clip in head.clips}
    losses = {
        clip.utterance: _worse(facts, clip, after[clip.utterance]) for clip in base.clips if facts.name in clip.values
    }
    no_longer_perfect = sorted(utterance for utterance, loss in losses.items() if loss == math.inf)
    if no_longer_perfect:
        return _finding(
            cell,
            facts,
            Verdict.FAIL,
            f"{len(no_longer_perfect)} clips were perfect and are no longer, {no_longer_perfect[0]} among them",
        )
    newly_perfect = sorted(utterance for utterance, loss in losses.items() if loss == -math.inf)
    if newly_perfect:
        clips = f"{len(newly_perfect)} clips became perfect, {newly_perfect[0]} among them"
        reason = f"{clips}: is the truth scored against itself?"
        return _finding(cell, facts, Verdict.AMBIGUOUS, reason)
    mean = base.mean(facts.name)
    share = margins.quality_margin * abs(mean) if mean is not None and math.isfinite(mean) else 0.0
    margin = margins.quality_margins.get(facts.name, share)
    speakers = _clusters(base.clips)
    excess_losses = {utterance: loss - margin for utterance, loss in losses.items()}
    beyond = paired_difference(excess_losses, dict.fromkeys(excess_losses, 0.0), speakers, seed=margins.seed)
    return QualityLoss(
        cell=cell, facts=facts, margin=margin, implausible=_implausible(facts, mean, margins.implausible), beyond=beyond
    )


def _implausible(facts: MetricFacts, mean: float | None, share: float) -> float:
    """The gain that takes away a share of base's error, in the metric's unit; infinite where base has none to lose.

    The error is the distance to a perfect score, and of decibels the root of the mean square that they stand for.
    """
    if facts.unit == "dB":
        return -20 * math.log10(1 - share)
    if mean is None or not math.isfinite(mean):
        return math.inf
    perfect = facts.perfect if facts.perfect is not None and math.isfinite(facts.perfect) else 0.0
    return share * abs(mean - perfect) or math.inf


def _clusters(clips: Sequence[ClipScore]) -> dict[str, str]:
    """Utterance to what is resampled with it as a whole: its speaker, or nothing where there are few of them.

    Few speakers say nothing of others; the gate then answers for these clips alone, which is what it is asked.
    """
    few = len({clip.speaker for clip in clips}) < MIN_CLUSTERS
    return {clip.utterance: "" if few else clip.speaker for clip in clips}


def _worse(facts: MetricFacts, base: ClipScore, head: ClipScore) -> float:
    """How much worse a clip became, in the metric's unit; 0 where both are alike, infinite ones too."""
    before, after = base.values[facts.name], head.values[facts.name]
    if before == after:
        return 0.0
    if facts.higher_is_better is None:
        assert facts.perfect is not None
        return abs(after - facts.perfect) - abs(before - facts.perfect)
    return before - after if facts.higher_is_better else after - before


def _weigh(loss: QualityLoss) -> Finding:
    beyond = loss.beyond
    value = beyond.value + loss.margin
    allowed = f"{loss.margin:+.3g}"
    if beyond.interval is None:
        value_text = f"{value:+.3g}"
        if value == 0 and loss.margin >= 0:
            return _finding(loss.cell, loss.facts, Verdict.PASS, "no clip changed", value_text, allowed)
        reason = f"{beyond.n} clips by {beyond.clusters} {beyond.unit}s are too few: {MIN_CLUSTERS} are needed"
        return _finding(loss.cell, loss.facts, Verdict.AMBIGUOUS, reason, value_text, allowed)
    low, high = beyond.interval.low + loss.margin, beyond.interval.high + loss.margin
    value_text = f"{value:+.3g} [{low:+.3g}, {high:+.3g}] over {beyond.n} clips"
    if beyond.interval.low > 0 and beyond.p_holm is not None and beyond.p_holm < ALPHA:
        verdict, reason = Verdict.FAIL, "worse by more than the margin"
    elif high < -loss.implausible:
        verdict, reason = Verdict.AMBIGUOUS, "better by more than is plausible: is the same still scored?"
    elif beyond.interval.high <= 0:
        verdict, reason = Verdict.PASS, "no worse than the margin"
    else:
        verdict, reason = Verdict.AMBIGUOUS, "the clips scatter too much to rule out a loss beyond the margin"
    return _finding(loss.cell, loss.facts, verdict, reason, value_text, allowed)


def _finding(
    cell: Cell, facts: MetricFacts | None, verdict: Verdict, reason: str, change: str = "", allowed: str = ""
) -> Finding:
    place = cell_label(cell) if facts is None else f"{facts.title} of {cell_label(cell)}"
    if change and facts is not None and facts.unit:
        change = f"{change} ({facts.unit})"
    return Finding(
        check="quality", place=place, verdict=verdict, reason=reason, change=change, allowed=allowed, cell=cell
    )

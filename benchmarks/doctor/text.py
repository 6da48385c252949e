"""The doctor's findings as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lipbench.benchmarks.doctor.diagnosis import Check, Noise
from lipbench.benchmarks.doctor.noise import POWER

STATES = {"ok": "ok", "warning": "warning", "problem": "PROBLEM", None: "unknown"}
WIDTH = 14
"""Of a check's name."""


def table(checks: Sequence[Check]) -> list[str]:
    """One line per check, and one more with the way out where there is something to mend."""
    lines: list[str] = []
    for check in checks:
        lines.append(f"{STATES[check.state]:<8} {check.name:<{WIDTH}}  {check.finding}")
        if check.remedy is not None:
            lines.append(f"{'':<8} {'':<{WIDTH}}  -> {check.remedy}")
    return lines


def noise_lines(noise: Noise) -> list[str]:
    """The result of an A/A run, in sentences."""
    measured, round_seconds = noise.resolution, noise.seconds / noise.resolution.rounds
    isolation = "each block in a process of its own" if noise.isolated else "all in one process"
    lines = [
        f"A/A run: {noise.work} on {noise.device}, {measured.rounds} rounds by turns in {noise.seconds:.0f} s, "
        f"{isolation}: "
        f"difference {noise.difference:+.2%} [{noise.difference_low:+.2%}, {noise.difference_high:+.2%}]",
        f"on this machine a paired run of {measured.rounds} rounds resolves {measured.share:.1%} "
        f"[{measured.low:.1%}, {measured.high:.1%}]: a slowdown of that size is told from chance in {POWER:.0%} of "
        "runs",
    ]
    lines += [
        f"to resolve {target.share:.0%} takes {target.rounds} rounds [{target.low}, {target.high}], "
        f"{_lasts(target.rounds * round_seconds)}"
        for target in noise.needed
    ]
    return lines


def summary(checks: Sequence[Check]) -> str:
    """The number of checks in each state."""
    counts = Counter(STATES[check.state] for check in checks)
    return "doctor: " + ", ".join(f"{counts[word]} {word}" for word in STATES.values() if counts[word])


def _lasts(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

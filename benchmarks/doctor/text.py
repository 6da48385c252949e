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
    """What an A/A run says, in sentences."""
    found, each = noise.resolution, noise.seconds / noise.resolution.rounds
    where = "each block in a process of its own" if noise.isolated else "all in one process"
    lines = [
        f"A/A run: {noise.work} on {noise.device}, {found.rounds} rounds by turns in {noise.seconds:.0f} s, {where}: "
        f"difference {noise.difference:+.2%} [{noise.difference_low:+.2%}, {noise.difference_high:+.2%}]",
        f"on this machine a paired run of {found.rounds} rounds resolves {found.share:.1%} "
        f"[{found.low:.1%}, {found.high:.1%}]: a slowdown of that size is told from chance in {POWER:.0%} of runs",
    ]
    lines += [
        f"to resolve {one.share:.0%} takes {one.rounds} rounds [{one.low}, {one.high}], {_lasts(one.rounds * each)}"
        for one in noise.needed
    ]
    return lines


def summary(checks: Sequence[Check]) -> str:
    """How many of each."""
    counted = Counter(STATES[check.state] for check in checks)
    return "doctor: " + ", ".join(f"{counted[word]} {word}" for word in STATES.values() if counted[word])


def _lasts(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

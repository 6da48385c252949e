"""The timing room: the only place that reads a clock around a model.

Raw samples are returned; statistics are the reports' business.
"""

from __future__ import annotations

from lipbench.benchmarks.timing.clock import Budget, Call, LiveClock, Stopwatch, WarmUp, rounds, warm_up
from lipbench.benchmarks.timing.turns import TurnClient

__all__ = ["Budget", "Call", "LiveClock", "Stopwatch", "TurnClient", "WarmUp", "rounds", "warm_up"]

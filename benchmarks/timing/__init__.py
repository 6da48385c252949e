"""The timing room: the only place that reads a clock around a model.

Raw samples are returned; statistics are the reports' business.
"""

from __future__ import annotations

from benchmarks.timing.clock import Call, LiveClock, Stopwatch
from benchmarks.timing.turns import Turns
from benchmarks.timing.warm_up import Budget, WarmUp, rounds, warm_up

__all__ = ["Budget", "Call", "LiveClock", "Stopwatch", "Turns", "WarmUp", "rounds", "warm_up"]

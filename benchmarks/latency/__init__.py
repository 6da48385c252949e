"""Timing one model at one length: input, variant, warm-up, rounds, and what is measured in passes of its own."""

from __future__ import annotations

from lipbench.benchmarks.latency.cell import Prepared, prepare, request_for, request_of
from lipbench.benchmarks.latency.outputs import VoidError
from lipbench.records.latency import Latency

__all__ = ["Latency", "Prepared", "VoidError", "prepare", "request_for", "request_of"]

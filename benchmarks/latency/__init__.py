"""Timing one model at one length: input, variant, warm-up, rounds, and what is measured in passes of its own."""

from __future__ import annotations

from benchmarks.latency.cell import Prepared, prepare, request_of
from benchmarks.latency.outputs import VoidError
from benchmarks.record import Latency

__all__ = ["Latency", "Prepared", "VoidError", "prepare", "request_of"]

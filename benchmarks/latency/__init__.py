"""Timing one model at one length: input, variant, warm-up, rounds, and what is measured in passes of its own."""

from __future__ import annotations

from lipbench.benchmarks.latency.cell import PreparedCell, prepare_cell, random_request, request_for
from lipbench.benchmarks.latency.outputs import OutputMismatchError
from lipbench.records.latency import Latency

__all__ = ["Latency", "OutputMismatchError", "PreparedCell", "prepare_cell", "random_request", "request_for"]

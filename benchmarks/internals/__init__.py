"""Benchmarks of lipbench itself."""

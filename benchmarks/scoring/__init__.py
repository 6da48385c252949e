"""Scoring: a system's clips against the truth, metric by metric, clip by clip."""

"""Checks that the metrics rank as they must."""

"""Cells of a run: planned, loaded, run and recorded one by one."""

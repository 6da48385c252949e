"""`lipbench doctor`: whether this machine can measure, and how small a difference it can tell from chance."""

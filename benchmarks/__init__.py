"""Running, timing, recording: the one room that puts all others together."""

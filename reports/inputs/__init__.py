"""What a run left, read."""

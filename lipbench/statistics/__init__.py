"""Statistics derived from records, never stored."""

"""The gate: whether a change made anything slower, worse or costlier, decided from records of two revisions."""

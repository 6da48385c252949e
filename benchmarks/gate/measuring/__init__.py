"""The gate's measurements: two revisions, block by block in turns."""

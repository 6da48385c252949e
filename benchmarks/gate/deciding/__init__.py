"""The gate's verdict from two sets of records."""

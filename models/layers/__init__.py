"""Building blocks that HH-T2L and its rivals share."""

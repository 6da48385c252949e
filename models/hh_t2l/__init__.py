"""HH-T2L: the paper's parallel text-to-lip model."""

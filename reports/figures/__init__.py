"""Figures: from a report's tables to PNG and SVG, one module per figure.

`style` holds what they share. Nothing here reads a record or a file.
"""

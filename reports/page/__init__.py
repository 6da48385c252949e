"""The report as one HTML page: tables, clips, and the way from every number to its record."""

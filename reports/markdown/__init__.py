"""Words and tables of a report: data, and its rendering as markdown."""

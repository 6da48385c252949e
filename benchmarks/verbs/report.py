"""`lipbench report`: render a run's records."""

from __future__ import annotations

from benchmarks.config import Report


def run(request: Report) -> None:
    """Render, and print where the report lies."""
    from reports.render import render

    rendered = render(request.run, request.out, clips=request.clips)
    print(f"report: {rendered.markdown}")
    print(f"        {rendered.html}")

"""`lipbench report`: render a run's records."""

from __future__ import annotations

import sys

from lipbench.benchmarks.config.requests import Report


def run(request: Report) -> None:
    """Render, and print where the report lies and which records are not in it."""
    from lipbench.reports.files import Summary
    from lipbench.reports.markdown.size_limit import LIMITS
    from lipbench.reports.render import render

    limit = LIMITS[request.limit] if isinstance(request.limit, str) else request.limit
    summary = Summary(request.summary, limit) if request.summary else None
    rendered = render(request.run, request.out, clips=request.clips, summary=summary)
    for one in rendered.unread:
        print(f"lipbench: not in the report: {one.problem}", file=sys.stderr)
    print(f"report: {rendered.markdown}")
    print(f"        {rendered.html}")
    if rendered.summary is not None:
        print(f"summary: {rendered.summary}")

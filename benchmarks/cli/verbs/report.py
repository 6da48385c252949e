"""`lipbench report`: render a run's records."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import Field

from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import Limit, Request


class ReportRequest(Request):
    """`lipbench report`."""

    run: Path
    out: Path | None
    clips: int = Field(ge=0)
    summary: Path | None
    limit: Limit


def run(request: ReportRequest) -> None:
    """Render, and print where the report lies and which records are not in it."""
    from lipbench.reports.files import SummaryTarget
    from lipbench.reports.markdown.size_limit import LIMITS
    from lipbench.reports.render import render

    limit = LIMITS[request.limit] if isinstance(request.limit, str) else request.limit
    summary = SummaryTarget(request.summary, limit) if request.summary else None
    report_files = render(request.run, request.out, clips=request.clips, summary=summary)
    for unread_file in report_files.unread:
        print(f"lipbench: not in the report: {unread_file.problem}", file=sys.stderr)
    print(f"report: {report_files.markdown}")
    print(f"        {report_files.html}")
    if report_files.summary is not None:
        print(f"summary: {report_files.summary}")


VERB = Verb(
    summary="render a run's records as markdown and HTML, with the paper's values beside ours",
    examples=(
        "lipbench report runs/bench",
        "lipbench report runs/grid out=report",
        "lipbench report runs/grid summary=$GITHUB_STEP_SUMMARY   # what a step summary holds, the verdict first",
        "lipbench report runs/grid summary=comment.md limit=comment",
    ),
    place=100,
    request=ReportRequest,
    run=run,
    positional=("run",),
)

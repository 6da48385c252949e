"""`lipbench compare`: two runs side by side."""

from __future__ import annotations

from pathlib import Path

from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import Limit, Request
from lipbench.errors import UserError
from lipbench.files import save_text


class CompareRequest(Request):
    """`lipbench compare`."""

    a: Path
    b: Path
    out: Path | None
    summary: Path | None
    limit: Limit


def run(request: CompareRequest) -> None:
    """Print what differs; write it as markdown and CSV where `out` is given, and within a limit to `summary`."""
    from lipbench.reports.compare.runs import compare_runs
    from lipbench.reports.compare.text import markdown, quality_frame, terminal_lines, time_frame
    from lipbench.reports.files import SummaryTarget, append_summary
    from lipbench.reports.markdown.size_limit import LIMITS

    comparison = compare_runs(request.a, request.b)
    print("\n".join(terminal_lines(comparison)))
    if request.out is not None:
        frames = {
            "quality": quality_frame(comparison),
            "latency": time_frame(comparison.latency),
            "natural": time_frame(comparison.natural),
        }
        for name, frame in frames.items():
            save_text(frame.to_csv(index=False), request.out / f"{name}.csv", "the table")
        print(f"comparison: {save_text(markdown(comparison), request.out / 'compare.md', 'the comparison')}")
    if request.summary is not None:
        limit = LIMITS[request.limit] if isinstance(request.limit, str) else request.limit
        try:
            append_summary(
                SummaryTarget(request.summary, limit), lambda max_bytes: markdown(comparison, limit=max_bytes)
            )
        except OSError as error:
            raise UserError(
                f"the summary cannot be written: {request.summary}: {error.strerror or error}",
                remedy="Give another file (summary=…), or make room there",
            ) from error
        print(f"summary: {request.summary}")


VERB = Verb(
    summary="set two runs side by side: paired differences of quality, ratios of latency; for a verdict see gate",
    examples=(
        "lipbench compare runs/before runs/after",
        "lipbench compare runs/before runs/after out=runs/after/compare   # also compare.md and CSV files",
        "lipbench compare runs/before runs/after summary=comment.md limit=comment",
        "# compared are cells of one model, preset, options, corpus, split, durations; length, batch, device",
        "# ends with 0 whatever differs, with 2 if nothing can be compared: unlike protocols, no cell in both",
    ),
    place=110,
    request=CompareRequest,
    run=run,
    positional=("a", "b"),
)

"""`lipbench compare`: two runs side by side."""

from __future__ import annotations

from benchmarks.config import Compare
from benchmarks.record_files import save_whole


def run(request: Compare) -> None:
    """Print what differs; write it as markdown and CSV where `out` is given."""
    from reports.two_runs import compare_runs
    from reports.two_runs_text import markdown, quality_frame, terminal, time_frame

    found = compare_runs(request.a, request.b)
    print("\n".join(terminal(found)))
    if request.out is None:
        return
    frames = {
        "quality": quality_frame(found),
        "latency": time_frame(found.latency),
        "natural": time_frame(found.natural),
    }
    for name, frame in frames.items():
        save_whole(frame.to_csv(index=False), request.out / f"{name}.csv", "the table")
    print(f"comparison: {save_whole(markdown(found), request.out / 'compare.md', 'the comparison')}")

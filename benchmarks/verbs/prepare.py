"""`lipbench prepare`: a corpus as downloaded to a store of lip crops, landmarks and durations."""

from __future__ import annotations

import logging
from pathlib import Path

from benchmarks.config import Prepare
from benchmarks.progress import bar
from corpora.grid.preparation import prepare_grid
from corpora.preparation.clip import ClipOutcome
from corpora.preparation.run import Summary
from models.errors import UserError

log = logging.getLogger(__name__)


def run(request: Prepare) -> None:
    """Prepare, naming each clip that is left out, and print a summary."""
    if request.corpus.name != "grid":
        raise UserError(
            f"the corpus {request.corpus.name} needs no preparation", remedy="Use it as it is, or prepare corpus=grid"
        )
    store = Path(str(request.corpus.options.get("store", "prepared/grid")))
    with bar("preparing grid", None) as (advance, set_total):

        def on_progress(outcome: ClipOutcome) -> None:
            set_total(outcome.total)
            advance(1)
            if outcome.status == "skipped":
                log.info("left out %s: %s", outcome.id, outcome.reason)

        summary = prepare_grid(
            request.root,
            store,
            workers=request.workers,
            limit=request.limit,
            split=request.split,
            seed=request.seed,
            stabilise=request.stabilise,
            on_progress=on_progress,
        )
    print(describe(summary))


def describe(summary: Summary) -> str:
    """A preparation's summary as text: counts, what was left out and why, what is odd but kept."""
    usable = summary.done + summary.kept
    lines = [
        f"{usable} clips are ready in {summary.store}: {summary.train} to train, {summary.test} to test",
        f"  {summary.done} prepared now in {summary.seconds:.0f} s"
        + (f" ({summary.seconds / summary.done:.2f} s per clip)" if summary.done else "")
        + f", {summary.kept} there already, {len(summary.skipped)} left out",
    ]
    lines += [f"  left out {clip}: {reason}" for clip, reason in summary.skipped.items()]
    lines += [f"  note on {clip}: {'; '.join(notes)}" for clip, notes in summary.notes.items()]
    if summary.absent:
        lines.append(f"  {summary.absent} clips of the public lists are not in this folder")
    lines.append(f"  fingerprint {summary.fingerprint}")
    return "\n".join(lines)

"""`lipbench prepare`: a corpus as downloaded to a store of lip crops, landmarks and durations."""

from __future__ import annotations

import inspect
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from lipbench import corpora
from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import CorpusChoice, Request
from lipbench.errors import UserError
from lipbench.locks import hold

if TYPE_CHECKING:
    from lipbench.corpora.preparation.clip import ClipOutcome
    from lipbench.corpora.preparation.run import PreparationSummary, SourceCorpus
    from lipbench.corpora.preparation.survey import Survey

log = logging.getLogger(__name__)

_NAMES_PER_LINE = 10
"""So many ids of a list are shown in a dry run."""


class PrepareRequest(Request):
    """`lipbench prepare`."""

    corpus: CorpusChoice
    root: Path | None
    dry_run: bool
    workers: int | None = Field(default=None, ge=0)
    limit: int | None = Field(default=None, ge=1)
    # the corpus checks what it can be asked for
    split: str | None
    seed: int | None
    stabilise: str | None
    interpolation: str | None
    tokens: str | None
    durations: str | None
    alignments: Path | None


def run(request: PrepareRequest) -> None:
    """Prepare, naming each clip that is left out, and print a summary; or say what would be done."""
    from lipbench.benchmarks.cli.progress import show_progress
    from lipbench.corpora.preparation.run import prepare
    from lipbench.corpora.preparation.survey import survey

    name = request.corpus.name
    (store,) = claims(request)
    source = find_corpus(request)
    log.info("found %s: %s, %d clips", name, source.layout, len(source.clips))
    if request.dry_run:
        print(describe_survey(survey(source, store, limit=request.limit)))
        return
    with hold([store]), show_progress(f"preparing {name}", None) as (count_clips, set_total):

        def on_clip(outcome: ClipOutcome) -> None:
            set_total(outcome.total)
            count_clips(1)
            if outcome.status == "skipped":
                log.info("left out %s: %s", outcome.id, outcome.reason)

        summary = prepare(source, store, workers=request.workers, limit=request.limit, on_progress=on_clip)
    print(describe_summary(summary))


def claims(request: PrepareRequest) -> list[Path]:
    """The store."""
    return [Path(str(request.corpus.options.get("store") or f"prepared/{request.corpus.name}"))]


def find_corpus(request: PrepareRequest) -> SourceCorpus:
    """Find the corpus, with those of the verb's options that were given.

    Raises:
        UserError: the corpus cannot be prepared or found, or has no such option.
    """
    finder = corpora.PREPARATIONS.get(request.corpus.name)
    parameters = inspect.signature(finder).parameters
    # those of the corpus itself, such as the synthetic one's sizes; where the store is, no corpus decides
    options = {option: value for option, value in request.corpus.options.items() if option != "store"}
    # what was written for this run wins over what the corpus' file has
    options |= {
        option: value
        for option in ("root", "split", "seed", "stabilise", "interpolation", "tokens", "durations", "alignments")
        if (value := getattr(request, option)) is not None
    }
    for option in options:
        if option not in parameters:
            takes = ", ".join(parameters)
            raise UserError(
                f"preparing {request.corpus.name} takes no {option}=", remedy=f"Leave it out; known: {takes}"
            )
    if "root" in parameters and "root" not in options:
        raise UserError("prepare needs root", remedy="Write root=FOLDER, the corpus as downloaded")
    return finder(**options)


def describe_summary(summary: PreparationSummary) -> str:
    """A preparation's summary as text: counts, what was left out and why, what is odd but kept."""
    usable = summary.train + summary.test
    lines = [
        f"{usable} clips are ready in {summary.store}: {summary.train} to train, {summary.test} to test"
        f" ({summary.seen} of these say a sentence that is also in training)",
        f"  {summary.done} prepared now in {summary.seconds:.0f} s"
        + (f" ({summary.seconds / summary.done:.2f} s per clip)" if summary.done else "")
        + f", {summary.kept} there already, {len(summary.skipped)} left out",
    ]
    lines += [f"  left out {clip}: {reason}" for clip, reason in summary.skipped.items()]
    lines += [f"  note on {clip}: {'; '.join(notes)}" for clip, notes in summary.notes.items()]
    if summary.absent:
        lines.append(f"  {summary.absent} clips of the split lists are not in this folder")
    if summary.unsettled:
        lines.append(f"  {summary.unsettled} clips that the store is for are still to be prepared: run it again")
    lines.append(f"  fingerprint {summary.fingerprint}")
    return "\n".join(lines)


def describe_survey(result: Survey) -> str:
    """A dry run as text."""
    speakers = "1 speaker" if len(result.speakers) == 1 else f"{len(result.speakers)} speakers"
    lines = [
        f"found {result.corpus}: {result.layout}",
        f"  {result.clips} clips of {speakers} ({_some(result.speakers)})",
        f"  {result.train} to train, {result.test} to test, {len(result.unlisted)} in neither split list",
    ]
    if result.unlisted:
        lines.append(f"  in neither split list: {_some(result.unlisted)}")
    if result.absent:
        lines.append(f"  {result.absent} clips of the split lists are not in this folder")
    lines.append(f"  {len(result.unlabelled)} without an alignment" + _list(result.unlabelled))
    lines.append(
        f"a run would prepare {result.to_prepare} clips into {result.store}, keep {result.kept} that are there already"
        f" and leave out {len(result.skipped)}"
    )
    lines += [f"  would leave out {clip}: {reason}" for clip, reason in list(result.skipped.items())[:_NAMES_PER_LINE]]
    lines.append("nothing was written")
    return "\n".join(lines)


def _list(names: tuple[str, ...]) -> str:
    return f": {_some(names)}" if names else ""


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMES_PER_LINE} more" if len(names) > _NAMES_PER_LINE else ""
    return ", ".join(names[:_NAMES_PER_LINE]) + more


VERB = Verb(
    summary="decode, find faces and mouths, cut lip crops, align: once per corpus, resumable",
    examples=(
        "lipbench prepare corpus=grid root=../shared/data/grid",
        "lipbench prepare corpus=grid root=/data/grid --dry-run",
        "lipbench prepare corpus=tcd_timit root=/data/tcdtimit split=random",
        "lipbench prepare corpus=synthetic corpus.store=prepared/synthetic",
        "lipbench prepare corpus=grid root=/data/grid workers=8 corpus.store=prepared/grid-8",
    ),
    place=20,
    request=PrepareRequest,
    run=run,
    flags={"--dry-run": "dry_run"},
    claims=claims,
)

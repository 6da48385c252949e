"""`lipbench controls`: score the controls, and check that the metrics rank them as they must."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from lipbench import corpora, metrics
from lipbench.benchmarks.cells.plan import quality_cell, resolve_control_names
from lipbench.benchmarks.cells.runner import reusable_record, run_cell
from lipbench.benchmarks.cli.console import quality_line, raise_on_failures
from lipbench.benchmarks.cli.progress import show_progress
from lipbench.benchmarks.cli.verbs.controls import ControlsRequest, claims
from lipbench.benchmarks.metric_checks.face_calibration import calibrate_faces
from lipbench.benchmarks.metric_checks.ranking import ExpectationResult, check
from lipbench.benchmarks.scoring.clips import choose_utterances, placement_of
from lipbench.benchmarks.scoring.scorer import SampleOptions, Scorer, scoring_for
from lipbench.errors import UserError
from lipbench.locks import hold
from lipbench.metrics import protocols
from lipbench.metrics.calibration import calibrate
from lipbench.metrics.corpus_metric import NotMeasuredError
from lipbench.metrics.inception import find_weights
from lipbench.records.calibration import Calibration, CalibrationRow, save_calibration
from lipbench.records.quality import Quality
from lipbench.records.record import Cell, Record
from lipbench.records.run_folder import CALIBRATION
from lipbench.registry import resolve_names

FROM_VIDEO = "crop_round_trip"
"""The control that needs to know where crops were cut from."""


def run(request: ControlsRequest) -> None:
    """Score, print one line per control, then what the metrics make of them.

    A control that the run's folder has a record of is not scored again, if that would give the same numbers.

    Raises:
        UserError: a control could not be scored, or a metric ranks two of them the wrong way round.
    """
    wanted = resolve_control_names(request.controls)
    resolve_names(request.metrics, metrics.METRICS)
    protocols.get(request.protocol)
    corpus = corpora.create(request.corpus.name, **request.corpus.options)
    ids = choose_utterances(corpus, request.split, request.limit)
    if request.controls == ["all"] and placement_of(corpus, ids[0]) is None:
        wanted.remove(FROM_VIDEO)
        print(f"without {FROM_VIDEO}: the clips of {corpus.name} were cut from no larger video")
    scoring = scoring_for(request, corpus, ids, split=request.split, corpus_options=request.corpus.options)
    has_weights = cache(partial(_has_weights, request.inception_weights))
    with hold(claims(request)), Scorer(scoring) as scorer:
        records = [
            _reusable_record(name, request, scorer, has_weights) or _score(name, request, scorer) for name in wanted
        ]
        _calibrate(request.out)
    print(f"records: {request.out / 'records'}   (lipbench report {request.out})")
    raise_on_failures(records)
    _judge(records)


def _has_weights(given: Path | None) -> bool:
    """Whether FID and KID can be measured now."""
    try:
        find_weights(given)
    except NotMeasuredError:
        return False
    return True


def _reusable_record(
    name: str, request: ControlsRequest, scorer: Scorer, has_weights: Callable[[], bool]
) -> Record | None:
    """The record of a control that an earlier run has scored, printed; None if it is to be scored."""
    found = reusable_record(
        _cell(name, request),
        request.out,
        request=request.model_dump(mode="json"),
        corpus=scorer.scoring.corpus.fingerprint,
        protocol=scorer.protocol.fingerprint,
    )
    if found is None or (_lacks_weights(found, scorer) and has_weights()):
        return None
    print(f"{quality_line(found)}   (scored {found.created})", flush=True)
    return found


def _lacks_weights(record: Record, scorer: Scorer) -> bool:
    """Whether something was not measured that Inception's weights may allow."""
    assert isinstance(record.result, Quality)
    return any(metrics.create(name, scorer.protocol).takes == "inception" for name in record.result.not_measured)


def _cell(name: str, request: ControlsRequest) -> Cell:
    return quality_cell(
        name,
        role="control",
        options={"height": request.height},
        corpus=request.corpus.name,
        corpus_options=request.corpus.options,
        split=request.split,
        limit=request.limit,
        durations="predicted",
        protocol=request.protocol,
        metrics=request.metrics,
    )


def _score(name: str, request: ControlsRequest, scorer: Scorer) -> Record:
    cell = _cell(name, request)

    def measure() -> Quality:
        with show_progress(name, len(scorer.scoring.ids)) as shown:
            return scorer.control(
                name,
                frame_size=(request.height, 2 * request.height),
                durations="predicted",
                keep=SampleOptions(request.out, cell.key),
                on_progress=shown.on_progress,
            )

    found = run_cell(cell, request.out, measure, request=request.model_dump(mode="json"))
    print(quality_line(found), flush=True)
    return found


def _calibrate(run: Path) -> None:
    """Compare the metrics with other libraries' on fixed inputs, and keep the table.

    Raises:
        UserError: one differs by more than is allowed.
    """
    made = [calibrate(), calibrate_faces()]
    kept = [CalibrationRow(**row._asdict(), passed=row.passed) for rows, _ in made for row in rows]
    absent = list(dict.fromkeys(name for _, names in made for name in names))
    save_calibration(Calibration(rows=kept, absent=absent), run)
    failed = [row for row in kept if not row.passed]
    without = f", without {', '.join(absent)}" if absent else ""
    print(f"calibration: {len(kept) - len(failed)} of {len(kept)} comparisons within what is allowed{without}")
    if failed:
        named = ", ".join(f"{row.metric} ({row.source})" for row in failed)
        raise UserError(f"metrics differ from their references: {named}", remedy=f"See {run / CALIBRATION}")


def _judge(records: list[Record]) -> None:
    """Say how the metrics rank the controls.

    Raises:
        UserError: one does not as it must.
    """
    results = {r.cell.system: r.result for r in records if isinstance(r.result, Quality)}
    outcomes = check(results)
    broken = [outcome for outcome in outcomes if outcome.holds is False]
    unknown = sum(outcome.holds is None for outcome in outcomes)
    print(
        f"{len(outcomes)} expectations: {len(outcomes) - len(broken) - unknown} hold, {len(broken)} broken, "
        f"{unknown} not measured"
    )
    for outcome in broken:
        print(f"  {describe_broken(outcome)}")
    if broken:
        metrics_named = ", ".join(sorted({outcome.expectation.metric for outcome in broken}))
        raise UserError(
            f"{len(broken)} of {len(outcomes)} expectations are broken: {metrics_named} cannot be trusted here",
            remedy="See the list above; lipbench report shows all values",
        )


def describe_broken(outcome: ExpectationResult) -> str:
    """A broken expectation in words."""
    rule = outcome.expectation
    if rule.worse is None:
        return f"{rule.metric}: {rule.better} is {outcome.value:.6g}, must be {outcome.other:.6g} ({rule.why})"
    return (
        f"{rule.metric}: {rule.better} ({outcome.value:.6g}) is no better than {rule.worse} ({outcome.other:.6g}), "
        f"but {rule.why}"
    )

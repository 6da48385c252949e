"""What differs between two runs beside what is compared, so that nobody takes one difference for another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lipbench.records.latency import Latency, Natural
from lipbench.records.packages import MEASURING
from lipbench.records.quality import Quality
from lipbench.records.record import Record
from lipbench.reports.formatting import joined
from lipbench.reports.tables.labels import hardware

NAMES_SHOWN = 6
"""So many options or packages are named."""


def doubts(pairs: Sequence[tuple[Record, Record]]) -> list[str]:
    """Compare what surrounds pairs of records.

    Args:
        pairs: the same cell of both runs, measured in both.

    Returns:
        Plain sentences, each once; empty where the runs are alike.
    """
    found = [_sides(what, pairs, of) for what, of in _FACTS]
    found += [_packages(pairs), _source(pairs), _dirty(pairs), _corpora(pairs), _dtypes(pairs)]
    found += [
        _options("Options of the model differ", pairs, _config),
        _options("Training recipes differ", pairs, _recipe),
        _options("Options of the commands differ", pairs, _request),
        _weights(pairs),
    ]  # fmt: skip
    return [one for one in found if one]


def _machine(record: Record) -> str:
    device = record.result.device if isinstance(record.result, Latency | Natural | Quality) else None
    return hardware(record.machine, device or "cpu")


_FACTS: tuple[tuple[str, Callable[[Record], str]], ...] = (
    ("The machines differ, so times are not of the code alone", _machine),
    ("The commits differ", lambda record: (record.software.commit or "none")[:12]),
    ("The versions of Python differ", lambda record: record.software.python),
)


def _sides(what: str, pairs: Sequence[tuple[Record, Record]], of: Callable[[Record], str]) -> str | None:
    if all(of(one) == of(two) for one, two in pairs):
        return None
    a, b = (sorted({of(pair[side]) for pair in pairs}) for side in (0, 1))
    return f"{what}: {joined(a)} in A, {joined(b)} in B."


def _packages(pairs: Sequence[tuple[Record, Record]]) -> str | None:
    changed: dict[str, None] = {}
    for one, two in pairs:
        a, b = one.software.packages, two.software.packages
        for name in MEASURING:
            if a.get(name) != b.get(name):
                changed[f"{name} ({a.get(name, 'absent')} in A, {b.get(name, 'absent')} in B)"] = None
    return f"Packages differ: {joined(list(changed)[:NAMES_SHOWN])}." if changed else None


def _source(pairs: Sequence[tuple[Record, Record]]) -> str | None:
    """Of one commit, whether lipbench's own files were other ones."""
    changed = any(
        one.software.commit == two.software.commit
        and None not in (one.software.source, two.software.source)
        and one.software.source != two.software.source
        for one, two in pairs
    )
    return "The code differs though the commit does not." if changed else None


def _dirty(pairs: Sequence[tuple[Record, Record]]) -> str | None:
    sides = [name for side, name in enumerate("AB") if any(pair[side].software.dirty for pair in pairs)]
    return f"Cells of {joined(sides)} ran from a checkout with uncommitted changes." if sides else None


def _corpora(pairs: Sequence[tuple[Record, Record]]) -> str | None:
    def fingerprint(record: Record) -> str | None:
        result = record.result
        if isinstance(result, Quality):
            return result.corpus.fingerprint
        return result.corpus_fingerprint if isinstance(result, Natural) else None

    names = {one.cell.corpus or "not named": None for one, two in pairs if fingerprint(one) != fingerprint(two)}
    if not names:
        return None
    return f"The corpus differs ({joined(names)}): clips of one name may not be the same clip."


def _dtypes(pairs: Sequence[tuple[Record, Record]]) -> str | None:
    timed = [(a, b) for a, b in pairs if isinstance(a.result, Latency | Natural)]

    def dtype(record: Record) -> str:
        return record.result.dtype if isinstance(record.result, Latency | Natural) else ""

    return _sides("Number types differ", timed, dtype)


def _options(
    what: str, pairs: Sequence[tuple[Record, Record]], of: Callable[[Record], Mapping[str, object]]
) -> str | None:
    changed: dict[str, None] = {}
    for one, two in pairs:
        a, b = of(one), of(two)
        for name in sorted(a.keys() | b.keys()):
            if a.get(name) != b.get(name):
                changed[f"{name} ({a.get(name, 'not set')} in A, {b.get(name, 'not set')} in B)"] = None
    if not changed:
        return None
    more = len(changed) - NAMES_SHOWN
    shown = joined([*list(changed)[:NAMES_SHOWN], *([f"{more} more"] if more > 0 else [])])
    return f"{what}: {shown}."


def _config(record: Record) -> Mapping[str, object]:
    return record.result.system.config if record.result else {}


def _recipe(record: Record) -> Mapping[str, object]:
    training = record.result.system.training if record.result else None
    return {} if training is None else {"corpus": training.corpus, "updates": training.steps, **training.recipe}


_PLACES = frozenset({"out", "run", "checkpoint", "root", "features", "inception_weights", "device"})
"""Options that say where, not what."""


def _request(record: Record) -> Mapping[str, object]:
    return {name: value for name, value in record.request.items() if name not in _PLACES}


def _weights(pairs: Sequence[tuple[Record, Record]]) -> str | None:
    titles = {
        one.result.system.title: None
        for one, two in pairs
        if one.result and two.result and one.result.system.checkpoint != two.result.system.checkpoint
    }
    return f"The weights differ: {joined(titles)}." if titles else None

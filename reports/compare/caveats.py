"""Differences between two runs in machine, code, data and options that limit the comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lipbench.records.latency import Latency, UtteranceLatency
from lipbench.records.packages import MEASURING
from lipbench.records.quality import Quality
from lipbench.records.record import Record
from lipbench.reports.formatting import join_words
from lipbench.reports.tables.labels import hardware

NAMES_SHOWN = 6
"""So many options or packages are named."""


def caveats(pairs: Sequence[tuple[Record, Record]]) -> list[str]:
    """Compare what surrounds pairs of records.

    Args:
        pairs: the same cell of both runs, measured in both.

    Returns:
        Plain sentences, each once; empty where the runs are alike.
    """
    caveat_list = [_sides(noun, pairs, describe) for noun, describe in _FACTS]
    caveat_list += [_packages(pairs), _source(pairs), _dirty(pairs), _corpora(pairs), _dtypes(pairs)]
    caveat_list += [
        _options("Options of the model differ", pairs, _config),
        _options("Training recipes differ", pairs, _recipe),
        _options("Options of the commands differ", pairs, _request),
        _weights(pairs),
    ]  # fmt: skip
    return [caveat for caveat in caveat_list if caveat]


def _machine(record: Record) -> str:
    device = record.result.device if isinstance(record.result, Latency | UtteranceLatency | Quality) else None
    return hardware(record.machine, device or "cpu")


_FACTS: tuple[tuple[str, Callable[[Record], str]], ...] = (
    ("The machines differ, so times are not of the code alone", _machine),
    ("The commits differ", lambda record: (record.software.commit or "none")[:12]),
    ("The versions of Python differ", lambda record: record.software.python),
)


def _sides(noun: str, pairs: Sequence[tuple[Record, Record]], describe: Callable[[Record], str]) -> str | None:
    if all(describe(record_a) == describe(record_b) for record_a, record_b in pairs):
        return None
    a, b = (sorted({describe(pair[side]) for pair in pairs}) for side in (0, 1))
    return f"{noun}: {join_words(a)} in A, {join_words(b)} in B."


def _packages(pairs: Sequence[tuple[Record, Record]]) -> str | None:
    package_changes: dict[str, None] = {}
    for record_a, record_b in pairs:
        a, b = record_a.software.packages, record_b.software.packages
        for name in MEASURING:
            if a.get(name) != b.get(name):
                package_changes[f"{name} ({a.get(name, 'absent')} in A, {b.get(name, 'absent')} in B)"] = None
    return f"Packages differ: {join_words(list(package_changes)[:NAMES_SHOWN])}." if package_changes else None


def _source(pairs: Sequence[tuple[Record, Record]]) -> str | None:
    """Of one commit, whether lipbench's own files were other ones."""
    is_changed = any(
        record_a.software.commit == record_b.software.commit
        and None not in (record_a.software.source, record_b.software.source)
        and record_a.software.source != record_b.software.source
        for record_a, record_b in pairs
    )
    return "The code differs though the commit does not." if is_changed else None


def _dirty(pairs: Sequence[tuple[Record, Record]]) -> str | None:
    sides = [name for side, name in enumerate("AB") if any(pair[side].software.dirty for pair in pairs)]
    return f"Cells of {join_words(sides)} ran from a checkout with uncommitted changes." if sides else None


def _corpora(pairs: Sequence[tuple[Record, Record]]) -> str | None:
    def fingerprint(record: Record) -> str | None:
        result = record.result
        if isinstance(result, Quality):
            return result.corpus.fingerprint
        return result.corpus_fingerprint if isinstance(result, UtteranceLatency) else None

    names = {
        record_a.cell.corpus or "not named": None
        for record_a, record_b in pairs
        if fingerprint(record_a) != fingerprint(record_b)
    }
    if not names:
        return None
    return f"The corpus differs ({join_words(names)}): clips of one name may not be the same clip."


def _dtypes(pairs: Sequence[tuple[Record, Record]]) -> str | None:
    timed_pairs = [(a, b) for a, b in pairs if isinstance(a.result, Latency | UtteranceLatency)]

    def dtype(record: Record) -> str:
        return record.result.dtype if isinstance(record.result, Latency | UtteranceLatency) else ""

    return _sides("Number types differ", timed_pairs, dtype)


def _options(
    noun: str, pairs: Sequence[tuple[Record, Record]], options_of: Callable[[Record], Mapping[str, object]]
) -> str | None:
    option_changes: dict[str, None] = {}
    for record_a, record_b in pairs:
        a, b = options_of(record_a), options_of(record_b)
        for name in sorted(a.keys() | b.keys()):
            if a.get(name) != b.get(name):
                option_changes[f"{name} ({a.get(name, 'not set')} in A, {b.get(name, 'not set')} in B)"] = None
    if not option_changes:
        return None
    more = len(option_changes) - NAMES_SHOWN
    option_list = join_words([*list(option_changes)[:NAMES_SHOWN], *([f"{more} more"] if more > 0 else [])])
    return f"{noun}: {option_list}."


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
        record_a.result.system.title: None
        for record_a, record_b in pairs
        if record_a.result
        and record_b.result
        and record_a.result.system.checkpoint != record_b.result.system.checkpoint
    }
    return f"The weights differ: {join_words(titles)}." if titles else None

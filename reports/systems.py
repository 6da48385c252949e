"""What the systems of a run are called, and in which order they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.record import Machine, Record, System
from reports.paper import Paper

Kind = Literal["model", "control"]

CEILINGS = frozenset({"ground_truth"})
"""Controls that are the truth itself: that they beat every model is no finding."""


@dataclass(frozen=True)
class Naming:
    """Titles and kinds of every system that a run mentions, failed ones included."""

    titles: dict[str, str]
    kinds: dict[str, Kind]
    order: tuple[str, ...]
    """Registry names: the paper's systems, other models by title, the truth, other controls by title."""

    def place(self, name: str) -> int:
        """Where a system stands."""
        return self.order.index(name)


def naming(records: Sequence[Record], paper: Paper) -> Naming:
    """Collect names from what was measured; a system that only failed takes the paper's title or its own name.

    Args:
        records: a run's records.
        paper: for titles and the order of its systems.
    """
    titles: dict[str, str] = {}
    kinds: dict[str, Kind] = {}
    for record in records:
        if record.result is not None:
            system = record.result.system
            titles.setdefault(system.name, system.title)
            kinds.setdefault(system.name, system.kind)
    for record in records:
        titles.setdefault(record.cell.system, paper.systems.get(record.cell.system, record.cell.system))
        kinds.setdefault(record.cell.system, record.cell.role)
    known = [name for name in paper.systems if name in titles]
    others = sorted((n for n in titles if n not in known and kinds[n] == "model"), key=lambda n: titles[n].lower())
    controls = [name for name in titles if name not in known and kinds[name] == "control"]
    controls.sort(key=lambda name: (name not in CEILINGS, titles[name].lower()))
    return Naming(titles, kinds, (*known, *others, *controls))


def labels(systems: Sequence[System]) -> list[str]:
    """Titles, with preset or options added where a title alone would stand for two systems.

    Args:
        systems: the rows of one table.

    Returns:
        One label per system, such as "DualLip" or "DualLip (cache=False)".
    """
    found: list[str] = []
    for system in systems:
        twins = [other for other in systems if other.title == system.title]
        extra: list[str] = []
        if len({twin.preset for twin in twins}) > 1:
            extra.append(system.preset or "no preset")
        names = sorted({option for twin in twins for option in twin.options})
        for option in names:
            values = {repr(twin.options.get(option)) for twin in twins}
            if len(values) > 1:
                extra.append(f"{option}={system.options.get(option, 'default')}")
        found.append(f"{system.title} ({', '.join(extra)})" if extra else system.title)
    return found


def hardware(machine: Machine, device: str) -> str:
    """What a device is, such as "NVIDIA H100" or "AMD EPYC 7B13, 2 threads".

    Args:
        machine: of the record.
        device: "cpu" or "cuda".
    """
    if device != "cpu":
        return machine.gpu or "unknown GPU"
    return f"{machine.cpu or 'unknown CPU'}, {machine.threads} thread{'' if machine.threads == 1 else 's'}"

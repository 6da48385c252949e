"""What the systems of a run are called, and in which order they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lipbench.records.latency import EAGER, Latency
from lipbench.records.quality import Quality
from lipbench.records.record import Record
from lipbench.records.system import Machine, System
from lipbench.reports.formatting import count, number
from lipbench.reports.paper import load_paper

Kind = Literal["model", "control"]

CEILINGS = frozenset({"ground_truth"})
"""Controls that are the truth itself: that they beat every model is no finding."""


@dataclass(frozen=True)
class SystemNames:
    """Titles and kinds of every system that a run mentions, failed ones included."""

    titles: dict[str, str]
    kinds: dict[str, Kind]
    order: tuple[str, ...]
    """Registry names: the paper's systems, other models by title, the truth, other controls by title."""

    def place(self, name: str) -> int:
        """Where a system stands."""
        return self.order.index(name)


def collect_names(records: Sequence[Record]) -> SystemNames:
    """Collect names from what was measured; a system that only failed takes the paper's title or its own name.

    Args:
        records: a run's records.
    """
    paper = load_paper()
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
    paper_names = [name for name in paper.systems if name in titles]
    others = sorted(
        (n for n in titles if n not in paper_names and kinds[n] == "model"), key=lambda n: titles[n].lower()
    )
    controls = [name for name in titles if name not in paper_names and kinds[name] == "control"]
    controls.sort(key=lambda name: (name not in CEILINGS, titles[name].lower()))
    return SystemNames(titles, kinds, (*paper_names, *others, *controls))


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What tells one row of a system from another."""

    title: str
    preset: str | None = None
    run: str | None = None
    """How a timed model was run, such as "cuda_graph"; None for one as it is."""
    options: Mapping[str, object] = field(default_factory=dict)
    steps: str | None = None
    """How long it was trained; None if nothing tells."""
    checkpoint: str | None = None
    """Which weights, or which videos; None if nothing tells."""
    clips: str | None = None
    """How many clips were asked for; None for latency."""
    device: str | None = None


def variant(record: Record, names: SystemNames) -> Variant:
    """What a record says of the system that it measured, or would have measured had it not failed."""
    cell, result = record.cell, record.result
    is_quality = cell.kind == "quality"
    if result is None:
        limit = "all clips" if cell.limit is None else f"limit {cell.limit}"
        return Variant(
            title=names.titles[cell.system],
            preset=cell.preset if names.kinds[cell.system] == "model" else None,
            run=None if cell.variant == EAGER else cell.variant,
            options=cell.options,
            checkpoint=cell.checkpoint,
            clips=limit if is_quality else None,
            device=cell.device,
        )
    system, clips = result.system, None
    if isinstance(result, Quality):
        n = len(result.clips)
        clips = f"all {count(n, 'clip')}" if cell.limit is None else f"limit {n}"
        clips = f"{n} of {count(result.asked, 'clip')}" if result.left_out else clips
    training = system.training
    return Variant(
        title=system.title,
        preset=system.preset,
        run=result.variant if isinstance(result, Latency) and result.variant != EAGER else None,
        options=system.options,
        steps=f"{number(training.steps, 0)} steps" if training else None if system.videos else "untrained",
        checkpoint=_weights(system),
        clips=clips,
        device=result.device,
    )


def _weights(system: System) -> str | None:
    if system.videos:
        return f"videos {system.videos[:8]}"
    return f"checkpoint {system.checkpoint[:8]}" if system.checkpoint else None


_DISAMBIGUATORS: tuple[Callable[[Variant], str | None], ...] = (
    lambda v: v.steps,
    lambda v: v.checkpoint,
    lambda v: v.clips,
    lambda v: v.device,
)


def labels(variants: Sequence[Variant]) -> list[str]:
    """Titles, with as much added as tells the rows of one table apart.

    Args:
        variants: the rows, each once.

    Returns:
        One label per row, all different, such as "DualLip" or "DualLip (cache=False)": the way it was run unless that
        is as it is, preset and options wherever they differ, then steps, weights, number of clips and device where
        rows would still be called the same.
    """
    extras: list[list[str]] = []
    for row_variant in variants:
        twins = [other for other in variants if other.title == row_variant.title]
        presets = {twin.preset for twin in twins}
        extra = [row_variant.preset or "no preset"] if len(presets) > 1 else []
        extra += [row_variant.run] if row_variant.run else []
        names = sorted({name for twin in twins for name in twin.options})
        differing = [name for name in names if len({repr(twin.options.get(name)) for twin in twins}) > 1]
        extra += [f"{name}={row_variant.options.get(name, 'default')}" for name in differing]
        extras.append(extra)
    for describe in _DISAMBIGUATORS:
        for tied_places in _ties(variants, extras):
            descriptions = [describe(variants[i]) for i in tied_places]
            if len(set(descriptions) - {None}) > 1:
                for i, text in zip(tied_places, descriptions, strict=True):
                    extras[i] += [text] if text else []
    for tied_places in _ties(variants, extras):
        for position, i in enumerate(tied_places, start=1):
            extras[i].append(f"no. {position}")
    return [f"{v.title} ({', '.join(e)})" if e else v.title for v, e in zip(variants, extras, strict=True)]


def _ties(variants: Sequence[Variant], extras: Sequence[Sequence[str]]) -> list[list[int]]:
    """Places of the rows that are still called the same."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, (row_variant, extra) in enumerate(zip(variants, extras, strict=True)):
        groups.setdefault((row_variant.title, *extra), []).append(i)
    return [places for places in groups.values() if len(places) > 1]


def hardware(machine: Machine, device: str) -> str:
    """What a device is, such as "NVIDIA H100" or "AMD EPYC 7B13, 2 threads".

    Args:
        machine: of the record.
        device: "cpu" or "cuda".
    """
    if device != "cpu":
        return machine.gpu or "unknown GPU"
    return f"{machine.cpu or 'unknown CPU'}, {count(machine.threads, 'thread')}"


def matches_request(requested: object, actual: object) -> bool:
    """Whether a measured value matches a requested one; a request of None matches all."""
    return requested is None or requested == actual

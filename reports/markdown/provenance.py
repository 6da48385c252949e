"""Where the numbers come from: machines, code, data, weights, commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lipbench.records.latency import Latency, Telemetry
from lipbench.records.quality import Quality
from lipbench.records.record import Record
from lipbench.reports.formatting import NOTHING, code, count, escaped, joined, number, shortened

PACKAGES = (
    "lipbench", "torch", "torchvision", "torchmetrics", "torch-fidelity", "lightning", "numpy", "scipy",
    "opencv-python-headless", "dlib-bin", "av",
)  # fmt: skip
"""Packages whose version can change a number."""


@dataclass(frozen=True)
class Environment:
    """One machine with one state of the code, and how many cells it measured."""

    facts: tuple[tuple[str, str], ...]
    """Name and value, as markdown."""
    cells: int


@dataclass(frozen=True)
class Provenance:
    """Everything needed to trace a report's numbers and to make them again."""

    environments: list[Environment]
    machines: int
    commits: int
    dirty: bool
    """Whether any cell ran from a checkout with uncommitted changes."""
    corpora: list[tuple[str, ...]]
    """Name, options, split, clips, fingerprint."""
    protocols: list[tuple[str, ...]]
    """Name, fingerprint, summary."""
    checkpoints: list[tuple[str, ...]]
    """System, preset, corpus trained on, steps, sha256."""
    recipes: list[tuple[str, list[str]]]
    """Which models a recipe trained, and its options."""
    commands: list[tuple[str, list[str]]]
    """Each command line, and its options as they were understood, defaults included."""
    first: str
    """Creation time of the oldest record, ISO 8601."""
    last: str
    seconds: float
    """Time that all cells took together."""


def provenance(records: Sequence[Record]) -> Provenance:
    """Collect it from a run's records; what differs between them is listed apart.

    Args:
        records: at least one.
    """
    groups: dict[str, list[Record]] = {}
    for record in records:
        state = record.machine.model_dump_json() + record.software.model_dump_json()
        groups.setdefault(state, []).append(record)
    results = [record.result for record in records if isinstance(record.result, Quality)]
    times = sorted(record.created for record in records)
    return Provenance(
        environments=[Environment(_facts(group), len(group)) for group in groups.values()],
        machines=len({record.machine.model_dump_json() for record in records}),
        commits=len({record.software.commit for record in records}),
        dirty=any(record.software.dirty for record in records),
        corpora=_unique(
            (
                escaped(r.corpus.name),
                escaped(", ".join(_flat(r.corpus.options))) or NOTHING,
                escaped(r.corpus.split),
                str(r.corpus.clips),
                code(r.corpus.fingerprint),
            )
            for r in results
        ),
        protocols=_unique(
            (escaped(r.protocol.name), code(r.protocol.fingerprint), escaped(r.protocol.summary)) for r in results
        ),
        checkpoints=_unique(row for record in records for row in _checkpoint(record)),
        recipes=_recipes(records),
        commands=_commands(records),
        first=escaped(times[0]),
        last=escaped(times[-1]),
        seconds=sum(record.seconds for record in records),
    )


def _recipes(records: Sequence[Record]) -> list[tuple[str, list[str]]]:
    trained: dict[tuple[str, ...], list[str]] = {}
    for record in records:
        system = record.result.system if record.result else None
        if system and system.training:
            name = f"{system.title} ({system.preset})" if system.preset else system.title
            names = trained.setdefault(tuple(_flat(system.training.recipe)), [])
            names += [] if name in names else [name]
    return [(escaped(joined(names)), list(options)) for options, names in trained.items()]


def _commands(records: Sequence[Record]) -> list[tuple[str, list[str]]]:
    found: dict[tuple[str, tuple[str, ...]], None] = {}
    for record in records:
        found.setdefault((" ".join(record.command.split()), tuple(_flat(record.request))))
    return [(command, list(options)) for command, options in found]


def _flat(options: Mapping[str, object], prefix: str = "") -> list[str]:
    """Options as ``name=value``, groups with a point, each on one line."""
    found: list[str] = []
    for name, value in options.items():
        if isinstance(value, Mapping) and value:
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append(" ".join(f"{prefix}{name}={value}".split()))
    return found


def _unique(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(rows))


def _facts(records: Sequence[Record]) -> tuple[tuple[str, str], ...]:
    """What some records of one machine and one state of the code say of both."""
    machine, software = records[0].machine, records[0].software
    seen = [block for record in records if isinstance(record.result, Latency) for block in record.result.telemetry]
    commit = code(software.commit[:12]) if software.commit else "not a git checkout"
    state = {True: ", **with uncommitted changes**", False: ", clean", None: ""}[software.dirty]
    packages = [f"{name} {software.packages[name]}" for name in PACKAGES if name in software.packages]
    gpu = f"{machine.gpu}, driver {machine.gpu_driver or 'unknown'}" if machine.gpu else "none"
    return (
        ("Commit", commit + state),
        ("Python", escaped(software.python)),
        ("Packages", escaped(", ".join(packages)) or NOTHING),
        ("CPU", f"{escaped(machine.cpu or 'unknown')}, {count(machine.cores, 'core')}"),
        ("CPU clock", _cpu_clock(seen)),
        ("Threads", str(machine.threads)),
        ("Memory", f"{number(machine.memory_bytes / 2**30, 1)} GiB"),
        ("GPU", escaped(gpu)),
        *([("GPU clocks", _gpu_clocks(seen))] if machine.gpu else []),
        ("System", escaped(machine.system)),
    )


_NO_CLOCK = "not measured"


def _cpu_clock(blocks: Sequence[Telemetry]) -> str:
    """Lowest and highest reading before a block of timed calls, as markdown."""
    found = [block.cpu_mhz for block in blocks if block.cpu_mhz is not None]
    return f"{_span(found)} MHz, mean of the cores" if found else _NO_CLOCK


def _gpu_clocks(blocks: Sequence[Telemetry]) -> str:
    """Lowest and highest reading while calls were timed, and what slowed them, as markdown."""
    kinds = {"SM": [block.gpu_sm_mhz for block in blocks], "memory": [block.gpu_memory_mhz for block in blocks]}
    parts = [
        f"{kind} {_span([end for ends in found if ends is not None for end in ends])} MHz"
        for kind, found in kinds.items()
        if any(found)
    ]
    reasons = sorted({reason for block in blocks for reason in block.throttled or []})
    slowed = sum(bool(block.throttled) for block in blocks)
    parts += [f"slowed by {escaped(joined(reasons))} in {slowed} of {count(len(blocks), 'block')}"] if slowed else []
    return ", ".join(parts) or _NO_CLOCK


def _span(readings: Sequence[float]) -> str:
    low, high = number(min(readings), 0), number(max(readings), 0)
    return low if low == high else f"{low}–{high}"


def _checkpoint(record: Record) -> list[tuple[str, ...]]:
    if record.result is None or record.result.system.kind == "control":
        return []
    system = record.result.system
    trained = system.training
    return [
        (
            escaped(system.title),
            escaped(system.preset or NOTHING),
            f"{escaped(trained.corpus)} {code(trained.corpus_fingerprint[:12])}" if trained else NOTHING,
            number(trained.steps, 0) if trained else NOTHING,
            f"videos {code(system.videos)}"
            if system.videos
            else code(system.checkpoint)
            if system.checkpoint
            else "untrained",
        )
    ]


def failures(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Every cell that was tried and failed, with its whole reason, as markdown."""
    return [
        (code(record.cell.key), escaped(shortened(f"{record.failure.type}: {record.failure.message}", 2000)))
        for record in records
        if record.status == "failed" and record.failure is not None
    ]


def not_attempted(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Every cell that was asked for and not tried, with the reason, as markdown: that is no failure of a model's."""
    return [
        (code(record.cell.key), escaped(shortened(record.failure.message, 2000)))
        for record in records
        if record.status == "not_attempted" and record.failure is not None
    ]

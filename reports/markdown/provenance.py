"""The part on where the numbers come from: machines, code, data, weights, commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lipbench.records.latency import Latency, Telemetry
from lipbench.records.packages import MEASURING
from lipbench.records.quality import Quality
from lipbench.records.record import Record
from lipbench.reports.formatting import NO_VALUE, count, escape, join_words, number
from lipbench.reports.markdown.cells import Row, Span, Table, TableCell, Text, listing
from lipbench.reports.markdown.data import ReportData
from lipbench.reports.markdown.section import Listing, Part, Section
from lipbench.reports.paper import load_paper


def provenance_part(data: ReportData) -> Part:
    """Everything needed to trace a report's numbers and to make them again."""
    paper = load_paper()
    return trace("Provenance", data.records, [f"The paper: [{paper.title}]({paper.url})."])


def trace(title: str, records: Sequence[Record], notes: Sequence[str] = ()) -> Part:
    """Collect it from a run's records; what differs between them is listed apart.

    Args:
        title: of the part.
        records: at least one.
        notes: what stands beneath.
    """
    created = sorted(record.created for record in records)
    ends = f"at {created[0]}" if created[0] == created[-1] else f"from {created[0]} to {created[-1]}"
    seconds = f"{sum(record.seconds for record in records):.0f} s"
    dirty = "**Some cells ran from a checkout with uncommitted changes: the commit alone does not reproduce them.**"
    commands = _commands(records)
    sections = [
        Section(
            kind="provenance",
            text=[
                *([dirty] if any(record.software.dirty for record in records) else []),
                f"Measured {escape(ends)}, {seconds} in all cells together. Again with:",
            ],
            listings=[Listing([command]) for command, _ in commands],
            tables=[*_environments(records), *_tables(records)],
            notes=notes,
        )
    ]
    options = [([command, "", *lines], "") for command, lines in commands if lines]
    recipes = [(lines, names) for names, lines in _recipes(records) if lines]
    folded = [*_folded("Options", ", defaults included", options), *_folded("Training recipe", "", recipes)]
    sections += [Section(kind="recipes", listings=folded)] if folded else []
    return Part(title=title, sections=sections)


def _folded(kind: str, rest: str, found: Sequence[tuple[Sequence[str], str]]) -> list[Listing]:
    """Lines and what is said about them, folded beneath their kind: with a number where there are several."""
    return [
        Listing(lines, f"{kind} {i}{rest}" if len(found) > 1 else f"{kind}{rest}", about)
        for i, (lines, about) in enumerate(found, 1)
    ]


def _environments(records: Sequence[Record]) -> list[Table]:
    """One table per machine and state of the code."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        state = record.machine.model_dump_json() + record.software.model_dump_json()
        groups.setdefault(state, []).append(record)
    titles = ["Environment"] if len(groups) == 1 else [f"Environment {i}" for i in range(1, len(groups) + 1)]
    return [
        listing((title, count(len(group), "cell")), _facts(group))
        for title, group in zip(titles, groups.values(), strict=True)
    ]


def _tables(records: Sequence[Record]) -> list[Table]:
    """Corpora, protocols and weights, each once."""
    results = [record.result for record in records if isinstance(record.result, Quality)]
    found: dict[tuple[str, ...], list[Row | tuple[Text, ...]]] = {
        ("Corpus", "Options", "Split", "Clips", "Fingerprint"): [
            (
                r.corpus.name,
                ", ".join(_flat(r.corpus.options)) or NO_VALUE,
                r.corpus.split,
                str(r.corpus.clips),
                Span(r.corpus.fingerprint, "code"),
            )
            for r in results
        ],
        ("Protocol", "Fingerprint", "Summary"): [
            (r.protocol.name, Span(r.protocol.fingerprint, "code"), r.protocol.summary) for r in results
        ],
        ("Model", "Preset", "Trained on", "Steps", "Checkpoint (sha256)"): [
            _weights(record) for record in records if record.result and record.result.system.kind != "control"
        ],
    }
    return [listing(titles, list(dict.fromkeys(rows))) for titles, rows in found.items() if rows]


def _recipes(records: Sequence[Record]) -> list[tuple[str, list[str]]]:
    names_by_recipe: dict[tuple[str, ...], list[str]] = {}
    for record in records:
        system = record.result.system if record.result else None
        if system and system.training:
            name = f"{system.title} ({system.preset})" if system.preset else system.title
            names = names_by_recipe.setdefault(tuple(_flat(system.training.recipe)), [])
            names += [] if name in names else [name]
    return [(escape(join_words(names)), list(options)) for options, names in names_by_recipe.items()]


def _commands(records: Sequence[Record]) -> list[tuple[str, list[str]]]:
    unique_commands: dict[tuple[str, tuple[str, ...]], None] = {}
    for record in records:
        unique_commands.setdefault((" ".join(record.command.split()), tuple(_flat(record.request))))
    return [(command, list(options)) for command, options in unique_commands]


def _flat(options: Mapping[str, object], prefix: str = "") -> list[str]:
    """Options as ``name=value``, groups with a point, each on one line."""
    lines: list[str] = []
    for name, value in options.items():
        if isinstance(value, Mapping) and value:
            lines += _flat(value, f"{prefix}{name}.")
        else:
            lines.append(" ".join(f"{prefix}{name}={value}".split()))
    return lines


def _facts(records: Sequence[Record]) -> list[tuple[Text, ...]]:
    """What some records of one machine and one state of the code say of both."""
    machine, software = records[0].machine, records[0].software
    telemetry_blocks = [
        block for record in records if isinstance(record.result, Latency) for block in record.result.telemetry
    ]
    commit: str | Span = Span(software.commit[:12], "code") if software.commit else "not a git checkout"
    changes = Span("with uncommitted changes", "strong")
    state: tuple[str | Span, ...] = {True: (", ", changes), False: (", clean",), None: ()}[software.dirty]
    packages = [f"{name} {software.packages[name]}" for name in MEASURING if name in software.packages]
    gpu = f"{machine.gpu}, driver {machine.gpu_driver or 'unknown'}" if machine.gpu else "none"
    return [
        ("Commit", (commit, *state)),
        ("Python", software.python),
        ("Packages", ", ".join(packages) or NO_VALUE),
        ("CPU", f"{machine.cpu or 'unknown'}, {count(machine.cores, 'core')}"),
        ("CPU clock", _cpu_clock(telemetry_blocks)),
        ("Threads", str(machine.threads)),
        ("Memory", f"{number(machine.memory_bytes / 2**30, 1)} GiB"),
        ("GPU", gpu),
        *([("GPU clocks", _gpu_clocks(telemetry_blocks))] if machine.gpu else []),
        ("System", machine.system),
    ]


_NO_CLOCK = "not measured"


def _cpu_clock(blocks: Sequence[Telemetry]) -> str:
    """Lowest and highest reading before a block of timed calls."""
    readings = [block.cpu_mhz for block in blocks if block.cpu_mhz is not None]
    return f"{_span(readings)} MHz, mean of the cores" if readings else _NO_CLOCK


def _gpu_clocks(blocks: Sequence[Telemetry]) -> str:
    """Lowest and highest reading while calls were timed, and what slowed them."""
    kinds = {"SM": [block.gpu_sm_mhz for block in blocks], "memory": [block.gpu_memory_mhz for block in blocks]}
    parts = [
        f"{kind} {_span([end for ends in reading_ranges if ends is not None for end in ends])} MHz"
        for kind, reading_ranges in kinds.items()
        if any(reading_ranges)
    ]
    reasons = sorted({reason for block in blocks for reason in block.throttled or []})
    n_throttled = sum(bool(block.throttled) for block in blocks)
    parts += (
        [f"slowed by {join_words(reasons)} in {n_throttled} of {count(len(blocks), 'block')}"] if n_throttled else []
    )
    return ", ".join(parts) or _NO_CLOCK


def _span(readings: Sequence[float]) -> str:
    low, high = number(min(readings), 0), number(max(readings), 0)
    return low if low == high else f"{low}–{high}"


def _weights(record: Record) -> Row:
    assert record.result is not None
    system, trained = record.result.system, record.result.system.training
    weights: Text = Span(system.checkpoint, "code") if system.checkpoint else "untrained"
    cells: tuple[Text, ...] = (
        system.title,
        system.preset or NO_VALUE,
        (f"{trained.corpus} ", Span(trained.corpus_fingerprint[:12], "code")) if trained else NO_VALUE,
        number(trained.steps, 0) if trained else NO_VALUE,
        ("videos ", Span(system.videos, "code")) if system.videos else weights,
    )
    return Row(tuple(map(TableCell, cells)), system=system.name)

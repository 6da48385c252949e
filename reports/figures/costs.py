"""Memory and energy of a call against the length of the clip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from matplotlib.figure import Figure

from lipbench.reports.figures.figure import MissingFigure, ReportFigure, latency_condition_text
from lipbench.reports.figures.style import WIDTH, PlotStyle, add_heading, empty_figure, finish, house_style, legend
from lipbench.reports.formatting import join_words, number
from lipbench.reports.tables.latency import LatencyCell, LatencyTable

TITLE = "Memory and energy against length"
MIB = 2**20
MEMORY, ENERGY = "memory", "energy"
MIN_VALUE_SHARE = 0.25
"""Share of an axis from 0 that values must take up at least for it to start there."""


class Panel(NamedTuple):
    """One quantity of every system that has it."""

    title: str
    unit: str
    series: dict[str, dict[int, float]]
    """Label to length in frames to value."""


def draw_costs(table: LatencyTable, style: Mapping[str, PlotStyle]) -> tuple[ReportFigure | None, list[MissingFigure]]:
    """The figure with its words, and which of its two panels are missing.

    Args:
        table: of one machine.
        style: see `lipbench.reports.figures.style.plot_styles`.
    """
    panels = cost_panels(table)
    absent = [
        MissingFigure(title=f"{what.capitalize()} against length", reason=_why(what, table))
        for what in (MEMORY, ENERGY)
        if what not in panels
    ]
    if not panels:
        return None, absent
    parts = [
        f"{' and '.join(panel.title.lower() for panel in panels.values())} against the length of the clip; "
        f"{latency_condition_text(table)}; one measurement per point, in a pass of its own."
    ]
    if MEMORY in panels:
        parts.append(
            "Memory is what torch's allocator gave out at most, weights among it."
            if table.device != "cpu"
            else "Memory is the largest resident size of a fresh process that loads the model and makes one clip, the "
            "interpreter and torch among it."
        )
    if ENERGY in panels:
        parts.append("Energy is the GPU's own counter over back-to-back calls, what it draws when idle included.")
    for what, panel in panels.items():
        silent = [row.label for row in table.rows if row.measured and row.label not in panel.series]
        parts += [f"No {what} is known of {join_words(silent)}."] if silent else []
    cut_panels = [panel.title.lower() for panel in panels.values() if not starts_at_zero(panel)]
    parts += [f"The axis of {join_words(cut_panels)} does not start at 0."] if cut_panels else []
    parts.append("A line that rises is a cost of every frame more; its height at short clips is the model's own.")
    return (
        ReportFigure(
            name="costs",
            title=TITLE,
            caption=(text := " ".join(parts))[0].upper() + text[1:],
            alt=" ".join(_alt_text(panel) for panel in panels.values()),
            figure=costs_figure(panels, style, subtitle=latency_condition_text(table)),
        ),
        absent,
    )


def _why(what: str, table: LatencyTable) -> str:
    if what == ENERGY and table.device == "cpu":
        return "energy is read from a GPU's counter, and these calls ran on a CPU"
    return f"no record holds {'memory' if what == MEMORY else 'energy'}: it was not measured, or the records are older"


def _alt_text(panel: Panel) -> str:
    sentences = []
    for label, values in panel.series.items():
        (first, start), *_, (last, end) = [*values.items(), *values.items()]
        digits = 0 if max(start, end) >= 100 else 2
        sentences.append(
            f"{label} {number(start, digits)} {panel.unit} at {first} frames, {number(end, digits)} at {last}"
        )
    return f"{panel.title}: {'; '.join(sentences)}."


def cost_panels(table: LatencyTable) -> dict[str, Panel]:
    """What there is to draw, by "memory" and "energy"; only what one system at least has."""
    on_gpu = table.device != "cpu"
    panels = {
        MEMORY: Panel(
            "Peak GPU memory" if on_gpu else "Peak memory of the process", "MiB", _series(table, _memory(on_gpu))
        ),
        ENERGY: Panel("Energy per call", "J", _series(table, _energy)),
    }
    return {what: panel for what, panel in panels.items() if panel.series}


def _series(table: LatencyTable, value: Callable[[LatencyCell], float | None]) -> dict[str, dict[int, float]]:
    values_by_label: dict[str, dict[int, float]] = {}
    for row in table.rows:
        for length, cell in row.measured.items():
            cell_value = value(cell)
            if cell_value is not None:
                values_by_label.setdefault(row.label, {})[length] = cell_value
    return values_by_label


def _memory(on_gpu: bool) -> Callable[[LatencyCell], float | None]:
    """Peak in MiB: of the allocator on a GPU, else of the process."""

    def value(cell: LatencyCell) -> float | None:
        memory = cell.result.memory
        if memory is None:
            return None
        peak = memory.allocated_bytes if on_gpu else memory.resident_bytes
        return None if peak is None else peak / MIB

    return value


def _energy(cell: LatencyCell) -> float | None:
    """Joules of one call."""
    energy = cell.result.energy
    return None if energy is None else energy.joules / energy.calls


def starts_at_zero(panel: Panel) -> bool:
    """Whether an axis that starts at 0 leaves enough of it to the values.

    What a process holds is most of all the interpreter and torch: from 0 on, models would lie on one another.
    """
    values = [value for series in panel.series.values() for value in series.values()]
    return max(values) - min(values) >= MIN_VALUE_SHARE * max(values)


def costs_figure(panels: Mapping[str, Panel], style: Mapping[str, PlotStyle], *, subtitle: str) -> Figure:
    """A panel per quantity.

    Args:
        panels: at least one.
        style: label to look.
        subtitle: what was measured on what.
    """
    with house_style():
        figure = empty_figure(3.2, WIDTH if len(panels) > 1 else 0.65 * WIDTH)
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for panel_axes, panel in zip(axes, panels.values(), strict=True):
            for label, values in panel.series.items():
                plot_style = style[label]
                panel_axes.plot(
                    list(values), list(values.values()),
            color=plot_style.color, marker=plot_style.marker, linestyle=plot_style.dash,
                    markersize=5, linewidth=1.4,
                )  # fmt: skip
            axis_note = "" if starts_at_zero(panel) else ", not from 0"
            finish(panel_axes, x="length of the clip (frames)", y=f"{panel.unit}{axis_note}", title=panel.title)
            panel_axes.set_xlim(left=0)
            if starts_at_zero(panel):
                panel_axes.set_ylim(0, panel_axes.get_ylim()[1] * 1.06)
        labels = list(dict.fromkeys(label for panel in panels.values() for label in panel.series))
        legend(figure, style, labels)
        add_heading(figure, subtitle)
    return figure

"""From records to what figures are drawn from."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from lipbench.records.quality import ClipScore, MetricFacts
from lipbench.reports.figures.style import plot_styles
from lipbench.reports.paper import load_paper
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.latency import latency_tables
from lipbench.reports.tables.quality import quality_tables

TOKENS = MetricFacts(name="token_duration_error", title="Token error", unit="frames", higher_is_better=False)


def quality_table(records):
    (table,) = quality_tables(records, collect_names(records))
    return table


def latency_table(records):
    (table,) = latency_tables(records, collect_names(records))
    return table


def style(table):
    return plot_styles((row.name, row.label) for row in table.rows)


def clip(i, *, frames=75, generated=None, ssim=0.8, speaker="s1", **more):
    """A clip with a curve of SSIM and PSNR over its frames, unless others are given."""
    made = frames if generated is None else generated
    curve = np.broadcast_to(ssim, min(frames, made)).tolist()
    facts = {
        "utterance": f"{speaker}/clip{i:03d}",
        "speaker": speaker,
        "text": "bin blue at f two now",
        "frames": frames,
        "generated_frames": made,
        "values": {"ssim": float(np.mean(curve)), "psnr": 28.0, "aperture_correlation": 0.5},
        "curves": {"ssim": curve, "psnr": [28.0] * len(curve)},
    }
    return ClipScore(**(facts | more))


def texts(figure):
    """Every text of a figure that is drawn."""
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    for axes in figure.axes:
        found += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
    found += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return [text for text in found if text]


def line_of(axes, look):
    """The line in a panel that is drawn in a look."""
    lines = [line for line in axes.lines if line.get_color() == look.color and line.get_linestyle() == look.dash]
    (line,) = lines
    return line


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=float)


@pytest.fixture(scope="session")
def drawing():
    """What these tests share; see the functions of this file."""
    functions = (quality_table, latency_table, style, clip, texts, line_of, pixels)
    return SimpleNamespace(paper=load_paper(), TOKENS=TOKENS, **{one.__name__: one for one in functions})

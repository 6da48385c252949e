"""Losses against updates: one panel a loss, one line a training."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.reports.figures.figure import MissingFigure, ReportFigure
from lipbench.reports.figures.training import MAX_TRAININGS, draw_training, smooth
from lipbench.reports.inputs.training_logs import TrainingLog, TrainingLogs


def log(name, **losses):
    return TrainingLog(
        name=name,
        losses={key: pd.Series(values, index=range(10, 10 * len(values) + 1, 10)) for key, values in losses.items()},
    )


def drawn(logs, unread=()):
    return draw_training(TrainingLogs(list(logs), list(unread)))


def test_each_loss_has_a_panel_and_each_training_that_has_it_a_line():
    found = drawn([log("hh_t2l-small", l1=[0.2, 0.1], duration=[2.0, 1.0]), log("dual_lip-small", l1=[0.4])])
    assert isinstance(found, ReportFigure)
    l1, duration = found.figure.axes  # and none for a loss that nobody has
    assert [axes.get_title(loc="left") for axes in (l1, duration)] == ["L1", "duration"]
    assert [np.asarray(line.get_xdata()).tolist() for line in l1.lines] == [[10, 20], [10]]
    assert np.asarray(l1.lines[0].get_ydata()).tolist() == pytest.approx([0.2, 0.1])
    assert len(duration.lines) == 1
    assert "hh_t2l-small: L1 0.100, duration 1.000; dual_lip-small: L1 0.400" in found.alt


def test_trainings_too_many_to_tell_apart_and_broken_files_are_named():
    found = drawn([log(f"model{i}", l1=[0.1]) for i in range(MAX_TRAININGS + 1)], ["train/x/metrics.csv"])
    assert isinstance(found, ReportFigure)
    assert len(found.figure.axes[0].lines) == MAX_TRAININGS
    assert f"Not drawn, as more cannot be told apart: model{MAX_TRAININGS}." in found.caption
    assert "Not readable: train/x/metrics.csv." in found.caption


@pytest.mark.parametrize(("unread", "says"), [([], "no logs"), (["train/x.csv"], "Not readable: train/x.csv.")])
def test_without_logs_there_is_a_reason(unread, says):
    found = drawn([], unread)
    assert isinstance(found, MissingFigure)
    assert says in found.reason


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=200))
def test_smoothing_keeps_number_and_range_and_what_is_flat(values):
    out = smooth(pd.Series(values))
    assert len(out) == len(values)
    assert out.min() >= min(values) - 1e-9
    assert out.max() <= max(values) + 1e-9
    np.testing.assert_allclose(smooth(pd.Series([values[0]] * len(values))), values[0])

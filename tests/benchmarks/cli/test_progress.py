from __future__ import annotations

import logging

from lipbench.benchmarks.cli import progress


def test_where_there_is_no_terminal_a_line_now_and_then_says_how_far_it_is(monkeypatch, caplog):
    now = [0.0]
    monkeypatch.setattr(progress, "on_terminal", lambda: False)
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    with caplog.at_level(logging.INFO), progress.show_progress("preparing", None) as shown:
        shown.set_total(100)
        for _ in range(25):
            now[0] += 1.0
            shown.on_progress(2)
    assert caplog.messages == ["preparing: 20 of 100, 40 s left, 2.0/s", "preparing: 40 of 100, 30 s left, 2.0/s"]


def test_on_a_terminal_a_bar_is_drawn(monkeypatch, capsys):
    monkeypatch.setattr(progress, "on_terminal", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress.show_progress("scoring", 4) as shown:
        shown.on_progress(4)
    assert "4/4" in capsys.readouterr().err

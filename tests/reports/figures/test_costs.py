"""Memory and energy against length: what is measured on which device, and why a panel is missing."""

from lipbench.records.latency import Energy, Memory
from lipbench.reports.figures.costs import draw_costs
from lipbench.reports.figures.style import render_figure


def timed(make, name, frames, *, memory=None, energy=None, **more):
    record = make.latency(name, frames, **more)
    result = record.result.model_copy(update={"memory": memory, "energy": energy})
    return record.model_copy(update={"result": result})


def on_gpu(make, name, frames):
    memory = Memory(allocated_bytes=frames * 2**20, resident_bytes=99 * 2**30)
    return timed(
        make, name, frames, memory=memory, energy=Energy(calls=4, seconds=1, joules=8.0 * frames), device="cuda"
    )


def test_a_gpu_has_its_allocators_peak_and_joules_of_one_call(make, drawing):
    table = drawing.latency_table([on_gpu(make, name, n) for name in ("hh_t2l", "dual_lip") for n in (75, 25)])
    style = drawing.style(table)
    drawn, absent = draw_costs(table, style)
    assert absent == []
    memory, energy = drawn.figure.axes
    assert (memory.get_ylabel(), energy.get_ylabel()) == ("MiB", "J")
    assert memory.get_xlabel() == "length of the clip (frames)"
    line = drawing.line_of(memory, style["DualLip"])
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([25, 75], [25.0, 75.0])
    assert list(drawing.line_of(energy, style["HH-T2L"]).get_ydata()) == [50.0, 150.0]
    assert "HH-T2L 50 J at 25 frames, 150 at 75" in drawn.alt


def test_a_cpu_has_the_process_and_a_reason_for_no_energy(make, drawing):
    records = [timed(make, "hh_t2l", n, memory=Memory(resident_bytes=n * 2**20)) for n in (25, 75)]
    records.append(timed(make, "dual_lip", 25))
    table = drawing.latency_table(records)
    drawn, absent = draw_costs(table, drawing.style(table))
    (axes,) = drawn.figure.axes
    assert len(axes.lines) == 1, "a system without a value has no line"
    assert "resident size of a fresh process" in drawn.caption
    assert [(one.title, one.reason) for one in absent] == [
        ("Energy against length", "energy is read from a GPU's counter, and these calls ran on a CPU")
    ]


def test_processes_that_hold_about_the_same_are_told_apart_and_the_axis_says_that_it_is_cut(make, drawing):
    held = {"hh_t2l": (1070, 1090), "dual_lip": (1050, 1075)}
    records = [
        timed(make, name, n, memory=Memory(resident_bytes=mib * 2**20))
        for name, its in held.items()
        for n, mib in zip((25, 300), its, strict=True)
    ]
    table = drawing.latency_table(records)
    drawn, _ = draw_costs(table, drawing.style(table))
    assert drawn is not None
    (axes,) = drawn.figure.axes
    assert 1000 < axes.get_ylim()[0] < 1050
    assert axes.get_ylabel() == "MiB, not from 0"
    assert "The axis of peak memory of the process does not start at 0." in drawn.caption
    wide = drawing.latency_table([timed(make, "hh_t2l", n, memory=Memory(resident_bytes=n * 2**20)) for n in (25, 75)])
    drawn, _ = draw_costs(wide, drawing.style(wide))
    assert drawn is not None
    assert drawn.figure.axes[0].get_ylim()[0] == 0
    assert "start at 0" not in drawn.caption


def test_older_records_have_neither(make, drawing):
    table = drawing.latency_table([make.latency("hh_t2l", 25)])
    drawn, absent = draw_costs(table, drawing.style(table))
    assert drawn is None
    assert [one.title for one in absent] == ["Memory against length", "Energy against length"]


def test_cells_that_failed_or_hold_one_of_both_only_leave_the_others(make, drawing):
    records = [on_gpu(make, "hh_t2l", n) for n in (25, 75, 100)]
    records.append(make.failed(make.latency_cell("hh_t2l", 50, device="cuda"), message="out of memory"))
    records += [
        timed(make, "dual_lip", n, energy=Energy(calls=2, seconds=1, joules=n), device="cuda") for n in (25, 50)
    ]
    records += [timed(make, "zebra", 75, device="cuda"), make.failed(make.latency_cell("yak", None, device="cuda"))]
    table = drawing.latency_table(records)
    drawn, absent = draw_costs(table, drawing.style(table))
    assert absent == []
    memory, energy = drawn.figure.axes
    assert [list(line.get_xdata()) for line in memory.lines] == [[25, 75, 100]]
    assert sorted(list(line.get_xdata()) for line in energy.lines) == [[25, 50], [25, 75, 100]]
    assert "No memory is known of DualLip and zebra. No energy is known of zebra." in drawn.caption
    assert "yak" not in drawn.caption + drawn.alt, "what failed is told beneath the table"
    assert [text.get_text() for text in drawn.figure.legends[0].get_texts()] == ["HH-T2L", "DualLip"]
    assert len(render_figure(drawn.figure, "png")) > 5000


def test_one_length_of_one_system_is_a_point(make, drawing):
    table = drawing.latency_table([on_gpu(make, "hh_t2l", 75)])
    drawn, _ = draw_costs(table, drawing.style(table))
    assert [list(line.get_xdata()) for axes in drawn.figure.axes for line in axes.lines] == [[75], [75]]
    assert b"<svg" in render_figure(drawn.figure, "svg")

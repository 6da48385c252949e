"""The registration of a report's parts."""

from lipbench.errors import UserError
from lipbench.reports.inputs.run import UnreadableRecord, read_run
from lipbench.reports.markdown.data import Pictures, ReportData
from lipbench.reports.markdown.report import OMISSION_ORDER, make_report
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.make import make_tables


def test_every_kind_of_section_has_its_place_in_the_order_of_omission(demo_run):
    records = read_run(demo_run).records
    names = collect_names(records)
    report = make_report(
        ReportData(
            records=records,
            unread=[UnreadableRecord("a.json", "truncated")],
            names=names,
            tables=make_tables(records, names),
            pictures=Pictures(missing_strips=["no frames"], missing_figures=["nothing was timed"]),
            calibration=UserError("the calibration cannot be read", remedy="Make it again"),
        )
    )
    kinds = {section.kind for part in report.parts for section in part.sections}
    assert {"quality", "latency", "paper", "failed", "unread", "calibration", "frames", "figures"} <= kinds
    assert kinds | {"details"} <= OMISSION_ORDER.keys()


def test_no_two_parts_share_a_title_or_an_anchor(demo_run):
    records = read_run(demo_run).records
    names = collect_names(records)
    parts = make_report(ReportData(records=records, names=names, tables=make_tables(records, names))).parts
    assert len({part.title for part in parts}) == len({part.anchor for part in parts}) == len(parts)

"""Which tables have figures, and what is said of those that have none."""

import re

import pytest

from lipbench.records.files import save_record
from lipbench.reports.figures.gallery import MOST_TABLES, choose_tables
from lipbench.reports.render import render
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.make import make_tables


def choice_of(records, **options):
    tables = make_tables(records, collect_names(records))
    return choose_tables(tables.quality, tables.latency, **options), tables


def report_of(records, folder):
    for record in records:
        save_record(record, folder)
    return render(folder)


def both_protocols(make):
    return [make.quality("hh_t2l", protocol=protocol, n=12) for protocol in (make.PROTOCOL, make.OTHER_PROTOCOL)]


def test_of_several_protocols_the_papers_is_chosen_and_the_others_are_named(make):
    choice, tables = choice_of(both_protocols(make))
    assert [tables.quality[i].protocol.name for i in choice.quality] == ["paper"]
    (note,) = choice.notes
    assert "those of the protocol paper alone, none of: lelechen63-2018 (GRID, predicted durations)" in note
    alone, _ = choice_of(both_protocols(make)[1:])
    assert (alone.quality, alone.notes) == ({0}, [])


def test_a_condition_that_only_another_protocol_scored_keeps_its_figures(make):
    records = [*both_protocols(make), make.quality("hh_t2l", protocol=make.OTHER_PROTOCOL, durations="true", n=12)]
    choice, tables = choice_of(records)
    kept = {(tables.quality[i].protocol.name, tables.quality[i].durations) for i in choice.quality}
    assert kept == {("paper", "predicted"), ("lelechen63-2018", "true")}


def test_of_many_tables_the_first_and_those_of_small_batches_are_chosen_and_the_others_are_named(make):
    records = [make.latency("hh_t2l", 75, batch=batch, about={"preset": preset})
               for batch in (8, 1) for preset in ("small", "tiny")]  # fmt: skip
    records += [make.quality("hh_t2l", corpus=f"corpus_{i}", n=12) for i in range(4)]
    choice, tables = choice_of(records, max_tables=3)
    assert [tables.quality[i].corpus.name for i in sorted(choice.quality)] == ["corpus_0", "corpus_1", "corpus_2"]
    assert sorted(tables.latency[i].batch for i in choice.latency) == [1, 1, 8]
    quality, latency = choice.notes
    assert quality.startswith("Figures are drawn of 3 of 4 quality tables")
    assert "none of: corpus_3, predicted durations." in quality
    assert "none of: CPU, float32, batch 8, preset tiny." in latency
    assert choice_of(records)[0].notes == [], f"up to {MOST_TABLES} all have figures"


def test_the_report_says_it_beside_the_figures_in_markdown_and_in_the_page(make, tmp_path):
    for place, record in enumerate(both_protocols(make)):
        make.write_strip(tmp_path / f"{place}.safetensors", [[0.1] * 7])
        strip = record.result.model_copy(update={"strip": f"{place}.safetensors"})
        save_record(record.model_copy(update={"result": strip}), tmp_path)
    report = render(tmp_path)
    said = "Clips were scored under several protocols"
    markdown, page = (path.read_text(encoding="utf-8") for path in (report.markdown, report.html))
    for heading in ("Frames", "Figures"):
        assert re.search(rf"^## {heading}\n\n- {said}", markdown, flags=re.MULTILINE)
        assert re.search(rf"<h2[^>]*>{heading}</h2>\s*<ul>\s*<li>{said}", page)
    assert [path.stem for path in report.figures if path.stem.startswith("strip")] == ["strip-1", "strip-1"]


def test_a_latency_table_without_its_figure_says_why(make, tmp_path):
    batches = range(1, MOST_TABLES + 3)
    report = report_of([make.latency("hh_t2l", 75, batch=batch) for batch in batches], tmp_path)
    drawn = {path.stem for path in report.figures if path.stem.startswith("latency")}
    assert len(drawn) == MOST_TABLES
    text = report.markdown.read_text(encoding="utf-8")
    reason = f"- No figure: a report draws those of {MOST_TABLES} latency tables, small batches first."
    assert text.count(reason) == 2
    parts = re.split(r"^### ", text, flags=re.MULTILINE)
    without = [part for part in parts if reason in part]
    assert [re.match(r".*batch (\d+)", part)[1] for part in without] == [str(batch) for batch in batches[-2:]]
    assert f"Figures are drawn of {MOST_TABLES} of {len(batches)} latency tables" in text


@pytest.mark.parametrize("most", [1, 2])
def test_the_limit_is_of_each_kind(make, most):
    records = [make.latency("hh_t2l", 75, batch=batch) for batch in (1, 2, 4)]
    records += [make.quality("hh_t2l", corpus=f"corpus_{i}", n=12) for i in range(3)]
    choice, _ = choice_of(records, max_tables=most)
    assert (len(choice.quality), len(choice.latency)) == (most, most)

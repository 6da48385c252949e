"""From every number to its record."""

import re
from html import unescape

import pytest

from lipbench.records.files import save_record
from lipbench.records.latency import ClipTime, UtteranceLatency
from lipbench.records.record import Cell
from lipbench.reports.page.links import MAX_DETAILED, record_anchor
from lipbench.reports.render import render


def page_of(records, run, out=None):
    for record in records:
        save_record(record, run)
    return render(run, out).html.read_text(encoding="utf-8")


def links(html):
    """Every link of a number: target to the texts that it is on."""
    found = {}
    for target, text in re.findall(r'<td[^>]*><a href="#([^"]+)">(.*?)</a>', html):
        found.setdefault(target, []).append(re.sub("<.*?>", "", text))
    return found


MEASURED = ("Quality", "Latency", "Latency at natural lengths", "The paper's tables")
"""Parts of a page whose tables hold what was measured; those of others hold machines, weights and the like."""


def natural(make, name):
    clips = [
        ClipTime(utterance=f"{i}", frames=50, true_frames=60, wall_s=0.1 + i / 100, digest="ab") for i in range(12)
    ]
    result = UtteranceLatency(
        system=make.system(name), device="cpu", dtype="float32", fps=25.0, timer="synchronised",
        corpus_fingerprint="cc" * 32, clips=clips,
    )  # fmt: skip
    cell = Cell(kind="natural", system=name, preset="small", corpus="grid", device="cpu", timer="synchronised")
    return make.record(cell, result=result)


def rows(html):
    """Part and cells of every row that is in the body of a table; a cell is its kind and what is in it."""
    parts = re.split(r'<h2 id="[^"]*">(.*?)</h2>', html)[1:]
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        part = unescape(title)
        for body in re.findall(r"<tbody>(.*?)</tbody>", text, flags=re.DOTALL):
            for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, flags=re.DOTALL):
                yield part, re.findall(r"<(t[dh])[^>]*>(.*?)</t[dh]>", row, flags=re.DOTALL)


def first_line(cell):
    return re.sub("<[^>]*>", "", cell.split("<br")[0])


def test_every_measured_number_of_every_table_has_a_link_or_its_row_has(make, tmp_path):
    names = ("hh_t2l", "dual_lip", "transformer_t2l")
    records = [make.quality(name, n=20, durations=d) for name in (*names, "first_frame") for d in ("true", "predicted")]
    records += [make.latency(name, frames) for name in names for frames in (25, 50, 75, 137)]
    records += [natural(make, name) for name in names]
    html = page_of(records, tmp_path)
    seen, bare = set(), []
    for part, ((_, head), *cells) in rows(html):
        if part in MEASURED:
            numbers = [cell for _, cell in cells if re.search(r"\d", first_line(cell))]
            seen |= {part} if numbers else set()
            if 'href="#r' not in head:
                bare += [(part, first_line(head), first_line(cell)) for cell in numbers if 'href="#r' not in cell]
    assert seen == set(MEASURED)
    assert bare == []


def test_rows_of_differences_and_of_the_papers_tables_lead_to_the_records_of_what_they_name(make, tmp_path):
    scored = {name: make.quality(name, n=20) for name in ("hh_t2l", "dual_lip", "first_frame")}
    timed = {n: make.latency("hh_t2l", n) for n in (75, 137)}
    html = page_of([*scored.values(), *timed.values(), make.latency("dual_lip", 75)], tmp_path)
    anchors = {name: record_anchor(record.cell.key) for name, record in scored.items()}
    heads = [head for _, ((_, head), *_) in rows(html) if " − " in head]
    assert f'<a href="#{anchors["hh_t2l"]}">HH-T2L</a> − <a href="#{anchors["dual_lip"]}">DualLip</a>' in heads
    of_paper = {first_line(head) + head[head.find("<small>") :]: cells for part, ((_, head), *cells) in rows(html)
                if part == "The paper's tables"}  # fmt: skip
    for n, corpus in ((75, "GRID"), (137, "TCD-TIMIT")):
        cells = of_paper[f"HH-T2L<small>{corpus}, {n} frames</small>"]
        assert f'href="#{record_anchor(timed[n].cell.key)}"' in cells[0][1]
    assert not any("href" in cell for _, cell in of_paper["DualLip<small>TCD-TIMIT, 137 frames</small>"])
    controls = [cells for part, ((_, head), *cells) in rows(html)
                if part == "The paper's tables" and first_line(head) == "First frame repeated"]  # fmt: skip
    assert controls
    assert all(f'href="#{anchors["first_frame"]}"' in cells[0][1] for cells in controls)


def test_rows_of_the_same_label_lead_to_the_record_of_their_own_table(make, tmp_path):
    records = [make.quality("hh_t2l", durations=durations, n=12) for durations in ("true", "predicted")]
    found = links(page_of(records, tmp_path))
    for record in records:
        mean = sum(clip.values["psnr"] for clip in record.result.clips) / 12
        assert f"{mean:.2f}" in found[record_anchor(record.cell.key)]


def test_a_failed_cell_leads_to_its_record(make, tmp_path):
    failed = make.failed(make.quality_cell("dual_lip"), message="out of memory")
    found = links(page_of([make.quality("hh_t2l"), failed], tmp_path))
    assert any("out of memory" in text for text in found[record_anchor(failed.cell.key)])


def test_a_length_that_failed_leads_to_its_own_record_and_the_others_to_theirs(make, tmp_path):
    failed = make.failed(make.latency_cell("hh_t2l", 200), message="no answer")
    records = [make.latency("hh_t2l", 25), make.latency("hh_t2l", 75), failed]
    found = links(page_of(records, tmp_path))
    assert {record_anchor(record.cell.key) for record in records} <= set(found)
    assert any("no answer" in text for text in found[record_anchor(failed.cell.key)])


def test_what_comes_from_several_records_leads_to_all_of_the_system(make, tmp_path):
    html = page_of([make.latency("hh_t2l", frames) for frames in (25, 50, 75, 100)], tmp_path)
    assert any(" L" in text for text in links(html)["records-of-hh_t2l"]), "the fit"
    assert 'id="records-of-hh_t2l"' in html


@pytest.mark.parametrize("out", [None, "elsewhere/deep", "a folder & more"])
def test_the_records_file_is_linked_from_wherever_the_report_lies(make, tmp_path, out):
    run = tmp_path / "run"
    record = make.quality("hh_t2l")
    html = page_of([record], run, None if out is None else tmp_path / out)
    ways = {None: "../records/", "elsewhere/deep": "../../run/records/", "a folder & more": "../run/records/"}
    assert f'href="{ways[out]}{record.cell.key}.json"' in html


def test_the_page_says_what_a_record_says_but_for_raw_values(make, tmp_path):
    html = page_of([make.quality("hh_t2l"), make.latency("hh_t2l", 75)], tmp_path)
    pres = re.findall(r'<pre tabindex="0">(.*?)</pre>', html, flags=re.DOTALL)
    assert len(pres) == 2
    assert all('"fingerprint"' in pre or '"frames": 75' in pre for pre in pres)
    assert not any("clip000" in pre or "wall_s" in pre for pre in pres)


def test_of_very_many_records_the_page_holds_some_and_links_all(make, tmp_path):
    records = [make.latency("hh_t2l", frames, n=1) for frames in range(1, MAX_DETAILED + 21)]
    html = page_of(records, tmp_path)
    assert html.count('<pre tabindex="0">') == MAX_DETAILED
    assert all(f'id="{record_anchor(record.cell.key)}"' in html for record in records)
    assert all(f'href="../records/{record.cell.key}.json"' in html for record in records)

"""From every number to its record."""

import re

import pytest

from benchmarks.record_files import save_record
from reports.render import render
from reports.sources import DETAILED, record_anchor


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
    records = [make.latency("hh_t2l", frames, n=1) for frames in range(1, DETAILED + 21)]
    html = page_of(records, tmp_path)
    assert html.count('<pre tabindex="0">') == DETAILED
    assert all(f'id="{record_anchor(record.cell.key)}"' in html for record in records)
    assert all(f'href="../records/{record.cell.key}.json"' in html for record in records)

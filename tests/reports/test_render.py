"""The whole report, from a folder of records to files."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from lipbench.errors import UserError
from lipbench.records.files import save_record
from lipbench.records.latency import Telemetry
from lipbench.records.quality import CorpusFacts
from lipbench.records.record import Cell
from lipbench.reports.render import render


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def demo(demo_run, tmp_path_factory):
    return render(demo_run, tmp_path_factory.mktemp("report"))


def report_of(records, folder):
    for record in records:
        save_record(record, folder)
    return render(folder)


def test_every_file_is_there_and_no_picture_is_blank(demo):
    assert demo.markdown.is_file()
    assert demo.html.is_file()
    pngs = [path for path in demo.figures if path.suffix == ".png"]
    # figure 5, two utterances in two conditions, and what else the records hold
    expected = {
        "durations-1-grid-predicted-paper",
        "latency-1-cpu-float32-batch1-small",
        "pareto_cpu-1-grid-predicted-paper",
        "pareto_cpu-2-grid-true-paper",
        "ssim_length-1-grid-predicted-paper",
        *(f"strip-{i}" for i in (1, 2, 3, 4)),
    }
    assert expected <= {path.stem for path in pngs}
    for path in pngs:
        extrema = Image.open(path).convert("L").getextrema()
        assert extrema[1] - extrema[0] > 150
    assert {path.stem for path in demo.figures if path.suffix == ".svg"} == {path.stem for path in pngs}
    assert not list(demo.markdown.parent.rglob(".*.tmp"))


def test_the_verdict_comes_first_and_is_made_from_the_data(demo):
    text = demo.markdown.read_text(encoding="utf-8")
    verdict = text.split("## Quality")[0]
    assert "**27 cells measured** (10 of quality and 17 of latency), **3 failed**" in verdict
    assert "**HH-T2L** is the fastest of 3 models" in verdict
    assert "Best on GRID, predicted durations: **DualLip** by PSNR; **HH-T2L** by SSIM, LMD" in verdict
    assert "A control beats every model: Mean frame of the clip on PSNR and SSIM" in verdict
    assert "No control beats" not in verdict
    order = [text.index(f"\n## {name}") for name in ("Quality", "Frames", "Latency", "Failed cells", "Provenance")]
    assert order == sorted(order)


def test_every_quality_table_has_a_heading_of_its_own(make, tmp_path):
    records = [
        make.quality(name, protocol=protocol)
        for name in ("hh_t2l", "dual_lip")
        for protocol in (make.PROTOCOL, make.OTHER_PROTOCOL)
    ]
    for record in records:
        save_record(record, tmp_path)
    text = render(tmp_path).markdown.read_text(encoding="utf-8")
    for protocol in ("paper", "lelechen63-2018"):
        place = f"GRID, predicted durations, protocol {protocol}"
        assert text.count(f"### {place}\n") == 1
        assert text.count(f"Best on {place}: ") == 1


def test_every_picture_has_a_caption_and_words_for_those_who_do_not_see_it(demo):
    text = demo.markdown.read_text(encoding="utf-8")
    found = re.findall(r"^!\[(.+)\]\((figures/\S+)\)\n\n\*\*(.+?)\.\*\* (.+)$", text, flags=re.MULTILINE)
    assert len(found) == 9
    for alt, _, title, caption in found:
        assert len(alt) > 20
        assert alt not in caption
        assert title
        assert "n = " in caption
    page = Page(demo.html)
    assert all(attributes["alt"] for tag, attributes in page.tags if tag == "img")


def test_markdown_refers_to_files_that_exist(demo):
    text = demo.markdown.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(((?:figures|tables)/[^)]+)\)", text)
    assert len(targets) == 9 + 4
    assert all((demo.markdown.parent / target).is_file() for target in targets)


def test_every_markdown_table_row_has_as_many_cells_as_its_header(demo):
    blocks = re.findall(r"(?:^\|.*\|$\n?)+", demo.markdown.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(blocks) >= 8
    for block in blocks:
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.strip().splitlines()}
        assert len(counts) == 1


def test_html_needs_nothing_from_elsewhere(demo):
    page = Page(demo.html)
    images = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert len(images) == 9
    assert all(source and source.startswith("data:image/") for source in images)
    assert not [tag for tag, attributes in page.tags if tag == "iframe" or (tag == "script" and "src" in attributes)]
    assert [attributes["href"] for tag, attributes in page.tags if tag == "link"] == ["data:,"]
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "prefers-color-scheme: dark" in page.text
    assert "@media print" in page.text
    assert "url(" not in page.text
    assert sum(tag == "table" for tag, _ in page.tags) >= 8


def test_html_marks_controls_and_lets_a_failure_span_its_row(demo):
    page = Page(demo.html)
    # three controls: in two parts of two quality tables, and in the paper's tables 1 and 4
    assert sum(attributes.get("class") == "control" for tag, attributes in page.tags if tag == "tr") == 18
    spans = [a["colspan"] for tag, a in page.tags if tag == "td" and a.get("class") == "failed" and "colspan" in a]
    assert spans == ["4", "4"]
    assert "the loss is nan | after 12 steps <b>" in page.text


def test_tables_as_data(demo):
    frames = {path.name: pd.read_csv(path) for path in demo.tables}
    assert set(frames) == {
        "quality-1-grid-predicted-paper.csv",
        "quality-2-grid-true-paper.csv",
        "latency-1-cpu-float32-batch1-small.csv",
        "paper.csv",
    }
    paper = frames["paper.csv"].set_index(["source", "system", "quantity"])
    assert paper.loc[("Table 1", "HH-T2L", "psnr"), "status"] == "not comparable"
    assert paper.loc[("Table 1", "TransformerT2L", "psnr"), "status"] == "failed"
    quality = frames["quality-1-grid-predicted-paper.csv"].set_index("system")
    assert quality.loc["hh_t2l", "psnr_paper"] == 28.74
    assert quality.loc["transformer_t2l", "status"] == "failed"
    latency = frames["latency-1-cpu-float32-batch1-small.csv"]
    assert len(latency) == 18
    assert latency.set_index(["system", "frames"]).loc[("transformer_t2l", 200), "status"] == "failed"


def test_provenance_has_the_clocks_as_far_as_they_were_read(make, tmp_path):
    def clocks(name, machine, telemetry):
        one = make.latency("hh_t2l", 75, machine=machine)
        one = one.model_copy(update={"result": one.result.model_copy(update={"telemetry": telemetry})})
        save_record(one, tmp_path / name)
        text = render(tmp_path / name).markdown.read_text(encoding="utf-8").split("## Provenance")[1]
        return dict(re.findall(r"^\| ([CG]PU clocks?) \| (.*) \|$", text, flags=re.MULTILINE))

    with_gpu = make.MACHINE.model_copy(update={"gpu": "H100", "gpu_driver": "550"})
    assert clocks("none", make.MACHINE, []) == {"CPU clock": "not measured"}
    assert clocks("none-gpu", with_gpu, []) == {"CPU clock": "not measured", "GPU clocks": "not measured"}
    blocks = [
        Telemetry(block=0, seconds=1.0, threads=2, cpu_mhz=2449.6, gpu_sm_mhz=(1410, 1980), throttled=[]),
        Telemetry(block=1, seconds=1.0, threads=2, cpu_mhz=3100.0, gpu_sm_mhz=(1200, 1980), throttled=["power cap"]),
    ]
    assert clocks("read", with_gpu, blocks) == {
        "CPU clock": "2\u202f450–3\u202f100 MHz, mean of the cores",
        "GPU clocks": "SM 1\u202f200–1\u202f980 MHz, slowed by power cap in 1 of 2 blocks",
    }


def test_provenance_names_code_machine_data_and_command(demo):
    text = demo.markdown.read_text(encoding="utf-8").split("## Provenance")[1]
    for fact in ("`0123456789ab`, clean", "3.11.2", "torch 2.14.1", "AMD EPYC 7B13, 2 cores", "c" * 64, "a" * 64):
        assert fact in text
    assert "    lipbench evaluate model=hh_t2l corpus=grid out=runs/demo" in text
    assert "idna" not in text
    assert "compare across them" not in text


def test_two_machines_and_commits_are_listed_each(make, tmp_path):
    other = make.SOFTWARE.model_copy(update={"commit": "f" * 40, "dirty": True})
    machine = make.MACHINE.model_copy(update={"cpu": "Xeon", "gpu": "NVIDIA H100", "gpu_driver": "570"})
    records = [make.quality("hh_t2l"), make.quality("dual_lip", software=other, machine=machine, command="another one")]
    text = report_of(records, tmp_path).markdown.read_text(encoding="utf-8")
    assert "from 2 machines and 2 commits" in text
    assert "uncommitted changes" in text
    assert "`ffffffffffff`" in text
    assert "NVIDIA H100, driver 570" in text
    assert "Environment 2" in text
    assert "    another one" in text


def test_a_run_with_only_latency(make, tmp_path):
    report = report_of([make.latency("hh_t2l", 75)], tmp_path)
    text = report.markdown.read_text(encoding="utf-8")
    assert "## Latency" in text
    assert "## Quality" not in text
    assert "## Frames" not in text
    assert "is the only model timed" in text


def test_a_run_with_only_quality(make, tmp_path):
    report = report_of([make.quality("hh_t2l"), make.quality("first_frame")], tmp_path)
    text = report.markdown.read_text(encoding="utf-8")
    assert "## Quality" in text
    assert "## Latency" not in text
    assert {path.stem for path in report.figures} == {"durations-1-grid-predicted-paper"}
    assert "the record names no strip file" in text
    assert "- Quality against latency (GRID, predicted durations): nothing was timed" in text
    assert "none failed" in text
    titles = "PSNR, SSIM, LMD and Aperture correlation"
    assert f"No control beats every model on any metric compared: {titles} (GRID, predicted durations)." in text
    assert "On GRID, predicted durations, **HH-T2L** has PSNR 28." in text


def test_differences_that_cannot_be_tested_are_left_out(make, tmp_path):
    few = [make.quality(name, n=4) for name in ("hh_t2l", "dual_lip")]
    assert "| Difference |" not in report_of(few, tmp_path / "few").markdown.read_text(encoding="utf-8")
    many = [make.quality(name, n=20) for name in ("hh_t2l", "dual_lip")]
    assert "| Difference |" in report_of(many, tmp_path / "many").markdown.read_text(encoding="utf-8")


def test_a_run_in_which_everything_failed(make, tmp_path):
    report = report_of([make.failed(Cell(kind="quality", system="hh_t2l", corpus="grid"), message="no data")], tmp_path)
    text = report.markdown.read_text(encoding="utf-8")
    assert "**0 cells measured**, **1 failed**" in text
    assert "RuntimeError: no data" in text


def test_untrained_models_are_not_called_best(make, tmp_path):
    raw = {"checkpoint": None, "training": None}
    report = report_of([make.quality(name, about=raw) for name in ("hh_t2l", "dual_lip")], tmp_path)
    verdict = report.markdown.read_text(encoding="utf-8").split("## Quality")[0]
    assert "no model was trained" in verdict
    assert "Best on" not in verdict


def test_no_records_is_the_error_of_load_records(tmp_path):
    with pytest.raises(UserError, match="holds no records"):
        render(tmp_path)
    with pytest.raises(UserError, match="there is no run at"):
        render(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_user_error(make, tmp_path):
    save_record(make.quality("hh_t2l", n=5), tmp_path)
    (tmp_path / "report").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="cannot be written"):
        render(tmp_path)


def test_the_default_folder_is_in_the_run_whichever_part_of_it_is_given(make, tmp_path):
    path = save_record(make.quality("hh_t2l", n=5), tmp_path)
    for given in (tmp_path, tmp_path / "records", path):
        assert render(given).markdown == tmp_path / "report" / "report.md"


def test_rendering_again_removes_what_has_gone_stale_and_nothing_else(make, tmp_path):
    first = report_of([make.quality("hh_t2l"), make.latency("hh_t2l", 75)], tmp_path)
    (first.markdown.parent / "figures" / "mine.png").write_bytes(b"")
    for path in (tmp_path / "records").glob("latency-*"):
        path.unlink()
    second = render(tmp_path)
    stale = [path for path in first.figures if path.name.startswith("latency-")]
    assert len(stale) == 2
    assert not [path for path in stale if path.exists()]
    assert {path.name for path in first.figures if path.exists()} == {path.name for path in second.figures}
    assert [path.name for path in second.tables] == ["quality-1-grid-predicted-paper.csv", "paper.csv"]
    assert {path.name for path in (first.markdown.parent / "tables").iterdir()} == {
        "quality-1-grid-predicted-paper.csv",
        "paper.csv",
    }
    assert (first.markdown.parent / "figures" / "mine.png").exists()


def test_rendering_is_deterministic(make, tmp_path):
    report = report_of([make.quality("hh_t2l"), make.latency("hh_t2l", 75)], tmp_path)
    before = report.html.read_bytes()
    assert render(tmp_path).html.read_bytes() == before


def test_whatever_a_record_says_stays_text(make, tmp_path):
    evil = "x|y <script>alert(1)</script> `a` [b](javascript:c) ![i](http://i) **d**\nnew"
    record = make.quality("hh_t2l", about={"title": evil, "checkpoint": "`" + evil}, command=evil, created=evil)
    corpus = CorpusFacts(name=evil, fingerprint="`" + evil, split=evil, clips=60)
    protocol = make.PROTOCOL.model_copy(update={"name": evil, "summary": evil, "fingerprint": "`" + evil})
    metrics = [make.METRICS[0].model_copy(update={"title": evil, "unit": evil})]
    result = record.result.model_copy(
        update={"corpus": corpus, "protocol": protocol, "metrics": metrics, "strip": evil}
    )
    machine = make.MACHINE.model_copy(update={"cpu": evil, "system": evil})
    records = [
        record.model_copy(update={"result": result, "machine": machine}),
        make.latency("zebra", 75, about={"title": evil, "preset": evil}, machine=machine),
        make.failed(Cell(kind="latency", system="yak", frames=75), kind=evil, message=evil),
    ]
    page = Page(report_of(records, tmp_path).html)
    plain = Page(report_of([make.quality("hh_t2l"), make.latency("zebra", 75)], tmp_path / "plain").html)
    assert [tag for tag, _ in page.tags].count("script") == [tag for tag, _ in plain.tags].count("script")
    assert not [tag for tag, _ in page.tags if tag == "iframe"]
    assert all(attributes["src"].startswith("data:") for tag, attributes in page.tags if tag == "img")
    assert not [a["href"] for tag, a in page.tags if tag == "a" and (a["href"] or "").startswith("javascript")]
    assert page.text.count("<script>alert(1)</script>") >= 10


def test_the_report_room_imports_no_torch(tmp_path):
    code = (
        "import json, sys, lipbench.reports.render;"
        "print(json.dumps([m for m in ('torch', 'hydra') if m in sys.modules]))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_where_all_models_are_equal_none_is_called_best(make, tmp_path):
    one = make.quality("hh_t2l")
    report = report_of([one, make.quality("dual_lip", scores=list(one.result.clips))], tmp_path)
    assert "Best on" not in report.markdown.read_text(encoding="utf-8").split("## Quality")[0]

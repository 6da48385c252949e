"""How long a report of ten thousand records takes, how much memory, and how long a page of twelve clips takes to open.

It takes a while, so it runs only when asked for: ``pytest benchmarks/internals/bench_report.py --lipbench-report``. The
records are made up, in the shape of a run of many models, lengths and batch sizes, a hundred clips in each that is of
quality; the report is made in a process of its own, whose peak memory is kept. The page is opened in the system's
Chromium. Targets stand beside the figures in `extra_info`, and the time that the processor worked on the report, which
says more where other work runs beside it; nothing timed is asserted.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from lipbench.records.latency import Latency, LatencySample
from lipbench.records.quality import ClipScore, CorpusFacts, MetricFacts, ProtocolFacts, Quality
from lipbench.records.record import Cell, Record
from lipbench.records.system import Machine, Software, System

if TYPE_CHECKING:
    from playwright.sync_api import Page


RECORDS, CLIPS = 10_000, 100
MODELS, SCORED_SYSTEMS, LENGTHS, BATCHES = 16, 11, 40, 4
"""Of each latency table that many models by lengths, one table per batch and preset; of each quality table that many
systems."""
SPEAKERS = 33
"""As GRID has."""
TARGET_S, TARGET_BYTES = 30.0, 2**30
PLAYED_CLIPS, TARGET_OPEN_S = 12, 2.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_REPORT_SCRIPT = """
import json, resource, sys, time
from pathlib import Path
start = time.perf_counter()
from lipbench.reports.render import render
rendered = render(Path(sys.argv[1]), Path(sys.argv[2]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time(), "peak_bytes": peak,
                  "markdown_bytes": rendered.markdown.stat().st_size, "html_bytes": rendered.html.stat().st_size}))
"""
"""What the other process does; its own imports are part of a report's time."""

_METRICS = [
    MetricFacts(name=name, title=name.upper(), unit="", higher_is_better=better)
    for name, better in (
        ("psnr", True), ("ssim", True), ("lmd", False), ("aperture_correlation", True), ("motion_energy_ratio", None),
        ("landmark_velocity_error", False), ("flicker", None), ("identity_similarity", True),
    )
]  # fmt: skip
_MACHINE = Machine(cpu="made up", cores=2, memory_bytes=2**33, system="Linux", threads=2)
_SOFTWARE = Software(python="3.11", packages={"torch": "2"}, commit="0" * 40, dirty=False)
_PROTOCOL = ProtocolFacts(name="paper", fingerprint="ab" * 32, summary="made up")


def _system(place: int, *, control: bool = False) -> System:
    model_names = ("hh_t2l", "dual_lip", "transformer_t2l")
    name = "first_frame" if control else model_names[place] if place < len(model_names) else f"model_{place}"
    kind = "control" if control else "model"
    return System(name=name, title=name, kind=kind, frame_size=(40, 80), checkpoint=None if control else "c" * 64)


def _record(cell: Cell, result: Quality | Latency) -> Record:
    return Record(
        created="2026-01-01T00:00:00+00:00", command="made up", cell=cell, status="measured", machine=_MACHINE,
        software=_SOFTWARE, result=result, seconds=1.0,
    )  # fmt: skip


def _quality(place: int, random: np.random.Generator, corpus: int, durations: str) -> Record:
    system = _system(place, control=place == SCORED_SYSTEMS - 1)
    clips = [
        ClipScore(
            utterance=f"s{i % SPEAKERS}/{i:04d}", speaker=f"s{i % SPEAKERS}", text="bin blue",
            frames=75, generated_frames=75,
            values={m.name: float(random.normal(20 + place, 1)) for m in _METRICS},
        )
        for i in range(CLIPS)
    ]  # fmt: skip
    result = Quality.model_validate(
        {
            "system": system,
            "corpus": CorpusFacts(name=f"corpus_{corpus}", fingerprint=f"{corpus:064d}", split="test", clips=CLIPS),
            "protocol": _PROTOCOL, "durations": durations, "device": "cpu", "metrics": _METRICS, "clips": clips,
        }
    )  # fmt: skip
    cell = Cell.model_validate(
        {"kind": "quality", "system": system.name, "role": system.kind, "corpus": f"corpus_{corpus}",
         "durations": durations, "split": "test"}
    )  # fmt: skip
    return _record(cell, result)


def _latency(place: int, random: np.random.Generator, frames: int, batch: int, preset: str) -> Record:
    system = _system(place).model_copy(update={"preset": preset})
    walls = (0.01 + 0.0004 * frames * (1 + place)) * (1 + 0.02 * random.gamma(1.5, size=30))
    result = Latency(
        system=system, device="cpu", dtype="float32", batch=batch, frames=frames, tokens=20, fps=25.0,
        first_call_s=0.1, warmup=[], samples=[LatencySample(wall_s=float(wall)) for wall in walls], settled=True,
    )  # fmt: skip
    cell = Cell(kind="latency", system=system.name, frames=frames, batch=batch, preset=preset, device="cpu")
    return _record(cell, result)


def make_run(folder: Path, records: int = RECORDS) -> int:
    """Write a made-up run: 10 corpora in both durations modes, the rest of the records latency.

    Returns:
        How many records it has.
    """
    random = np.random.default_rng(0)
    run_records = [
        _quality(place, random, corpus, durations)
        for corpus in range(10)
        for durations in ("true", "predicted")
        for place in range(SCORED_SYSTEMS)
    ]
    per_preset = MODELS * LENGTHS * BATCHES
    for i in range(records - len(run_records)):
        preset, rest = divmod(i, per_preset)
        batch, rest = divmod(rest, MODELS * LENGTHS)
        place, length = divmod(rest, LENGTHS)
        run_records.append(_latency(place, random, 12 * (length + 1), 2**batch, f"preset{preset}"))
    target = folder / "records"
    target.mkdir(parents=True)
    for record in run_records:
        # not one by one to the disk, as a run must: ten thousand waits for it are not what is measured
        (target / f"{record.cell.key}.json").write_text(record.model_dump_json(indent=1), encoding="utf-8")
    return len(list(target.iterdir()))


def bench_report(benchmark: BenchmarkFixture, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Render ten thousand records, from folder to files."""
    if not request.config.getoption("--lipbench-report"):
        pytest.skip("takes half a minute or more: ask for it with --lipbench-report")
    assert make_run(tmp_path / "run") == RECORDS
    command = [sys.executable, "-c", _REPORT_SCRIPT, str(tmp_path / "run"), str(tmp_path / "out")]
    root = Path(__file__).resolve().parents[2]

    def report() -> dict[str, float]:
        process = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        return json.loads(process.stdout)

    figures = benchmark.pedantic(report, rounds=1)
    benchmark.extra_info.update(
        figures, records=RECORDS, clips=CLIPS, target_s=TARGET_S, target_bytes=TARGET_BYTES, load=os.getloadavg()
    )


def make_playable_run(folder: Path) -> None:
    """Write a run of three models whose clips were kept: synthetic mouths of the paper's size, 75 frames each."""
    from lipbench.corpora.synthetic.corpus import SyntheticCorpus
    from lipbench.corpora.video import write_video

    random = np.random.default_rng(0)
    corpus = SyntheticCorpus(test=PLAYED_CLIPS, seconds=(3.0, 3.0))
    utterances = [corpus.load(name) for name in corpus.ids("test")]
    for clip in utterances:
        write_video(clip.frames, folder / "real" / f"{clip.id}.mkv", corpus.fps, lossless=True)
    target = folder / "records"
    target.mkdir(parents=True)
    for place in range(3):
        record = _quality(place, random, 0, "predicted")
        assert isinstance(record.result, Quality)
        clips, index = [], {}
        for clip, score in zip(utterances, record.result.clips, strict=False):
            frames = len(clip.frames)
            file = f"{clip.id}.mkv"
            noisy = clip.frames + random.normal(0, 4, clip.frames.shape)
            path = folder / "generated" / record.cell.key / file
            write_video(noisy.clip(0, 255).astype(np.uint8), path, corpus.fps, lossless=True)
            index[clip.id] = {"file": file, "durations": None, "real": f"real/{file}"}
            opening = [float(value) for value in random.random(frames)]
            facts = {"utterance": clip.id, "frames": frames, "generated_frames": frames}
            clips.append(score.model_copy(update={**facts, "aperture": opening, "aperture_truth": opening}))
        clip_folder = f"generated/{record.cell.key}"
        (folder / clip_folder / "clips.json").write_text(json.dumps(index), encoding="utf-8")
        result = record.result.model_copy(update={"clips": clips, "generated": clip_folder})
        record = record.model_copy(update={"result": result})
        (target / f"{record.cell.key}.json").write_text(record.model_dump_json(indent=1), encoding="utf-8")


def bench_page(benchmark: BenchmarkFixture, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Open a page with twelve clips of three models, from the address to the first frame of every side."""
    if not request.config.getoption("--lipbench-report"):
        pytest.skip("needs a browser and some seconds: ask for it with --lipbench-report")
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        pytest.skip(f"there is no browser: none of {', '.join(BROWSERS)} is installed")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright drives the browser: install lipbench[dev]"
    )
    from lipbench.reports.render import render

    make_playable_run(tmp_path / "run")
    page_file = render(tmp_path / "run", tmp_path / "out", clips=PLAYED_CLIPS).html
    visits: list[dict[str, float]] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path)

        def opened() -> None:
            context = browser.new_context()  # with nothing kept from the round before
            try:
                page = context.new_page()
                page.goto(page_file.as_uri(), wait_until="load")
                visits.append(_first_frame(page))
            finally:
                context.close()

        try:
            opened()  # the browser itself starts with its first page
            visits.clear()
            benchmark.pedantic(opened, rounds=5)
        finally:
            browser.close()
    medians = {name: statistics.median(visit[name] for visit in visits) for name in visits[0]}
    benchmark.extra_info.update(
        medians, clips=PLAYED_CLIPS, target_s=TARGET_OPEN_S, html_bytes=page_file.stat().st_size, load=os.getloadavg()
    )


def _first_frame(page: Page) -> dict[str, float]:
    """Seconds from the start of a visit to the load event, and until every side of the player shows its first frame."""
    sides = "[...document.querySelectorAll('#sides canvas')]"
    assert page.evaluate(f"{sides}.length") == 4, "the truth and three models"
    for _ in range(2000):
        # asked by evaluate: the page's policy stops a wait within the page as it does any foreign script
        if page.evaluate(f"{sides}.every(canvas => canvas.dataset.frame !== undefined)"):
            first_frame_ms = page.evaluate("performance.now()")
            load = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
            assert page.evaluate("document.querySelectorAll('#clip-list button.open').length") == PLAYED_CLIPS
            return {"load_s": load / 1000, "first_frame_s": first_frame_ms / 1000}
        page.wait_for_timeout(5)
    raise AssertionError("the player never showed a frame")

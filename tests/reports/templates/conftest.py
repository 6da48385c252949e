"""A page in a real browser, and ways to drive it; the tests skip where there is none."""

import json
import shutil
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from lipbench.corpora.video import write_video
from lipbench.records.files import save_record
from lipbench.reports.render import render

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
EVIL = "</script><img src=x onerror=alert(1)>"
LENGTHS = (10, 12, 14, 16)
MODELS = {"hh_t2l": 3, "dual_lip": 40}
"""Model to what is added to the level of its frames, so that a picture tells whose it is and which."""


def level(frame, offset=0):
    return 20 + 12 * frame + offset


def video(path, frames, offset):
    shades = [level(n, offset) for n in range(frames)]
    write_video(np.stack([np.full((40, 80, 3), shade, np.uint8) for shade in shades]), path, 25.0, lossless=True)


@pytest.fixture(scope="session")
def run(make, tmp_path_factory):
    """Two models and a control, 24 clips of four lengths and two speakers, one of whom has HTML for a name."""
    run = tmp_path_factory.mktemp("run")
    speakers = ("s1", EVIL)
    for name in (*MODELS, "first_frame"):
        scores = []
        for i, score in enumerate(make.clips(name, 24, speakers=speakers)):
            frames = LENGTHS[i % 4]
            made = frames - 2 if name == "dual_lip" else frames
            changes = {
                "utterance": f"clip{i:02d}",
                "text": f"{EVIL} {i}",
                "frames": frames,
                "generated_frames": made,
                "aperture": [None, *np.linspace(1, 9, made - 1).tolist()],
                "aperture_truth": np.linspace(2, 6, frames).tolist(),
            }
            scores.append(score.model_copy(update=changes))
        record = make.quality(name, scores=scores, about={"title": EVIL} if name == "dual_lip" else None)
        if name in MODELS:
            folder = f"generated/{name}"
            index = {}
            for score in scores:
                file = f"{score.utterance}.mkv"
                video(run / folder / file, score.generated_frames, MODELS[name])
                if not (run / "real" / file).is_file():
                    video(run / "real" / file, score.frames, 0)
                index[score.utterance] = {"file": file, "durations": None, "real": f"real/{file}"}
            (run / folder / "clips.json").write_text(json.dumps(index))
            record = record.model_copy(update={"result": record.result.model_copy(update={"generated": folder})})
        save_record(record, run)
    save_record(make.quality("hh_t2l", durations="true", n=5), run)
    for frames in (25, 50, 75):
        save_record(make.latency("hh_t2l", frames), run)
        save_record(make.latency("dual_lip", frames), run)
    return run


@pytest.fixture(scope="session")
def report(run):
    return render(run)


@pytest.fixture(scope="session")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"there is no browser: none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser, report):
    """Opens the page; whatever a test does on it, no error and no request may come of it."""
    contexts, errors, requests = [], [], []

    def opened(address=None, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: (errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address or report.html.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
    assert {urlsplit(url).scheme for url in requests} <= {"file", "data", "blob"}
    assert any(url.startswith("file:") for url in requests)


@pytest.fixture
def page(visit):
    return visit()


def until(page, expression):
    """Wait for something; the page's policy stops Playwright's own means as it does any foreign script."""
    for _ in range(500):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"never true: {expression}")


def shown(page):
    """Frame number and level of every side, once all pictures are there."""
    canvases = "[...document.querySelectorAll('#sides canvas')]"
    until(page, f"{canvases}.every(c => c.dataset.frame !== undefined)")
    found = page.evaluate(
        f"{canvases}.map(c => [Number(c.dataset.frame), c.getContext('2d').getImageData(40, 20, 1, 1).data[0]])"
    )
    return SimpleNamespace(frames=[n for n, _ in found], levels=[value for _, value in found])


def seek(page, frame):
    page.locator("#slider").evaluate("(s, n) => { s.value = n; s.dispatchEvent(new Event('input')); }", frame)


def open_clip(page, name):
    page.locator("#clip-list button.open", has_text=name).click()


def playable(page, *, frames):
    """Name of a clip of so many frames that can be played."""
    rows = "[...document.querySelectorAll('#clip-list tbody tr')].filter(row => row.querySelector('button.open'))"
    found = page.evaluate(f"{rows}.map(row => [row.cells[0].innerText, row.cells[2].innerText])")
    return next(name.strip() for name, length in found if length == str(frames))


def column(table, n):
    """First line of every row's cell in a column, from 0."""
    return table.locator("tbody tr").evaluate_all(
        "(rows, n) => rows.map(row => (row.cells[n]?.innerText || '').split('\\n')[0].trim())", n
    )


@pytest.fixture(scope="session")
def drive():
    """What these tests share; see the functions of this file."""
    functions = (until, shown, seek, open_clip, playable, column, level)
    return SimpleNamespace(EVIL=EVIL, MODELS=MODELS, **{one.__name__: one for one in functions})

"""The page in a real browser: what plays, sorts, filters and leads to records, by mouse and by keyboard."""

import json
import os
import re
import shutil
from itertools import pairwise
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from benchmarks.record_files import save_record
from corpora.video import write_video
from reports.render import render

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


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def report(run):
    return render(run)


@pytest.fixture(scope="module")
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


def test_the_first_clip_is_there_from_every_side(page):
    assert page.title() == "Text-to-lip benchmark"
    names = page.locator("#sides .name").all_inner_texts()
    assert names == ["Ground truth", "HH-T2L", EVIL]
    assert "worst of HH-T2L by Aperture correlation" in page.locator("#clip-facts").inner_text()
    assert shown(page).frames == [0, 0, 0]


def test_the_slider_moves_every_side_and_the_cursor_to_the_frame_that_it_names(page):
    open_clip(page, playable(page, frames=16))
    before = page.locator("#curves .cursor").get_attribute("x1")
    for frame in (3, 9, 13):
        seek(page, frame)
        found = shown(page)
        assert found.frames == [frame] * 3
        for value, offset in zip(found.levels, (0, *MODELS.values()), strict=True):
            assert abs(value - level(frame, offset)) <= 5
        assert page.locator("#where").inner_text().startswith(f"frame {frame} of 15 ·")
        assert page.locator("#slider").get_attribute("aria-valuetext").startswith(f"frame {frame} of 15,")
    assert float(page.locator("#curves .cursor").get_attribute("x1")) > float(before)
    assert page.locator("#curves path.line").count() == 3
    assert "opening 6.0 px" not in page.locator("#sides figure").first.inner_text()
    seek(page, 15)
    assert "opening 6.0 px" in page.locator("#sides figure").first.inner_text()


def test_a_side_that_is_shorter_ends_at_its_last_frame(page):
    open_clip(page, playable(page, frames=16))
    seek(page, 15)
    assert shown(page).frames == [15, 15, 13]
    assert page.locator("#sides figure.ended").count() == 1
    seek(page, 13)
    assert page.locator("#sides figure.ended").count() == 0


def test_it_plays_in_step_and_pauses(page):
    open_clip(page, playable(page, frames=16))
    page.locator("#speed").select_option("0.25")
    page.get_by_role("button", name="Play").click()
    seen = set()
    for _ in range(200):
        frames = shown(page).frames
        assert frames[0] == frames[1] == max(frames[2], frames[0] if frames[2] == 13 else 0)
        seen.add(frames[0])
        if len(seen) >= 4:
            break
        page.wait_for_timeout(20)
    assert len(seen) >= 4
    page.get_by_role("button", name="Pause").click()
    stopped = shown(page).frames
    page.wait_for_timeout(350)
    assert shown(page).frames == stopped


def test_it_stops_at_the_end_unless_it_is_to_repeat(page):
    page.get_by_label("Repeat").uncheck()
    open_clip(page, playable(page, frames=10))
    page.get_by_role("button", name="Play").click()
    until(page, "document.querySelector('#play span').textContent === 'Play'")
    assert shown(page).frames[0] == 9


def test_the_keyboard_does_all_of_it(page):
    open_clip(page, playable(page, frames=16))
    page.locator("#slider").focus()
    for key, frame in (("ArrowRight", 1), ("Shift+ArrowRight", 11), ("ArrowLeft", 10), ("End", 15), ("Home", 0)):
        page.keyboard.press(key)
        assert shown(page).frames[0] == frame, key
    page.locator("#speed").select_option("0.1")
    page.locator("#slider").focus()
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Pause").count() == 1
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Play").count() == 1
    page.get_by_role("button", name="One frame on").focus()
    before = shown(page).frames[0]
    page.keyboard.press("Enter")
    assert shown(page).frames[0] == before + 1


def test_a_click_on_the_curves_goes_there(page):
    open_clip(page, playable(page, frames=16))
    box = page.locator("#curves").bounding_box()
    page.locator("#curves").click(position={"x": box["width"] - 13, "y": 40})
    assert shown(page).frames[0] == 15


def test_a_table_sorts_within_models_and_controls_and_comes_back(page):
    table = page.locator("table.sortable", has=page.get_by_role("button", name="PSNR")).first
    header = table.locator("th", has_text="PSNR")
    before = column(table, 0)
    assert "Controls" in " ".join(before).title()
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    values = [float(text) for text in column(table, 1)[:2]]
    assert values == sorted(values, reverse=True)
    header.get_by_role("button").press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert [float(text) for text in column(table, 1)[:2]] == sorted(values)
    assert column(table, 0)[2:] == before[2:], "controls stay beneath"
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") is None
    assert column(table, 0) == before


def test_the_list_sorts_and_filters(page):
    table = page.locator("#clip-list")
    table.get_by_role("button", name="HH-T2L").click()
    values = [float(text.replace("−", "-")) for text in column(table, 3)]
    assert len(values) == 24
    assert values == sorted(values, reverse=True), "of a correlation more is better"
    page.locator("#metric").select_option("lmd")
    assert "LMD ↓ px" in table.locator("thead").inner_text()
    page.locator("#speaker").select_option("s1")
    assert set(column(table, 1)) == {"s1"}
    page.locator("#shortest").fill("12")
    page.locator("#longest").fill("14")
    assert set(column(table, 2)) == {"14"}, "s1 has no clips of 12 frames"
    assert page.locator("#list-count").inner_text().startswith("6 of 24 clips")
    page.locator("#shortest").fill("99")
    assert table.locator("tbody tr").count() == 0
    assert page.locator("#player").is_hidden()
    page.locator("#shortest").fill("")
    assert page.locator("#player").is_visible()


def test_worst_and_best_follow_the_metric(page, run):
    page.locator("#metric").select_option("psnr")
    path = next((run / "records").glob("quality-hh_t2l-grid-predicted-*.json"))
    clips = json.loads(path.read_text())["result"]["clips"]
    order = [clip["utterance"] for clip in sorted(clips, key=lambda clip: clip["values"]["psnr"])]
    worst, best = page.locator("#extremes tbody tr").first.locator("td").all_inner_texts()
    assert re.findall(r"clip\d\d", worst) == order[:3]
    assert re.findall(r"clip\d\d", best) == order[:-4:-1]


def test_as_many_clips_play_as_were_asked_for(page, run, visit, tmp_path):
    assert page.locator("#clip-list button.open").count() == 12
    few = visit(render(run, tmp_path / "few", clips=3).html.as_uri())
    assert few.locator("#clip-list button.open").count() == 3
    none = visit(render(run, tmp_path / "none", clips=0).html.as_uri())
    assert none.locator("#player").is_hidden()
    assert none.locator("#clip-list tbody tr").count() == 24


def test_a_table_whose_clips_were_not_kept_has_a_list_of_them(page):
    page.locator("#board").select_option(label="GRID, true durations")
    assert page.locator("#clip-list tbody tr").count() == 5
    assert page.locator("#player").is_hidden()
    assert "No clips of HH-T2L: its record names no kept clips" in page.locator("#clips-section").inner_text()
    page.locator("#board").select_option(label="GRID, predicted durations")
    assert shown(page).frames == [0, 0, 0]


def test_every_number_leads_to_its_record(page, run, report):
    links = page.locator("a.source")
    targets = set(links.evaluate_all("all => all.map(a => decodeURIComponent(a.hash.slice(1)))"))
    ids = set(page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
    assert targets <= ids
    keys = {path.stem for path in (run / "records").iterdir()}
    assert {f"record-{key}" for key in keys} <= targets
    number = page.locator("table.sortable tbody tr", has_text="HH-T2L").first.locator("a.source").first
    number.click()
    key = next(key for key in keys if key.startswith("quality-hh_t2l-grid-predicted"))
    details = page.locator(f"[id='record-{key}'] details")
    assert details.get_attribute("open") is not None
    assert json.loads(details.locator("pre").inner_text())["result"]["system"]["name"] == "hh_t2l"
    href = details.get_by_role("link", name="the whole record").get_attribute("href")
    assert os.path.samefile(report.html.parent / unquote(href), run / "records" / f"{key}.json")


def test_a_length_leads_to_the_record_of_that_length(page):
    table = page.locator("table.sortable", has=page.get_by_role("button", name="75 frames")).first
    cells = table.locator("tbody tr", has_text="HH-T2L").first.locator("td")
    hrefs = [cells.nth(n).locator("a").get_attribute("href") for n in (1, 2, 3)]
    assert [re.search(r"-(\d{4})-", href)[1] for href in hrefs] == ["0025", "0050", "0075"]


def test_the_theme_is_the_systems_until_another_is_chosen(visit):
    def dark(page):
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", color)[:3])) < 200

    light, night = visit(color_scheme="light"), visit(color_scheme="dark")
    assert not dark(light)
    assert dark(night)
    light.get_by_label("Theme").select_option("dark")
    night.get_by_label("Theme").select_option("light")
    assert dark(light)
    assert not dark(night)
    night.reload()
    assert not dark(night), "the choice is kept"
    night.get_by_label("Theme").select_option("")
    assert dark(night)


def test_what_a_record_says_stays_text(page):
    assert page.locator("img[src='x']").count() == 0
    assert page.locator("#clip-title").inner_text().startswith(f"“{EVIL}")
    assert EVIL in page.locator("#speaker option").all_inner_texts()
    assert page.locator("h3", has_text=EVIL).count() >= 1


def test_no_script_of_a_records_runs_even_if_it_came_in(visit, report, tmp_path):
    text = report.html.read_text(encoding="utf-8")
    assert text.count("<main") == 1
    broken = tmp_path / "index.html"
    broken.write_text(text.replace("<main", "<script>document.title = 'taken'</script><main"), encoding="utf-8")
    context = visit().context
    page = context.new_page()
    page.goto(broken.as_uri())
    assert page.title() == "Text-to-lip benchmark"


def test_every_control_has_a_name_and_headings_are_in_order(page):
    nameless = page.evaluate(
        """[...document.querySelectorAll("button, select, input, a[href], summary, canvas, svg[role=img]")]
        .filter((e) => {
          const named = e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.textContent.trim();
          const labels = e.labels && [...e.labels].some((label) => label.textContent.trim());
          return e.matches("select, input") ? !labels : !named;
        }).map((e) => e.outerHTML)"""
    )
    assert nameless == []
    headings = "[...document.querySelectorAll('h1, h2, h3, h4')].filter(h => h.checkVisibility())"
    levels = page.evaluate(f"{headings}.map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert page.get_by_role("main").count() == page.get_by_role("navigation").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.evaluate("[...document.images].every(image => image.alt)")


def test_focus_can_be_seen(page):
    for selector in ("#play", "#slider", "button.sort >> nth=0", "nav a >> nth=0"):
        page.keyboard.press("Tab")  # so that the browser counts what follows as by keyboard
        page.locator(selector).focus()
        assert page.locator(selector).evaluate("e => getComputedStyle(e).outlineStyle") == "solid", selector


CONTRAST = """() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    context.clearRect(0, 0, 1, 1); context.fillStyle = color; context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = rgba(getComputedStyle(one).backgroundColor);
      if (color[3] === 255) return color;
    }
    return rgba("white");
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest(".unseen, .ended, option, script")) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${element.outerHTML.slice(0, 120)}`);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(visit, scheme):
    page = visit(color_scheme=scheme)
    shown(page)
    assert page.evaluate(CONTRAST) == []


def test_nothing_moves_by_itself_for_those_who_want_no_motion(visit):
    page = visit(reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert page.get_by_role("button", name="Play").count() == 1


@pytest.mark.parametrize("width", [320, 400, 768, 1400])
def test_the_page_is_never_wider_than_the_screen(visit, width):
    page = visit(viewport={"width": width, "height": 800})
    shown(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_on_paper_there_are_tables_and_a_frame_and_nothing_to_press(page):
    shown(page)
    page.emulate_media(media="print")
    for selector in ("nav", "#transport", "#choose", "#theme", "#records"):
        assert page.locator(selector).is_hidden(), selector
    assert page.locator("#sides canvas").first.is_visible()
    assert page.locator("main table").first.is_visible()

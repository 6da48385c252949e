"""The page: its theme, that it runs nothing foreign, reads well by any means, on any screen and on paper."""

import re
from itertools import pairwise

import pytest


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


def test_what_a_record_says_stays_text(page, drive):
    assert page.locator("img[src='x']").count() == 0
    assert page.locator("#clip-title").inner_text().startswith(f"“{drive.EVIL}")
    assert drive.EVIL in page.locator("#speaker option").all_inner_texts()
    assert page.locator("h3", has_text=drive.EVIL).count() >= 1


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


def test_no_two_things_have_one_name_and_every_table_has_one(page):
    def of(selector):
        return page.evaluate(
            """(selector) => [...document.querySelectorAll(selector)].map((e) => e.getAttribute("aria-label")
            || (e.getAttribute("aria-labelledby") || "").split(" ").map((id) => document.getElementById(id).textContent)
            .join(" "))""",
            selector,
        )

    for selector in (".scroll", "[aria-label]"):
        names = of(selector)
        assert all(names)
        assert len(set(names)) == len(names), selector
    named = "t => t.caption ? t.caption.textContent : t.getAttribute('aria-labelledby')"
    captions = page.evaluate(f"[...document.querySelectorAll('table')].map({named})")
    assert all(captions)
    assert len(set(captions)) == len(captions)
    assert any(caption.endswith(": Every cell: percentiles, first call, whether it was stable") for caption in captions)


def test_rows_have_heads_and_heads_say_of_what(page):
    assert page.locator("main tbody tr").count() > 20
    headless = "[...document.querySelectorAll('main tbody tr')].filter(r => r.cells[0].scope !== 'row')"
    assert page.evaluate(f"{headless}.map(r => r.outerHTML)") == []
    assert page.evaluate("[...document.querySelectorAll('main thead th')].filter(h => h.scope !== 'col').length") == 0
    controls = page.locator("tr.controls-head").first
    assert controls.locator("th, td").count() == 1


def test_what_is_typed_into_a_filter_is_told_once_when_it_rests(page, drive):
    page.evaluate("""() => {
      window.told = [];
      new MutationObserver(() => told.push(document.getElementById("said").textContent))
        .observe(document.getElementById("said"), { childList: true });
    }""")
    page.locator("#shortest").press_sequentially("12", delay=30)
    assert page.evaluate("told") == []
    drive.until(page, "told.length > 0")
    page.wait_for_timeout(900)
    assert len(page.evaluate("told")) == 1
    assert "clips listed" in page.evaluate("told")[0]


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
def test_text_stands_out_from_what_is_behind_it(visit, scheme, drive):
    page = visit(color_scheme=scheme)
    drive.shown(page)
    assert page.evaluate(CONTRAST) == []


def test_nothing_moves_by_itself_for_those_who_want_no_motion(visit):
    page = visit(reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert page.get_by_role("button", name="Play").count() == 1


@pytest.mark.parametrize("width", [320, 400, 768, 1400])
def test_the_page_is_never_wider_than_the_screen(visit, width, drive):
    page = visit(viewport={"width": width, "height": 800})
    drive.shown(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_on_paper_there_are_tables_and_a_frame_and_nothing_to_press(page, drive):
    drive.shown(page)
    page.emulate_media(media="print")
    for selector in ("nav", "#transport", "#choose", "#theme", "#records"):
        assert page.locator(selector).is_hidden(), selector
    assert page.locator("#sides canvas").first.is_visible()
    assert page.locator("main table").first.is_visible()

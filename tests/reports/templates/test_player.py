"""The player: what is shown, plays and steps, by mouse and by keyboard."""

import shutil

from lipbench.records.files import save_record
from lipbench.reports.render import render


def test_the_first_clip_is_there_from_every_side(page, drive):
    assert page.title() == "Text-to-lip benchmark"
    names = page.locator("#sides .name").all_inner_texts()
    assert names == ["Ground truth", "HH-T2L", drive.EVIL]
    assert "worst of HH-T2L by Aperture correlation" in page.locator("#clip-facts").inner_text()
    assert drive.shown(page).frames == [0, 0, 0]


def test_the_slider_moves_every_side_and_the_cursor_to_the_frame_that_it_names(page, drive):
    drive.open_clip(page, drive.playable(page, frames=16))
    before = page.locator("#curves .cursor").get_attribute("x1")
    for frame in (3, 9, 13):
        drive.seek(page, frame)
        found = drive.shown(page)
        assert found.frames == [frame] * 3
        for value, offset in zip(found.levels, (0, *drive.MODELS.values()), strict=True):
            assert abs(value - drive.level(frame, offset)) <= 5
        assert page.locator("#where").inner_text().startswith(f"frame {frame} of 15 ·")
        assert page.locator("#slider").get_attribute("aria-valuetext").startswith(f"frame {frame} of 15,")
    assert float(page.locator("#curves .cursor").get_attribute("x1")) > float(before)
    assert page.locator("#curves path.line").count() == 3
    assert "opening 6.0 px" not in page.locator("#sides figure").first.inner_text()
    drive.seek(page, 15)
    assert "opening 6.0 px" in page.locator("#sides figure").first.inner_text()


def test_a_side_that_is_shorter_ends_at_its_last_frame(page, drive):
    drive.open_clip(page, drive.playable(page, frames=16))
    drive.seek(page, 15)
    assert drive.shown(page).frames == [15, 15, 13]
    assert page.locator("#sides figure.ended").count() == 1
    drive.seek(page, 13)
    assert page.locator("#sides figure.ended").count() == 0


def test_it_plays_in_step_and_pauses(page, drive):
    drive.open_clip(page, drive.playable(page, frames=16))
    page.locator("#speed").select_option("0.25")
    page.get_by_role("button", name="Play").click()
    seen = set()
    for _ in range(200):
        frames = drive.shown(page).frames
        assert frames[0] == frames[1] == max(frames[2], frames[0] if frames[2] == 13 else 0)
        seen.add(frames[0])
        if len(seen) >= 4:
            break
        page.wait_for_timeout(20)
    assert len(seen) >= 4
    page.get_by_role("button", name="Pause").click()
    stopped = drive.shown(page).frames
    page.wait_for_timeout(350)
    assert drive.shown(page).frames == stopped


def test_it_stops_at_the_end_unless_it_is_to_repeat(page, drive):
    page.get_by_label("Repeat").uncheck()
    drive.open_clip(page, drive.playable(page, frames=10))
    page.get_by_role("button", name="Play").click()
    drive.until(page, "document.querySelector('#play span').textContent === 'Play'")
    assert drive.shown(page).frames[0] == 9


def test_the_keyboard_does_all_of_it(page, drive):
    drive.open_clip(page, drive.playable(page, frames=16))
    page.locator("#slider").focus()
    for key, frame in (("ArrowRight", 1), ("Shift+ArrowRight", 11), ("ArrowLeft", 10), ("End", 15), ("Home", 0)):
        page.keyboard.press(key)
        assert drive.shown(page).frames[0] == frame, key
    page.locator("#speed").select_option("0.1")
    page.locator("#slider").focus()
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Pause").count() == 1
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Play").count() == 1
    page.get_by_role("button", name="One frame on").focus()
    before = drive.shown(page).frames[0]
    page.keyboard.press("Enter")
    assert drive.shown(page).frames[0] == before + 1


def test_a_click_on_the_curves_goes_there(page, drive):
    drive.open_clip(page, drive.playable(page, frames=16))
    box = page.locator("#curves").bounding_box()
    page.locator("#curves").click(position={"x": box["width"] - 13, "y": 40})
    assert drive.shown(page).frames[0] == 15


def test_the_first_table_with_clips_is_shown_though_others_come_before_it(visit, run, make, drive, tmp_path):
    shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("report"))
    earlier = make.quality("hh_t2l", protocol=make.OTHER_PROTOCOL, n=5)
    assert earlier.result.protocol.name < make.PROTOCOL.name, "tables of one condition stand in this order"
    save_record(earlier, tmp_path / "run")
    page = visit(render(tmp_path / "run").html.as_uri())
    assert page.locator("#board").evaluate("b => b.selectedIndex") == 1
    assert drive.shown(page).frames == [0, 0, 0]

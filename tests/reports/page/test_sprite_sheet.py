"""Clips as sheets of frames."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lipbench.corpora.video import write_video
from lipbench.reports.page.sprite_sheet import MAX_FRAMES, MAX_WIDTH, NoClipError, pack_sheet, read_sheet


def flat(levels, size=(40, 80)):
    return [np.full((*size, 3), level, np.uint8) for level in levels]


def frame_of(sheet, n):
    """Frame `n` as the page's script cuts it out."""
    picture = np.asarray(Image.open(io.BytesIO(sheet.picture)).convert("RGB"))
    (height, width), (down, across) = sheet.size, sheet.stride
    top, left = n // sheet.columns * down, n % sheet.columns * across
    return picture[top : top + height, left : left + width]


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.sampled_from(range(0, 256, 51)), min_size=1, max_size=30),
    st.tuples(st.integers(1, 50), st.integers(1, 90)),
)
def test_every_frame_is_found_where_the_sheet_says_and_none_runs_into_another(levels, size):
    sheet = pack_sheet(flat(levels, size), fps=25)
    assert sheet.frames == sheet.length == len(levels)
    for n, level in enumerate(levels):
        found = frame_of(sheet, n).astype(int)
        assert found.shape == (*size, 3)
        assert np.abs(found - level).max() <= 20  # far from any other level


def test_a_clip_is_read_with_its_length_and_rate(tmp_path):
    write_video(np.stack(flat(range(0, 200, 10))), tmp_path / "a.mkv", 30.0, lossless=True)
    sheet = read_sheet(tmp_path / "a.mkv")
    assert (sheet.frames, sheet.length, sheet.fps, sheet.size) == (20, 20, 30.0, (40, 80))
    assert abs(int(frame_of(sheet, 13).mean()) - 130) <= 4
    assert sheet.for_page()["src"].startswith("data:image/webp;base64,")


def test_a_long_clip_is_shown_in_part_and_a_wide_one_smaller(tmp_path):
    write_video(np.stack(flat([90] * (MAX_FRAMES + 7), (16, 16))), tmp_path / "long.mkv", 25.0, lossless=True)
    long = read_sheet(tmp_path / "long.mkv")
    assert (long.frames, long.length) == (MAX_FRAMES, MAX_FRAMES + 7)
    write_video(np.stack(flat([90, 91], (240, 640))), tmp_path / "wide.mkv", 25.0, lossless=True)
    assert read_sheet(tmp_path / "wide.mkv").size == (MAX_WIDTH * 240 // 640, MAX_WIDTH)


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "is not there"), (b"", "cannot be"), (b"no video" * 99, "cannot be")]
)
def test_what_is_no_clip_says_so(tmp_path, content, reason):
    path = tmp_path / "a.mkv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NoClipError, match=reason):
        read_sheet(path)

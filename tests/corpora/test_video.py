import errno
from fractions import Fraction

import av
import numpy as np
import pytest

from lipbench.corpora import video
from lipbench.corpora.video import VideoError, VideoReader, read_video, warp, write_video


def moving_pattern(n_frames=12, height=80, width=160):
    rows, columns = np.mgrid[:height, :width]
    frames = [128 + 100 * np.sin((columns + 3 * t) / 15) * np.cos(rows / 11) for t in range(n_frames)]
    grey = np.stack(frames)
    return np.stack([grey, grey * 0.8, 255 - grey], axis=-1).astype(np.uint8)


def write_sound(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 16000
        sound.time_base = Fraction(1, 16000)
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))


def test_what_is_written_is_read_again(tmp_path):
    frames = moving_pattern()
    write_video(frames, tmp_path / "deep" / "clip.mp4", 25)
    video = read_video(tmp_path / "deep" / "clip.mp4")
    assert video.fps == 25
    assert video.frames.shape == frames.shape
    error = video.frames.astype(float) - frames
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 30
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["clip.mp4"]


def test_a_broken_frame_rate_survives(tmp_path):
    write_video(moving_pattern(4), tmp_path / "clip.mp4", 30000 / 1001)
    assert read_video(tmp_path / "clip.mp4").fps == pytest.approx(29.97, abs=0.001)


def test_odd_sides_gain_one_pixel(tmp_path):
    write_video(moving_pattern(3, 41, 81), tmp_path / "clip.mp4", 25)
    assert read_video(tmp_path / "clip.mp4").frames.shape == (3, 42, 82, 3)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_impossible_frame_rates_are_refused(tmp_path, fps):
    with pytest.raises(VideoError, match="no frame rate"):
        write_video(moving_pattern(2), tmp_path / "clip.mp4", fps)


def test_nothing_to_write_is_refused(tmp_path):
    with pytest.raises(VideoError, match="no frame to write"):
        write_video(moving_pattern(2)[:0], tmp_path / "clip.mp4", 25)
    with pytest.raises(ValueError, match="not uint8"):
        write_video(np.zeros((2, 80, 160, 3)), tmp_path / "clip.mp4", 25)  # pyright: ignore[reportArgumentType]


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(VideoError, match="cannot be written"):
        write_video(moving_pattern(2), tmp_path / "file" / "clip.mp4", 25)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "clip.mp4"
    write_video(moving_pattern(3), path, 25)
    before = path.read_bytes()

    def full_disk(frames, path, fps):
        path.write_bytes(b"half a vid")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(video, "_encode", full_disk)
    with pytest.raises(VideoError, match="No space left"):
        write_video(moving_pattern(2), path, 25)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_missing_empty_and_foreign_files_are_refused(tmp_path):
    with pytest.raises(VideoError, match="there is no video"):
        read_video(tmp_path / "nowhere.mpg")
    (tmp_path / "empty.mpg").touch()
    with pytest.raises(VideoError, match="empty file"):
        read_video(tmp_path / "empty.mpg")
    (tmp_path / "text.mpg").write_text("this is no video\n" * 50)
    with pytest.raises(VideoError, match=r"text\.mpg"):
        read_video(tmp_path / "text.mpg")


def test_a_truncated_file_is_refused(tmp_path):
    write_video(moving_pattern(), tmp_path / "whole.mp4", 25)
    whole = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VideoError, match=r"half\.mp4"):
        read_video(tmp_path / "half.mp4")


def test_sound_alone_is_refused(tmp_path):
    write_sound(tmp_path / "sound.mp4")
    with pytest.raises(VideoError, match="no video stream"):
        read_video(tmp_path / "sound.mp4")


def test_a_video_beyond_the_limit_is_refused(tmp_path):
    write_video(moving_pattern(12), tmp_path / "clip.mp4", 25)
    assert len(read_video(tmp_path / "clip.mp4", max_frames=12).frames) == 12
    with pytest.raises(VideoError, match="longer than 11 frames"):
        read_video(tmp_path / "clip.mp4", max_frames=11)


@pytest.mark.parametrize("hold_bytes", [0, 5 * 80 * 160 * 3, 10**9])
def test_a_film_gives_the_same_frames_held_or_not(tmp_path, hold_bytes):
    write_video(moving_pattern(12), tmp_path / "clip.mp4", 30000 / 1001)
    whole = read_video(tmp_path / "clip.mp4")
    film = VideoReader(tmp_path / "clip.mp4", hold_bytes=hold_bytes)
    assert (len(film), film.fps) == (12, whole.fps)
    for _ in range(2):
        np.testing.assert_array_equal(np.stack(list(film)), whole.frames)
    np.testing.assert_array_equal(np.stack(list(film.every(5))), whole.frames[::5])
    assert all(frame.flags.c_contiguous for frame in film)
    assert all(frame.flags.c_contiguous for frame in VideoReader(tmp_path / "clip.mp4", hold_bytes=0))


def test_a_film_that_does_not_fit_is_not_held(tmp_path):
    write_video(moving_pattern(12), tmp_path / "clip.mp4", 25)
    film = VideoReader(tmp_path / "clip.mp4", hold_bytes=12 * 80 * 160 * 3 - 1)
    held = VideoReader(tmp_path / "clip.mp4", hold_bytes=12 * 80 * 160 * 3)
    (tmp_path / "clip.mp4").unlink()
    assert len(list(held)) == 12
    with pytest.raises(VideoError, match="there is no video"):
        list(film)


def test_warp_by_nothing_is_the_picture_itself():
    picture = moving_pattern(1)[0]
    np.testing.assert_array_equal(warp(picture, np.eye(2, 3), size=(80, 160)), picture)


def test_warp_shifts_by_whole_pixels_and_repeats_the_edge():
    picture = moving_pattern(1)[0]
    moved = warp(picture, np.array([[1.0, 0, 5], [0, 1, -3]]), size=(80, 160))
    np.testing.assert_array_equal(moved[:77, 5:], picture[3:, :155])
    np.testing.assert_array_equal(moved[:77, 0], picture[3:, 0])


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_warp_averages_where_it_shrinks(factor):
    picture = np.random.default_rng(0).integers(0, 256, (24, 48), dtype=np.uint8)
    # pixel centres at integers: the centre of each factor x factor cell becomes one pixel
    affine = np.array([[1 / factor, 0, 0.5 / factor - 0.5], [0, 1 / factor, 0.5 / factor - 0.5]])
    small = warp(picture, affine, size=(24 // factor, 48 // factor))
    cells = picture.reshape(24 // factor, factor, 48 // factor, factor).mean(axis=(1, 3))
    assert np.abs(small - cells).max() <= 1


def test_warp_puts_a_point_where_the_map_says():
    picture = np.zeros((40, 40), np.uint8)
    picture[20, 10] = 255
    large = warp(picture, np.array([[3.0, 0, 2], [0, 3.0, -7]]), size=(120, 120)).astype(float)
    rows, columns = np.mgrid[:120, :120]
    assert (columns * large).sum() / large.sum() == pytest.approx(3 * 10 + 2, abs=0.2)
    assert (rows * large).sum() / large.sum() == pytest.approx(3 * 20 - 7, abs=0.2)

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from lipbench.benchmarks.scoring.scorer import Scorer
from lipbench.benchmarks.scoring.videos import GeneratedVideos, ReferenceVideos, find_videos, match_names
from lipbench.corpora.canvas import Box
from lipbench.corpora.video import read_video, write_video
from lipbench.errors import UserError

GRID = Path(__file__).parents[4] / "shared" / "data" / "grid"


def picture(seed, size=(36, 44)):
    """Smooth noise that moves: no two frames alike, and no face."""
    coarse = np.random.default_rng(seed).integers(40, 200, (4, 4, 3)).repeat(16, axis=0).repeat(16, axis=1)
    return np.stack([np.roll(coarse, t, axis=1)[: size[0], : size[1]] for t in range(8)]).astype(np.uint8)


def write(folder, name, frames, fps=25.0):
    write_video(frames, folder / f"{name}.mkv", fps, lossless=True)


@pytest.fixture
def sides(tmp_path):
    """Three clips of two speakers, and the same clips as somebody else's."""
    for number, name in enumerate(("a/one", "a/two", "b/one")):
        write(tmp_path / "reference", name, picture(number))
        write(tmp_path / "theirs", name, picture(number))
    return tmp_path / "theirs", tmp_path / "reference"


def others(theirs, reference, *, resize=False, ignore_rates=False):
    made, real = find_videos(theirs), find_videos(reference)
    return GeneratedVideos(
        made.files, ReferenceVideos(real), match_names(made, real), resize=resize, ignore_rates=ignore_rates
    )


def read(found):
    told = []
    pairs = {pair.truth.utterance.id: pair for pair in found.pairs(told.append)}
    return pairs, sum(told)


def test_files_are_matched_by_path_whatever_their_ending(sides):
    theirs, reference = sides
    write_video(picture(0), theirs / "a" / "one.mp4", 25)
    (theirs / "a" / "one.mkv").unlink()
    pairs, _ = read(others(theirs, reference))
    assert list(pairs) == ["a/one", "a/two", "b/one"]
    assert torch.equal(pairs["b/one"].made.frames, pairs["b/one"].truth.frames)
    assert [pair.truth.utterance.speaker for pair in pairs.values()] == ["a", "a", "b"]


def test_every_name_is_scored_or_left_out_with_its_reason(sides):
    theirs, reference = sides
    (theirs / "a" / "two.mkv").unlink()
    write(theirs, "more", picture(9))
    shutil.copy(theirs / "b" / "one.mkv", theirs / "b" / "one.avi")
    found = others(theirs, reference)
    pairs, _ = read(found)
    assert list(pairs) == ["a/one"]
    assert found.left_out == {
        "a/two": "no generated video has this name",
        "b/one": "2 generated videos have this name",
        "more": "no reference video has this name",
    }


def test_what_does_not_fit_is_left_out_and_told_of(sides):
    theirs, reference = sides
    write(theirs, "a/two", picture(1, (36, 40)))
    write(theirs, "b/one", picture(2), fps=30)
    found = others(theirs, reference)
    pairs, told = read(found)
    assert list(pairs) == ["a/one"]
    assert told == 2
    assert found.left_out == {
        "a/two": "the generated video has 40 x 36 pixels, the reference 44 x 36",
        "b/one": "the generated video has 30 frames per second, the reference 25 frames per second",
    }


def test_29_97_and_30_are_two_rates_and_an_average_that_is_a_little_off_is_none(sides):
    theirs, reference = sides
    for name, (ours, real) in {"a/one": (30, 30000 / 1001), "a/two": (25, 25.01)}.items():
        write(theirs, name, picture(0), fps=ours)
        write(reference, name, picture(0), fps=real)
    found = others(theirs, reference)
    assert set(read(found)[0]) == {"a/two", "b/one"}
    assert "29.97" in found.left_out["a/one"]


def test_other_sizes_and_rates_are_scored_where_that_is_asked_for(sides):
    theirs, reference = sides
    write(theirs, "a/two", picture(1).repeat(2, axis=1).repeat(2, axis=2), fps=30)
    resized, _ = read(others(theirs, reference, resize=True, ignore_rates=True))
    assert torch.equal(resized["a/two"].made.frames, resized["a/two"].truth.frames), "halved by averaging areas"
    assert set(read(others(theirs, reference, resize=True))[0]) == {"a/one", "b/one"}
    assert set(read(others(theirs, reference, ignore_rates=True))[0]) == {"a/one", "b/one"}


def test_files_that_cannot_be_read_are_left_out_on_either_side(sides):
    theirs, reference = sides
    (theirs / "a" / "one.mkv").write_bytes(b"")
    (reference / "b" / "one.mkv").write_bytes(b"no video at all")
    found = others(theirs, reference)
    assert list(read(found)[0]) == ["a/two"]
    assert "generated video cannot be read: the video one.mkv is an empty file" in found.left_out["a/one"]
    assert "the reference cannot be read" in found.left_out["b/one"]


def test_if_nothing_can_be_scored_that_is_an_error_with_the_commonest_reason(sides):
    theirs, reference = sides
    for name in ("a/one", "a/two"):
        write(theirs, name, picture(0), fps=50)
    (theirs / "b" / "one.mkv").write_bytes(b"")
    with pytest.raises(UserError, match="none of 3 clips can be scored: 2 because the generated video has 50 frames"):
        read(others(theirs, reference))


def test_the_common_size_is_known_if_there_is_one(sides):
    theirs, reference = sides
    found = others(theirs, reference)
    assert found.frame_size is None
    read(found)
    assert found.frame_size == (36, 44)
    for side in sides:
        write(side, "wide", picture(4, (36, 48)))
    found = others(theirs, reference)
    read(found)
    assert found.frame_size is None


def test_files_that_are_no_videos_are_named(sides):
    theirs, _ = sides
    (theirs / "a" / "notes.txt").touch()
    (theirs / "a" / "three.MKV").write_bytes(b"x")
    found = find_videos(theirs)
    assert found.others == ["a/notes.txt"]
    assert "a/three" in found.files


def test_the_fingerprint_is_of_names_and_content(sides):
    _, reference = sides
    before = find_videos(reference).digest
    assert find_videos(shutil.copytree(reference, reference.with_name("copy"))).digest == before, (
        "the same files elsewhere"
    )
    (reference / "a" / "one.mkv").rename(reference / "a" / "three.mkv")
    renamed = find_videos(reference).digest
    assert renamed != before
    write(reference, "a/two", picture(7))
    assert find_videos(reference).digest not in (before, renamed)


@pytest.mark.parametrize("case", ["missing", "a file", "empty", "no videos"])
def test_a_folder_without_videos_is_refused(tmp_path, case):
    folder = tmp_path / "folder"
    if case == "a file":
        folder.touch()
    elif case != "missing":
        folder.mkdir()
    if case == "no videos":
        (folder / "clip.txt").touch()
    with pytest.raises(UserError, match="no folder" if case in ("missing", "a file") else "no video below"):
        find_videos(folder)


def test_folders_without_a_common_name_are_refused_with_an_example(tmp_path):
    write(tmp_path / "theirs", "s1_one", picture(0))
    write(tmp_path / "reference", "s1/one", picture(0))
    with pytest.raises(UserError, match="'s1_one' is generated, 's1/one' is reference"):
        match_names(find_videos(tmp_path / "theirs"), find_videos(tmp_path / "reference"))


def score(drawn, found, videos, ids, metrics):
    system = drawn.subject(None).system.model_copy(update={"frame_size": None})
    facts = {"corpus": videos, "corpus_options": {}, "ids": ids, "split": "all", "metrics": metrics}
    with Scorer(drawn.scoring(**facts)) as scorer:
        return scorer.pairs(system, found.pairs(lambda _: None), durations="predicted")


def test_without_a_face_what_needs_one_is_not_measured_and_the_rest_is(drawn, sides):
    theirs, reference = sides
    made, real = find_videos(theirs), find_videos(reference)
    matched, videos = match_names(made, real), ReferenceVideos(real)
    found = GeneratedVideos(made.files, videos, matched, resize=False, ignore_rates=False)
    asked = ["psnr", "lmd", "identity_similarity", "frechet_face_distance", "token_duration_error", "length_error"]
    quality = score(drawn, found, videos, matched.ids, asked)
    assert quality.values("psnr") == [100.0] * 3
    assert quality.values("length_error") == [0.0] * 3
    assert quality.not_measured["lmd"] == "no face was found in the reference video"
    assert quality.not_measured["identity_similarity"] == "no face was found in the reference video"
    assert quality.not_measured["frechet_face_distance"] == "no clip has what it is computed from"
    assert "how long each token lasts" in quality.not_measured["token_duration_error"]


def test_clips_without_a_face_lose_face_metrics_only(drawn, sides, monkeypatch):
    """A face is said to be in one of three clips: the predictor answers something there."""
    theirs, reference = sides
    made, real = find_videos(theirs), find_videos(reference)
    matched, videos = match_names(made, real), ReferenceVideos(real)
    box = Box(0.0, 0.0, 30.0)
    reason = "no face was found in the reference video"
    monkeypatch.setattr(videos, "face_box", lambda clip: box if clip.id == "a/two" else reason)
    found = GeneratedVideos(made.files, videos, matched, resize=False, ignore_rates=False)
    quality = score(drawn, found, videos, matched.ids, ["psnr", "landmark_failure_preds"])
    assert len(quality.values("psnr")) == 3
    assert len(quality.values("landmark_failure_preds")) == len(quality.values("landmark_failure_target")) == 1
    assert quality.not_measured == {}
    faceless = dict.fromkeys(("landmark_failure_preds", "landmark_failure_target"), reason)
    assert [clip.missing for clip in quality.clips] == [faceless, {}, faceless]


def test_real_faces_are_looked_at_where_they_are(drawn, tmp_path):
    files = sorted(GRID.rglob("*.mpg"))[:1]
    if not files:
        pytest.skip("the GRID clips are not here")
    frames = read_video(files[0]).frames[:6]
    write(tmp_path / "reference", "s1/clip", frames)
    write(tmp_path / "theirs", "s1/clip", np.concatenate([frames[:1], frames[:-1]]))
    made, real = find_videos(tmp_path / "theirs"), find_videos(tmp_path / "reference")
    matched, videos = match_names(made, real), ReferenceVideos(real)
    quality = {}
    for name, side in (("late", made), ("same", real)):
        found = GeneratedVideos(side.files, videos, matched, resize=False, ignore_rates=False)
        asked = ["lmd", "landmark_failure_target", "identity_similarity"]
        quality[name] = score(drawn, found, videos, matched.ids, asked)
    assert quality["same"].mean("lmd") == 0
    assert quality["same"].mean("identity_similarity") == pytest.approx(1)
    assert 0 < quality["late"].mean("lmd") < 5
    assert quality["late"].mean("landmark_failure_target") == 0

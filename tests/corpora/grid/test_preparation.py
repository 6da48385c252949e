import json
import multiprocessing
import shutil
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest

from lipbench import corpora
from lipbench.corpora.canvas import Box
from lipbench.corpora.grid.corpus import open_grid
from lipbench.corpora.grid.preparation import find_grid
from lipbench.corpora.landmarks import MOUTH, FaceLandmarker
from lipbench.corpora.manifest import StoreError
from lipbench.corpora.preparation.run import prepare
from lipbench.corpora.tokens import CHARACTERS
from lipbench.errors import UserError


def prepare_grid(root, store, *, workers=None, limit=None, on_progress=None, **options):
    return prepare(find_grid(root, **options), store, workers=workers, limit=limit, on_progress=on_progress)


GRID = Path(__file__).parents[4] / "shared" / "data" / "grid"


def test_a_good_clip_comes_through_whole(download, clip, tmp_path, make):
    download.add(make.CODE, clip, make.alignment(), split="test")
    seen = []
    summary = prepare_grid(download.root, tmp_path / "store", workers=0, on_progress=seen.append)
    assert (summary.done, summary.kept, summary.skipped, summary.notes) == (1, 0, {}, {})
    assert (summary.train, summary.test, summary.absent) == (0, 1, 0)
    assert [(o.id, o.status, o.number, o.total) for o in seen] == [(f"s1/{make.CODE}", "done", 1, 1)]
    assert seen[0].seconds > 0

    grid = corpora.create("grid", store=tmp_path / "store")
    assert (grid.name, grid.fps, grid.symbols, grid.fingerprint) == ("grid", 25.0, CHARACTERS, summary.fingerprint)
    assert grid.ids("train") == []
    utterance = grid.load(*grid.ids("test"))
    assert utterance.frames.shape == (75, 80, 160, 3)
    assert (utterance.speaker, utterance.text, utterance.split) == ("s1", " ".join(make.WORDS), "test")
    assert utterance.durations[0] == 20
    assert utterance.durations[-1] == 75 - 50
    assert utterance.duration_source == "grid align, characters by even split"
    # the mouth is centred, and all of it inside
    np.testing.assert_allclose(np.median(utterance.landmarks.mean(axis=1), axis=0), [79.5, 39.5], atol=0.5)
    assert (utterance.landmarks > 0).all()
    assert (utterance.landmarks < [159, 79]).all()


def test_a_crop_can_be_put_back_exactly(download, short, tmp_path, make):
    download.add(make.CODE, *short)
    prepare_grid(download.root, tmp_path / "store", workers=0)
    grid = open_grid(tmp_path / "store")
    placed, frames = grid.placement(f"s1/{make.CODE}"), grid.load(f"s1/{make.CODE}").frames
    np.testing.assert_array_equal(placed.paste(frames[:1])[0], placed.face)
    np.testing.assert_allclose(placed.box_in_face, (-0.5, -0.5, 256), atol=0.51)
    # the predictor finds the mouth of the pasted face where preparation found it in the source frame
    again = FaceLandmarker().points(placed.face[None], [Box(*placed.box_in_face)])[0, MOUTH] - placed.corner
    assert np.abs(again - grid.load(f"s1/{make.CODE}").landmarks[0]).mean() < 1


def test_the_window_follows_the_mouth_unless_one_per_clip_is_asked_for(download, tmp_path, make):
    download.add(make.CODE, make.face_video(40, drift=8), make.alignment(make.WORDS[:3], last=40))
    drifts, windows = {}, {}
    for name, options in (("followed", {}), ("clip", {"stabilise": "clip"})):
        prepare_grid(download.root, tmp_path / name, workers=0, **options)
        grid = open_grid(tmp_path / name)
        centres = grid.load(f"s1/{make.CODE}").landmarks.mean(axis=1)
        drifts[name] = float(np.ptp(centres[:, 0]))
        windows[name] = float(np.ptp(grid.placement(f"s1/{make.CODE}").affines, axis=0).max())
    assert drifts["followed"] < 0.01
    assert drifts["clip"] > 40
    assert windows["followed"] > 40
    assert windows["clip"] == 0


def test_cubic_interpolation_keeps_more_detail_of_a_small_face(download, short, tmp_path, make):
    download.add(make.CODE, *short)
    detail = {}
    for interpolation in ("linear", "cubic"):
        prepare_grid(download.root, tmp_path / interpolation, workers=0, interpolation=interpolation)
        frames = open_grid(tmp_path / interpolation).load(f"s1/{make.CODE}").frames.astype(float)
        detail[interpolation] = float(np.abs(np.diff(frames, n=2, axis=2)).mean())
    assert detail["cubic"] > 1.1 * detail["linear"]


def test_bad_clips_are_skipped_with_their_reason_and_stop_nothing(download, clip, tmp_path, make):
    whole = clip.read_bytes()
    sound = tmp_path / "sound.mpg"
    with av.open(str(sound), "w", format="mpeg") as container:
        stream = container.add_stream("mp2", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    grey = np.full((75, 288, 360, 3), 128, np.uint8)
    expected = {
        "empty": (b"", make.alignment(), "empty file"),
        "garbage": (b"\x00\x01garbage" * 500, make.alignment(), "cannot be decoded|no video stream|no frame"),
        "half": (whole[: len(whole) // 2], make.alignment(), r"runs to frame 74\.5, the video has only \d+"),
        "sound": (sound, make.alignment(), "no video stream"),
        "greyscreen": (grey, make.alignment(), "no face was found"),
        "noalign": (clip, None, r"noalign\.align is missing"),
        "emptyalign": (clip, "", "is empty"),
        "binaryalign": (clip, b"\xff\xfe\x80\x81", "is not text"),
        "garbledalign": (clip, "0 20000 sil\nhello\n", "line 2.*not 'start end word'"),
        "overlap": (clip, "0 20000 bin\n19000 30000 blue\n", "starts before"),
        "beyond": (clip, make.alignment(last=120), "runs to frame 120"),
        "unlisted": (clip, make.alignment(), "in neither split list"),
    }
    for code, (video, align, _) in expected.items():
        download.add(code, video, align, split=None if code == "unlisted" else "train")
    download.add(make.CODE, clip, make.alignment())
    summary = prepare_grid(download.root, tmp_path / "store", workers=0)
    assert (summary.done, summary.train) == (1, 1)
    assert set(summary.skipped) == {f"s1/{code}" for code in expected}
    for code, (_, _, reason) in expected.items():
        with pytest.raises(UserError, match=reason):
            raise UserError(summary.skipped[f"s1/{code}"], remedy="")
    manifest = json.loads((tmp_path / "store" / "manifest.json").read_text())
    assert manifest["skipped"] == summary.skipped
    assert [p.name for p in (tmp_path / "store").rglob("*.safetensors")] == [f"{make.CODE}.safetensors"]


def test_a_wrong_frame_rate_is_refused(download, tmp_path, make):
    path = download.add(make.CODE, make.face_video(2), make.alignment())
    make.write_mpg(path, make.face_video(75), fps=30)
    assert "30 frames per second" in prepare_grid(download.root, tmp_path / "s", workers=0).skipped[f"s1/{make.CODE}"]


def test_what_is_unusual_is_noted(download, clip, short, tmp_path, make):
    download.add("bbaf2n", clip, make.alignment())
    download.add("strange", *short)
    notes = prepare_grid(download.root, tmp_path / "store", workers=0).notes
    assert notes == {
        "s1/bbaf2n": ("the file code says 'bin blue at f two now', the alignment 'place green by a one please'",),
        "s1/strange": (
            "20 frames instead of 75",
            "'strange' is no GRID file code, so the transcript could not be checked against it",
        ),
    }


def test_preparation_goes_on_where_it_stopped(download, short, tmp_path, make):
    store = tmp_path / "store"
    for code in ("bbaf2n", "lwae9s", "pgba1p", "swwz9s"):
        download.add(code, *short)
    download.lists["train"].append("s1/video/mpg_6000/gone99")
    download.add("zempty", b"", short[1])
    first = prepare_grid(download.root, store, workers=0, limit=2)
    assert (first.done, first.absent) == (2, 1)
    before = make.contents(store)

    outcomes = []
    second = prepare_grid(download.root, store, workers=0, on_progress=outcomes.append)
    assert Counter(o.status for o in outcomes) == {"kept": 2, "done": 2, "skipped": 1}
    assert (second.done, second.kept, second.train, list(second.skipped)) == (2, 2, 4, ["s1/zempty"])
    after = make.contents(store)
    assert {name: after[name] for name in before} == before
    assert second.fingerprint != first.fingerprint

    # in one go, elsewhere, the same comes out
    assert prepare_grid(download.root, tmp_path / "other", workers=0).fingerprint == second.fingerprint

    # a mended clip is taken up, a changed make.alignment is done again, the rest is kept
    shutil.copyfile(short[0], download.root / "s1" / "zempty.mpg")
    download.add("bbaf2n", None, "0 5000 sil\n5000 15000 at\n", split=None)
    third = prepare_grid(download.root, store, workers=0)
    assert (third.done, third.kept, third.skipped) == (2, 3, {})
    assert open_grid(store).load("s1/bbaf2n").text == "at"


def test_an_interrupted_run_keeps_what_it_finished(download, short, tmp_path):
    store = tmp_path / "store"
    for code in ("bbaf2n", "lwae9s", "pgba1p"):
        download.add(code, *short)

    def interrupt(outcome):
        if outcome.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_grid(download.root, store, workers=0, on_progress=interrupt)
    with pytest.raises(StoreError, match="has not finished"):
        open_grid(store)
    # a harder end: not even the manifest knows of the finished clips
    data = json.loads((store / "manifest.json").read_text())
    assert len(data["clips"]) == 2
    (store / "manifest.json").write_text(json.dumps(data | {"clips": {}}))
    summary = prepare_grid(download.root, store, workers=0)
    assert (summary.done, summary.kept) == (1, 2)
    assert len(open_grid(store).ids("train")) == 3


def test_a_store_of_other_options_is_refused(download, short, tmp_path, make):
    store = tmp_path / "store"
    download.add(make.CODE, *short)
    prepare_grid(download.root, store, workers=0)
    before = (store / "manifest.json").read_bytes()
    with pytest.raises(StoreError, match=r"stabilise=frame, .*; now .*stabilise=clip"):
        prepare_grid(download.root, store, workers=0, stabilise="clip")
    with pytest.raises(StoreError, match="Give the options of this store, another store folder"):
        prepare_grid(download.root, store, workers=0, split="random")
    assert (store / "manifest.json").read_bytes() == before


def test_a_foreign_folder_is_not_written_into(download, short, tmp_path, make):
    download.add(make.CODE, *short)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").touch()
    with pytest.raises(StoreError, match="no prepared store"):
        prepare_grid(download.root, tmp_path / "home", workers=0)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"split": "publik"}, "Did you mean 'public'"),
        ({"stabilise": "no"}, "no way to stabilise"),
        ({"interpolation": "nearest"}, "no interpolation named 'nearest'"),
        ({"limit": 0}, "limit=0"),
        ({"workers": -1}, "workers=-1"),
        ({"tokens": "word"}, "Did you mean 'words'"),
        ({"durations": "grids"}, "no source of durations named 'grids'"),
        ({"durations": "textgrid"}, "no TextGrid of any clip beside the .align files"),
        ({"alignments": Path("somewhere")}, "durations=textgrid"),
    ],
)
def test_bad_options_are_refused(download, short, tmp_path, options, problem, make):
    download.add(make.CODE, *short)
    with pytest.raises(UserError, match=problem):
        prepare_grid(download.root, tmp_path / "store", **options)
    assert not (tmp_path / "store").exists()


def test_a_random_split_needs_no_lists(download, short, tmp_path, make):
    download.add(make.CODE, *short, split=None)
    shutil.rmtree(download.root / "splits")
    with pytest.raises(UserError, match="split=random"):
        prepare_grid(download.root, tmp_path / "store", workers=0)
    summary = prepare_grid(download.root, tmp_path / "store", workers=0, split="random", seed=1)
    assert summary.train + summary.test == 1


def test_a_missing_store_tells_the_command(tmp_path):
    with pytest.raises(UserError, match="lipbench prepare corpus=grid root=FOLDER"):
        open_grid(tmp_path / "nowhere")


@pytest.mark.skipif(not GRID.is_dir(), reason="the GRID sample is not beside the repository")
def test_real_clips_over_two_processes(tmp_path, make):
    download = make.Download(tmp_path / "grid")
    codes = sorted(p.stem for p in (GRID / "s1").glob("*.mpg"))[:1]
    for code in codes:
        align = (GRID / "alignments" / "s1" / f"{code}.align").read_bytes()
        download.add(code, GRID / "s1" / f"{code}.mpg", align)
    whole = (GRID / "s1" / f"{codes[0]}.mpg").read_bytes()
    download.add("truncated", whole[:150_000], align)
    summary = prepare_grid(download.root, tmp_path / "store", workers=2)
    assert summary.done == len(codes)
    assert "the video has only" in summary.skipped["s1/truncated"]
    assert not multiprocessing.active_children()
    grid = open_grid(tmp_path / "store")
    for name in grid.ids("train"):
        utterance = grid.load(name)
        opening = utterance.landmarks[:, 18, 1] - utterance.landmarks[:, 14, 1]
        speaking = np.repeat(np.array(utterance.tokens) != "|", utterance.durations)
        # a mouth moves while it speaks, and is wider than it is open
        assert np.std(opening[speaking]) > 1
        assert np.ptp(utterance.landmarks[..., 0], axis=1).min() > opening.max()
        redness = utterance.frames[..., 0].astype(float) - utterance.frames[..., 1]
        # lips are redder than the skin at the crop's sides
        assert redness[:, 30:50, 60:100].mean() > redness[:, 30:50, :20].mean()

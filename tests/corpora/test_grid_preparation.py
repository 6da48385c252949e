import json
import multiprocessing
import shutil
from collections import Counter
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import corpora
from corpora.grid.corpus import open_grid
from corpora.grid.layout import FLAT, UNZIPPED
from corpora.grid.preparation import find_grid, prepare_grid
from corpora.landmarks import MOUTH, Box, FaceLandmarker
from corpora.preparation.run import prepare
from corpora.preparation.survey import survey
from corpora.store import StoreError
from corpora.tokens import CHARACTERS
from models.errors import UserError

GRID = Path(__file__).parents[3] / "shared" / "data" / "grid"
WORDS = ["place", "green", "by", "a", "one", "please"]
CODE = "pgba1p"


def alignment(words=WORDS, last=74.5):
    """Silence, then words of five frames each from frame 20 on, then silence."""
    lines = ["0 20000 sil"]
    lines += [f"{(20 + 5 * i) * 1000} {(25 + 5 * i) * 1000} {word}" for i, word in enumerate(words)]
    lines.append(f"{(20 + 5 * len(words)) * 1000} {int(last * 1000)} sil")
    return "\n".join(lines) + "\n"


def face_video(n_frames=75, drift=0):
    data = pytest.importorskip("skimage.data", reason="scikit-image brings the picture of a face")
    face = np.asarray(cv2.resize(data.astronaut()[:240, 100:400], (360, 288)), dtype=np.uint8)
    return np.stack([np.roll(face, drift * t // 10, axis=1) for t in range(n_frames)])


def write_mpg(path, frames, fps=25):
    with av.open(str(path), "w", format="mpeg") as container:
        stream = container.add_stream("mpeg1video", rate=fps)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 3_000_000
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


class Download:
    """A small GRID folder under construction."""

    def __init__(self, root):
        self.root = root
        (root / "s1").mkdir(parents=True)
        (root / "alignments" / "s1").mkdir(parents=True)
        (root / "splits").mkdir()
        self.lists = {"train": [], "test": []}

    def add(self, code, video=None, align=None, split="train"):
        path = self.root / "s1" / f"{code}.mpg"
        if isinstance(video, bytes):
            path.write_bytes(video)
        elif isinstance(video, Path):
            shutil.copyfile(video, path)
        elif video is not None:
            write_mpg(path, video)
        if align is not None:
            target = self.root / "alignments" / "s1" / f"{code}.align"
            target.write_bytes(align if isinstance(align, bytes) else align.encode())
        if split is not None:
            self.lists[split].append(f"s1/video/mpg_6000/{code}")
        for name, lines in self.lists.items():
            (self.root / "splits" / f"overlap_{name}.txt").write_text("".join(f"{line}\n" for line in lines))
        return path


def contents(store):
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in store.rglob("*.safetensors")}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "face.mpg"
    write_mpg(path, face_video())
    return path


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Video and alignment of 20 frames: the quickest thing that can be prepared."""
    path = tmp_path_factory.mktemp("video") / "short.mpg"
    write_mpg(path, face_video(20))
    return path, "0 5000 sil\n5000 10000 bin\n10000 15000 blue\n15000 20000 sil\n"


@pytest.fixture
def download(tmp_path):
    return Download(tmp_path / "grid")


def test_a_good_clip_comes_through_whole(download, clip, tmp_path):
    download.add(CODE, clip, alignment(), split="test")
    seen = []
    summary = prepare_grid(download.root, tmp_path / "store", workers=0, on_progress=seen.append)
    assert (summary.done, summary.kept, summary.skipped, summary.notes) == (1, 0, {}, {})
    assert (summary.train, summary.test, summary.absent) == (0, 1, 0)
    assert [(o.id, o.status, o.number, o.total) for o in seen] == [(f"s1/{CODE}", "done", 1, 1)]
    assert seen[0].seconds > 0

    grid = corpora.create("grid", store=tmp_path / "store")
    assert (grid.name, grid.fps, grid.symbols, grid.fingerprint) == ("grid", 25.0, CHARACTERS, summary.fingerprint)
    assert grid.ids("train") == []
    utterance = grid.load(*grid.ids("test"))
    assert utterance.frames.shape == (75, 80, 160, 3)
    assert (utterance.speaker, utterance.text, utterance.split) == ("s1", " ".join(WORDS), "test")
    assert utterance.durations[0] == 20
    assert utterance.durations[-1] == 75 - 50
    assert utterance.duration_source == "grid align, characters by even split"
    # the mouth is centred, and all of it inside
    np.testing.assert_allclose(np.median(utterance.landmarks.mean(axis=1), axis=0), [79.5, 39.5], atol=0.5)
    assert (utterance.landmarks > 0).all()
    assert (utterance.landmarks < [159, 79]).all()


def test_a_crop_can_be_put_back_exactly(download, short, tmp_path):
    download.add(CODE, *short)
    prepare_grid(download.root, tmp_path / "store", workers=0)
    grid = open_grid(tmp_path / "store")
    placed, frames = grid.placement(f"s1/{CODE}"), grid.load(f"s1/{CODE}").frames
    np.testing.assert_array_equal(placed.paste(frames[:1])[0], placed.face)
    np.testing.assert_allclose(placed.box_in_face, (-0.5, -0.5, 256), atol=0.51)
    assert np.ptp(placed.affines, axis=0).max() == 0
    # the predictor finds the mouth of the pasted face where preparation found it in the source frame
    again = FaceLandmarker().points(placed.face[None], [Box(*placed.box_in_face)])[0, MOUTH] - placed.corner
    assert np.abs(again - grid.load(f"s1/{CODE}").landmarks[0]).mean() < 1


def test_stabilising_per_frame_follows_the_mouth(download, tmp_path):
    download.add(CODE, face_video(40, drift=8), alignment(WORDS[:3], last=40))
    drifts = {}
    for stabilise in ("clip", "frame"):
        prepare_grid(download.root, tmp_path / stabilise, workers=0, stabilise=stabilise)
        centres = open_grid(tmp_path / stabilise).load(f"s1/{CODE}").landmarks.mean(axis=1)
        drifts[stabilise] = float(np.ptp(centres[:, 0]))
    assert drifts["clip"] > 40
    assert drifts["frame"] < 0.01


def test_bad_clips_are_skipped_with_their_reason_and_stop_nothing(download, clip, tmp_path):
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
        "empty": (b"", alignment(), "empty file"),
        "garbage": (b"\x00\x01garbage" * 500, alignment(), "cannot be decoded|no video stream|no frame"),
        "half": (whole[: len(whole) // 2], alignment(), r"runs to frame 74\.5, the video has only \d+"),
        "sound": (sound, alignment(), "no video stream"),
        "greyscreen": (grey, alignment(), "no face was found"),
        "noalign": (clip, None, r"noalign\.align is missing"),
        "emptyalign": (clip, "", "is empty"),
        "binaryalign": (clip, b"\xff\xfe\x80\x81", "is not text"),
        "garbledalign": (clip, "0 20000 sil\nhello\n", "line 2.*not 'start end word'"),
        "overlap": (clip, "0 20000 bin\n19000 30000 blue\n", "starts before"),
        "beyond": (clip, alignment(last=120), "runs to frame 120"),
        "unlisted": (clip, alignment(), "in neither split list"),
    }
    for code, (video, align, _) in expected.items():
        download.add(code, video, align, split=None if code == "unlisted" else "train")
    download.add(CODE, clip, alignment())
    summary = prepare_grid(download.root, tmp_path / "store", workers=0)
    assert (summary.done, summary.train) == (1, 1)
    assert set(summary.skipped) == {f"s1/{code}" for code in expected}
    for code, (_, _, reason) in expected.items():
        with pytest.raises(UserError, match=reason):
            raise UserError(summary.skipped[f"s1/{code}"], remedy="")
    manifest = json.loads((tmp_path / "store" / "manifest.json").read_text())
    assert manifest["skipped"] == summary.skipped
    assert [p.name for p in (tmp_path / "store").rglob("*.safetensors")] == [f"{CODE}.safetensors"]


def test_a_wrong_frame_rate_is_refused(download, tmp_path):
    path = download.add(CODE, face_video(2), alignment())
    write_mpg(path, face_video(75), fps=30)
    assert "30 frames per second" in prepare_grid(download.root, tmp_path / "s", workers=0).skipped[f"s1/{CODE}"]


def test_what_is_unusual_is_noted(download, clip, short, tmp_path):
    download.add("bbaf2n", clip, alignment())
    download.add("strange", *short)
    notes = prepare_grid(download.root, tmp_path / "store", workers=0).notes
    assert notes == {
        "s1/bbaf2n": ("the file code says 'bin blue at f two now', the alignment 'place green by a one please'",),
        "s1/strange": (
            "20 frames instead of 75",
            "'strange' is no GRID file code, so the transcript could not be checked against it",
        ),
    }


def test_preparation_goes_on_where_it_stopped(download, short, tmp_path):
    store = tmp_path / "store"
    for code in ("bbaf2n", "lwae9s", "pgba1p", "swwz9s"):
        download.add(code, *short)
    download.lists["train"].append("s1/video/mpg_6000/gone99")
    download.add("zempty", b"", short[1])
    first = prepare_grid(download.root, store, workers=0, limit=2)
    assert (first.done, first.absent) == (2, 1)
    before = contents(store)

    outcomes = []
    second = prepare_grid(download.root, store, workers=0, on_progress=outcomes.append)
    assert Counter(o.status for o in outcomes) == {"kept": 2, "done": 2, "skipped": 1}
    assert (second.done, second.kept, second.train, list(second.skipped)) == (2, 2, 4, ["s1/zempty"])
    after = contents(store)
    assert {name: after[name] for name in before} == before
    assert second.fingerprint != first.fingerprint

    # in one go, elsewhere, the same comes out
    assert prepare_grid(download.root, tmp_path / "other", workers=0).fingerprint == second.fingerprint

    # a mended clip is taken up, a changed alignment is done again, the rest is kept
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


def test_a_store_of_other_options_is_refused(download, short, tmp_path):
    store = tmp_path / "store"
    download.add(CODE, *short)
    prepare_grid(download.root, store, workers=0)
    before = (store / "manifest.json").read_bytes()
    with pytest.raises(StoreError, match=r"stabilise=clip; now .*stabilise=frame"):
        prepare_grid(download.root, store, workers=0, stabilise="frame")
    with pytest.raises(StoreError, match="Give another store folder"):
        prepare_grid(download.root, store, workers=0, split="random")
    assert (store / "manifest.json").read_bytes() == before


def test_a_foreign_folder_is_not_written_into(download, short, tmp_path):
    download.add(CODE, *short)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").touch()
    with pytest.raises(StoreError, match="no prepared store"):
        prepare_grid(download.root, tmp_path / "home", workers=0)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"split": "publik"}, "Did you mean 'public'"),
        ({"stabilise": "no"}, "no way to stabilise"),
        ({"limit": 0}, "limit=0"),
        ({"workers": -1}, "workers=-1"),
        ({"tokens": "word"}, "Did you mean 'words'"),
        ({"durations": "grids"}, "no source of durations named 'grids'"),
        ({"durations": "textgrid"}, "no TextGrid of any clip beside the .align files"),
        ({"alignments": Path("somewhere")}, "durations=textgrid"),
    ],
)
def test_bad_options_are_refused(download, short, tmp_path, options, problem):
    download.add(CODE, *short)
    with pytest.raises(UserError, match=problem):
        prepare_grid(download.root, tmp_path / "store", **options)
    assert not (tmp_path / "store").exists()


def test_a_random_split_needs_no_lists(download, short, tmp_path):
    download.add(CODE, *short, split=None)
    shutil.rmtree(download.root / "splits")
    with pytest.raises(UserError, match="split=random"):
        prepare_grid(download.root, tmp_path / "store", workers=0)
    summary = prepare_grid(download.root, tmp_path / "store", workers=0, split="random", seed=1)
    assert summary.train + summary.test == 1


def test_a_missing_store_tells_the_command(tmp_path):
    with pytest.raises(UserError, match="lipbench prepare corpus=grid root=FOLDER"):
        open_grid(tmp_path / "nowhere")


@pytest.mark.skipif(not GRID.is_dir(), reason="the GRID sample is not beside the repository")
def test_real_clips_over_two_processes(tmp_path):
    download = Download(tmp_path / "grid")
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


def test_words_make_another_store(download, short, tmp_path):
    download.add(CODE, *short)
    prepare_grid(download.root, tmp_path / "words", workers=0, tokens="words")
    grid = open_grid(tmp_path / "words")
    utterance = grid.load(f"s1/{CODE}")
    assert utterance.tokens == ("|", "bin", "|", "blue", "|")
    assert utterance.durations.tolist() == [5, 5, 0, 5, 5]
    assert utterance.duration_source == "grid align, words"
    assert len(grid.symbols) == 1 + 4 + 4 + 4 + 25 + 10 + 4
    assert set(utterance.tokens) <= set(grid.symbols)
    with pytest.raises(StoreError, match=r"tokens=words; now"):
        prepare_grid(download.root, tmp_path / "words", workers=0)
    # a word that GRID has not would be a token that no vocabulary knows
    download.add("strange", short[0], "0 5000 sil\n5000 15000 hello\n")
    summary = prepare_grid(download.root, tmp_path / "words", workers=0, tokens="words")
    assert summary.skipped == {"s1/strange": "GRID has no word 'hello'"}


TEXTGRID = """File type = "ooTextFile short"
"TextGrid"

0
0.8
<exists>
1
"IntervalTier"
"words"
0
0.8
4
0
0.16
""
0.16
0.4
"bin"
0.4
0.6
"blue"
0.6
0.8
""
"""


def test_durations_from_textgrids_where_there_are_some(download, short, tmp_path):
    for code in ("bbaf2n", "lwae9s", "pgba1p"):
        download.add(code, *short)
    folder = download.root / "alignments" / "s1"
    (folder / "bbaf2n.TextGrid").write_text(TEXTGRID)
    (folder / "pgba1p.TextGrid").write_text("no such thing")
    summary = prepare_grid(download.root, tmp_path / "store", workers=0, durations="textgrid")
    assert summary.skipped == {"s1/pgba1p": "the alignment pgba1p.TextGrid is no TextGrid"}
    assert "there is no TextGrid: durations are from lwae9s.align" in summary.notes["s1/lwae9s"]
    grid = open_grid(tmp_path / "store")
    aligned, split = grid.load("s1/bbaf2n"), grid.load("s1/lwae9s")
    assert aligned.durations.tolist() == [4, 2, 2, 2, 0, 1, 2, 1, 1, 5]
    assert aligned.duration_source == "mfa TextGrid, characters by even split"
    assert split.duration_source == "grid align, characters by even split"
    assert split.durations[0] == 5
    # the same from a folder elsewhere, where they lie as MFA writes them
    (tmp_path / "mfa" / "s1").mkdir(parents=True)
    (folder / "bbaf2n.TextGrid").rename(tmp_path / "mfa" / "s1" / "bbaf2n.TextGrid")
    options = {"durations": "textgrid", "alignments": tmp_path / "mfa"}
    elsewhere = prepare_grid(download.root, tmp_path / "elsewhere", workers=0, **options)
    assert open_grid(tmp_path / "elsewhere").load("s1/bbaf2n").durations.tolist() == aligned.durations.tolist()
    assert elsewhere.skipped == {}


PHONES = """1
"IntervalTier"
"phones"
0
0.8
7
0
0.16
""
0.16
0.24
"B"
0.24
0.32
"IH1"
0.32
0.4
"N"
0.4
0.48
"B"
0.48
0.6
"L"
0.6
0.8
"UW1"
"""


def test_phones_come_from_textgrids_alone(download, short, tmp_path):
    for code in ("bbaf2n", "lwae9s", "pgba1p"):
        download.add(code, *short)
    folder = download.root / "alignments" / "s1"
    both = TEXTGRID.replace("<exists>\n1\n", "<exists>\n2\n") + PHONES.removeprefix("1\n")
    (folder / "bbaf2n.TextGrid").write_text(both)
    (folder / "pgba1p.TextGrid").write_text(both.replace('"IH1"', '"ɪ"'))
    with pytest.raises(UserError, match="durations=textgrid"):
        prepare_grid(download.root, tmp_path / "store", workers=0, tokens="phones")
    options = {"tokens": "phones", "durations": "textgrid"}
    summary = prepare_grid(download.root, tmp_path / "store", workers=0, **options)
    assert summary.skipped == {
        "s1/lwae9s": "there is no TextGrid, and phones need one",
        "s1/pgba1p": "'ɪ' is no ARPABET phone",
    }
    grid = open_grid(tmp_path / "store")
    utterance = grid.load("s1/bbaf2n")
    assert utterance.tokens == ("sil", "b", "ih", "n", "b", "l", "uw", "sil")
    assert utterance.durations.tolist() == [4, 2, 2, 2, 2, 3, 5, 0]
    assert utterance.text == "bin blue"
    assert utterance.duration_source == "mfa TextGrid, phones"
    assert set(utterance.tokens) <= set(grid.symbols)


def test_both_layouts_give_the_same_clips(download, short, tmp_path):
    download.add(CODE, *short)
    unzipped = tmp_path / "unzipped"
    (unzipped / "s1" / "video" / "mpg_6000").mkdir(parents=True)
    (unzipped / "s1" / "align").mkdir()
    shutil.copyfile(short[0], unzipped / "s1" / "video" / "mpg_6000" / f"{CODE}.mpg")
    (unzipped / "s1" / "align" / f"{CODE}.align").write_text(short[1])
    shutil.copytree(download.root / "splits", unzipped / "splits")
    flat, deep = find_grid(download.root), find_grid(unzipped)
    assert (flat.layout, deep.layout) == (FLAT, UNZIPPED)
    assert prepare(flat, tmp_path / "a", workers=0).fingerprint == prepare(deep, tmp_path / "b", workers=0).fingerprint


def test_test_sentences_are_marked_as_seen_in_training_or_not(download, short, tmp_path):
    other = short[1].replace("bin", "set")
    for code, align, split in (
        ("bbaf2n", short[1], "train"),
        ("lwae9s", short[1], "test"),
        ("pgba1p", other, "test"),
    ):
        download.add(code, short[0], align, split=split)
    summary = prepare_grid(download.root, tmp_path / "store", workers=0)
    assert (summary.test, summary.seen) == (2, 1)
    grid = open_grid(tmp_path / "store")
    assert grid.load("s1/lwae9s").seen is True
    assert grid.load("s1/pgba1p").seen is False
    # a store from before sentences were kept says that it does not know, until it is prepared again
    path = tmp_path / "store" / "manifest.json"
    data = json.loads(path.read_text())
    for entry in data["clips"].values():
        del entry["sentence"]
    path.write_text(json.dumps(data))
    assert open_grid(tmp_path / "store").load("s1/lwae9s").seen is None
    again = prepare_grid(download.root, tmp_path / "store", workers=0)
    assert (again.done, again.kept, again.fingerprint) == (0, 3, summary.fingerprint)
    assert open_grid(tmp_path / "store").load("s1/lwae9s").seen is True


def test_a_dry_run_tells_all_and_writes_nothing(download, short, tmp_path):
    store = tmp_path / "store"
    for code in ("bbaf2n", "lwae9s"):
        download.add(code, *short)
    download.add("pgba1p", short[0], None, split="test")
    download.add("unlisted", *short, split=None)
    download.lists["test"].append("s1/video/mpg_6000/gone99")
    download.add("swwz9s", *short)
    found = survey(find_grid(download.root), store)
    assert not store.exists()
    assert (found.corpus, found.layout, found.clips, found.speakers) == ("grid", FLAT, 5, ("s1",))
    assert (found.train, found.test, found.unlisted) == (3, 1, ("s1/unlisted",))
    assert (found.unlabelled, found.absent) == (("s1/pgba1p",), 1)
    assert (found.to_prepare, found.kept, set(found.skipped)) == (4, 0, {"s1/unlisted"})
    prepare_grid(download.root, store, workers=0, limit=2)
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    found = survey(find_grid(download.root), store, limit=3)
    assert (found.clips, found.to_prepare, found.kept) == (5, 1, 2)
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before
    with pytest.raises(StoreError, match="Give another store folder"):
        survey(find_grid(download.root, split="random"), store)

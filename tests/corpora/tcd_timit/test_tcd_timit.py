"""TCD-TIMIT from files made in its format: real MP4 containers, real label syntax. The corpus was never at hand."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from lipbench import corpora
from lipbench.corpora.alignments import AlignmentError
from lipbench.corpora.preparation.run import prepare
from lipbench.corpora.preparation.survey import survey
from lipbench.corpora.tcd_timit.corpus import open_tcd_timit
from lipbench.corpora.tcd_timit.labels import FPS, PHONES, PhoneLabels
from lipbench.corpora.tcd_timit.layout import (
    assign_splits,
    collect_labels,
    find_clips,
    find_label_files,
    read_split_lists,
)
from lipbench.corpora.tcd_timit.preparation import find_tcd_timit
from lipbench.corpora.video import read_video, write_video
from lipbench.errors import UserError

GRID = Path(__file__).parents[4] / "shared" / "data" / "grid"
LABELS = "0 2000000 sil\n2000000 3000000 sh\n3000000 4600000 iy\n4600000 6600000 sil\n"
"""0.66 s: 19.78 frames."""


class Download:
    """A small TCD-TIMIT folder under construction."""

    def __init__(self, root):
        self.root = root
        root.mkdir()
        self.labels = ["#!MLF!#"]

    def add(self, clip, video=None, labels=LABELS, end="."):
        speaker, sentence = clip.split("/")
        path = self.root / "volunteers" / speaker / "Clips" / "straightcam" / f"{sentence}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(video, bytes):
            path.write_bytes(video)
        elif isinstance(video, Path):
            path.write_bytes(video.read_bytes())
        elif video is None:
            path.touch()
        else:
            write_video(video, path, FPS)
        if labels is not None:
            header = f'"Q:/Videos/TCD-TIMIT/volunteers/{speaker}/Clips/straightcam/{sentence}.rec"'
            self.labels += [header, *labels.splitlines(), *([end] if end else [])]
            (self.root / "volunteer_labelfiles.mlf").write_text("\n".join(self.labels) + "\n")
        return path

    def lists(self, train, test, folder="speaker-dependent", names=("train.scp", "test.scp")):
        (self.root / "splits" / folder).mkdir(parents=True)
        for name, clips in zip(names, (train, test), strict=True):
            lines = ["volunteers/{}/Clips/straightcam/{}.mp4\n".format(*clip.split("/")) for clip in clips]
            (self.root / "splits" / folder / name).write_text("".join(lines))


@pytest.fixture
def download(tmp_path):
    return Download(tmp_path / "tcdtimit")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """20 frames of a still face, as an MP4 at 30000/1001 frames per second."""
    data = pytest.importorskip("skimage.data", reason="scikit-image brings the picture of a face")
    face = np.asarray(cv2.resize(data.astronaut()[:240, 100:400], (360, 288)), dtype=np.uint8)
    path = tmp_path_factory.mktemp("video") / "face.mp4"
    write_video(np.repeat(face[None], 20, axis=0), path, FPS)
    return path


def test_clips_of_the_straight_camera_are_found(download):
    for name in ("02F/sx3", "01M/sa2", "01M/sa1"):
        download.add(name)
    other = download.root / "volunteers" / "01M" / "Clips" / "30degcam" / "sa1.mp4"
    other.parent.mkdir()
    other.touch()
    (download.root / "volunteers" / "notes").mkdir()
    clips = find_clips(download.root)
    assert [c.id for c in clips] == ["01M/sa1", "01M/sa2", "02F/sx3"]
    assert (clips[2].speaker, clips[2].sentence) == ("02F", "sx3")
    assert find_clips(download.root / "volunteers") == clips


def test_a_folder_without_tcd_timit_is_refused(tmp_path):
    with pytest.raises(UserError, match="there is no TCD-TIMIT folder"):
        find_clips(tmp_path / "nowhere")
    with pytest.raises(UserError, match="volunteers/NN"):
        find_clips(tmp_path)
    with pytest.raises(UserError, match=r"alignments=FILE\.mlf"):
        find_label_files(tmp_path)


def test_labels_are_found_by_speaker_and_sentence_wherever_the_file_lies(download):
    download.add("01M/sa1")
    download.add("01M/sx5", labels=LABELS.replace("sh", "d"))
    folder = download.root / "MLFfiles"
    folder.mkdir()
    (download.root / "volunteer_labelfiles.mlf").rename(folder / "labels.mlf")
    text = (folder / "labels.mlf").read_text()
    (folder / "other_camera.mlf").write_text(text.replace("straightcam", "30degcam").replace("sh", "zh"))
    (folder / "again.mlf").write_text(text.replace("Q:/Videos", "/media/DISK 1").replace(".rec", ".mp4"))
    labels = collect_labels(find_label_files(download.root))
    assert {name: len(blocks) for name, blocks in labels.items()} == {"01M/sa1": 1, "01M/sx5": 1}
    phones = PhoneLabels(clip="01M/sx5", blocks=tuple(labels["01M/sx5"])).read().phones
    assert [p.label for p in phones] == ["", "d", "iy", ""]


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ([], "no label file has labels of 01M/sa1"),
        ([LABELS, LABELS.replace("sh", "d")], "labelled in different ways: .*line 9, .*line 15"),
        ([LABELS.replace("sh", "zh")], "'zh', which is no phone of TCD-TIMIT"),
    ],
)
def test_labels_that_cannot_be_used_are_named(download, blocks, problem):
    download.add("99M/sa1")
    for block in blocks:
        download.add("01M/sa1", labels=block)
    found = collect_labels(find_label_files(download.root)).get("01M/sa1", [])
    with pytest.raises(AlignmentError, match=problem):
        PhoneLabels(clip="01M/sa1", blocks=tuple(found)).read()


def test_there_are_38_symbols():
    assert len(set(PHONES)) == len(PHONES) == 38
    assert PHONES[0] == "sil"


def test_the_recommended_lists_are_read(download):
    for name in ("01M/sa1", "01M/sa2", "01M/sx3"):
        download.add(name)
    with pytest.raises(UserError, match=r"no speaker-dependent/train\.scp.*pyVSR"):
        read_split_lists(download.root, "public")
    download.lists(["01M/sa1"], ["01M/sa2", "01M/gone1"])
    lists = read_split_lists(download.root, "public")
    assert assign_splits(find_clips(download.root), lists) == {"01M/sa1": "train", "01M/sa2": "test", "01M/sx3": None}
    assert find_tcd_timit(download.root).absent == 1
    names = ("volunteers_train.scp", "volunteers_test.scp")
    download.lists(["01M/sa1"], ["02F/sa1"], "speaker-independent", names)
    assert read_split_lists(download.root, "unseen") == {"01M/sa1": "train", "02F/sa1": "test"}


def test_the_papers_share_is_drawn_from_every_speaker_alike(download):
    for speaker, count in (("01M", 98), ("02F", 10), ("03F", 1)):
        for number in range(count):
            download.add(f"{speaker}/sx{number}", labels=None)
    clips = find_clips(download.root)
    drawn = assign_splits(clips, None, seed=3)
    tests = [name.partition("/")[0] for name, split in drawn.items() if split == "test"]
    assert {speaker: tests.count(speaker) for speaker in ("01M", "02F", "03F")} == {"01M": 29, "02F": 3, "03F": 0}
    assert assign_splits(clips, None, seed=3) == drawn
    assert assign_splits(clips[98:], None, seed=3) == {c.id: drawn[c.id] for c in clips[98:]}
    assert assign_splits(clips, None, seed=4) != drawn


def test_clips_come_through_with_their_phones_and_faults(download, clip, tmp_path):
    whole = clip.read_bytes()
    cases = {
        "01M/sa1": (clip, LABELS, None),
        "01M/sx1": (clip, LABELS.replace("4600000 6600000 sil", "4700000 9900000 sil"), None),
        "02F/sa1": (clip, LABELS, None),
        "02F/sx9": (clip, LABELS.replace("iy", "sh"), None),
        "02F/half": (whole[: len(whole) // 2], LABELS, "cannot be decoded"),
        "02F/nolabel": (clip, None, "no label file has labels of 02F/nolabel"),
        "02F/other": (clip, LABELS.replace("4600000 6600000 sil", "4600000 9600000 s"), "runs to frame 28.77"),
    }
    for name, (video, labels, _) in cases.items():
        download.add(name, video, labels)
    trained = ["01M/sa1", "01M/sx1", "02F/half", "02F/nolabel", "02F/other"]
    download.lists(trained, ["02F/sa1", "02F/sx9"])
    found = find_tcd_timit(download.root)
    assert survey(found, tmp_path / "store").unlabelled == ("02F/nolabel",)
    summary = prepare(found, tmp_path / "store", workers=0)
    assert set(summary.skipped) == {name for name, case in cases.items() if case[2]}
    for name, (_, _, reason) in cases.items():
        if reason is not None:
            with pytest.raises(UserError, match=reason):
                raise UserError(summary.skipped[name], remedy="")
    assert (summary.train, summary.test, summary.seen) == (2, 2, 1)
    assert summary.notes["01M/sx1"] == (
        "volunteer_labelfiles.mlf line 12: 'iy' and a silence leave a gap by 0.01 s: shared",
        "silence is labelled to frame 29.67, past the 20 of the video: cut there",
    )
    assert summary.notes["02F/sx9"] == ("volunteer_labelfiles.mlf line 23: 'sh' stands twice in a row: kept",)

    corpus = corpora.create("tcd_timit", store=tmp_path / "store")
    assert (corpus.name, corpus.symbols) == ("tcd_timit", PHONES)
    assert corpus.fps == pytest.approx(29.97, abs=0.001)
    utterance = corpus.load("01M/sa1")
    assert utterance.frames.shape == (20, 80, 160, 3)
    assert (utterance.speaker, utterance.text, utterance.tokens) == ("01M", "sh iy", ("sil", "sh", "iy", "sil"))
    # boundaries at frames 5.99, 8.99 and 13.79
    assert utterance.durations.tolist() == [6, 3, 5, 6]
    assert utterance.duration_source == "htk mlf, phones"
    # whoever says it, sa1 is the same sentence
    assert (corpus.load("02F/sa1").seen, corpus.load("02F/sx9").seen) == (True, False)


def test_a_video_of_another_rate_is_refused(download, clip, tmp_path):
    path = download.add("01M/sa1", clip)
    write_video(read_video(clip).frames, path, 25)
    download.lists(["01M/sa1"], [])
    summary = prepare(find_tcd_timit(download.root), tmp_path / "store", workers=0)
    assert summary.skipped == {"01M/sa1": "it runs at 25 frames per second, not 29.97"}


def test_full_hd_is_prepared_as_the_same_face_is_when_small(download, clip, tmp_path):
    frames = read_video(clip).frames[:10]
    large = np.full((10, 1080, 1920, 3), 90, np.uint8)
    large[:, 200:776, 700:1420] = np.stack([cv2.resize(f, None, fx=2, fy=2) for f in frames])
    labels = "0 1000000 sil\n1000000 2000000 sh\n2000000 3300000 sil\n"
    download.add("01M/sa1", frames, labels)
    download.add("01M/sa2", large, labels)
    download.lists(["01M/sa1", "01M/sa2"], [])
    summary = prepare(find_tcd_timit(download.root), tmp_path / "store", workers=0)
    assert (summary.done, summary.notes) == (2, {})
    corpus = open_tcd_timit(tmp_path / "store")
    small, big = corpus.load("01M/sa1"), corpus.load("01M/sa2")
    assert np.abs(small.landmarks - big.landmarks).mean() < 1
    assert np.abs(small.frames.astype(float) - big.frames).mean() < 6
    # a point of the large picture is where the affine map says
    placed = [corpus.placement(name) for name in ("01M/sa1", "01M/sa2")]
    (small_left, small_top, small_side), (left, top, side) = placed[0].box, placed[1].box
    assert side == pytest.approx(2 * small_side, rel=0.03)
    assert (left - 700, top - 200) == pytest.approx((2 * small_left, 2 * small_top), abs=10)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"split": "publik"}, "Did you mean 'public'"),
        ({"tokens": "characters"}, "no kind of token named 'characters'"),
        ({"stabilise": "no"}, "no way to stabilise"),
        ({"interpolation": "nearest"}, "no interpolation named 'nearest'"),
        ({"alignments": Path("no.mlf")}, r"no label file no\.mlf"),
    ],
)
def test_bad_options_are_refused(download, options, problem):
    download.add("01M/sa1")
    with pytest.raises(UserError, match=problem):
        find_tcd_timit(download.root, **{"split": "random", **options})


@pytest.mark.skipif(not GRID.is_dir(), reason="the GRID sample is not beside the repository")
def test_a_talking_face_moves_with_its_phones(download, tmp_path):
    """A real face from GRID in TCD-TIMIT's containers and labels, its words relabelled as phones."""
    source = sorted((GRID / "s1").glob("*.mpg"))[0]
    words = (GRID / "alignments" / "s1" / f"{source.stem}.align").read_text().split()
    rows = zip(words[0::3], words[1::3], words[2::3], strict=True)
    # .align counts 1/25000 s; the frames now run at 30000/1001 per second, so all is spoken faster
    rate = Fraction(10_000_000, 1000) * Fraction(1001, 30_000)
    labels = "".join(
        f"{int(int(a) * rate)} {int(int(b) * rate)} {'sil' if w in ('sil', 'sp') else 'aa'}\n" for a, b, w in rows
    )
    download.add("01M/sa1", read_video(source).frames, labels)
    download.add("01M/sa2", read_video(source).frames, labels, end="")
    summary = prepare(find_tcd_timit(download.root, split="random"), tmp_path / "store", workers=0)
    assert summary.done == 2
    corpus = open_tcd_timit(tmp_path / "store")
    utterance = corpus.load("01M/sa1")
    assert utterance.durations.sum() == len(utterance.frames) == 75
    opening = utterance.landmarks[:, 18, 1] - utterance.landmarks[:, 14, 1]
    speaking = np.repeat(np.array(utterance.tokens) != "sil", utterance.durations)
    assert np.std(opening[speaking]) > np.std(opening[~speaking])
    assert any("no '.' ends the labels" in note for note in summary.notes["01M/sa2"])

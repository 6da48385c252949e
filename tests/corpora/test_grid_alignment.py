from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.grid.alignment import PAUSES, AlignmentError, Interval, align_characters, read_alignment
from corpora.grid.vocabulary import sentence_of_code
from corpora.tokens import CHARACTERS, LETTERS

GRID = Path(__file__).parents[3] / "shared" / "data" / "grid"
EXAMPLE = "0 10000 sil\n10000 16000 bin\n16000 17000 sp\n17000 21000 blue\n21000 24500 sil\n"


def write(folder, content):
    path = folder / "clip.align"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_words_are_split_evenly_and_silence_goes_to_the_boundaries(tmp_path):
    aligned = align_characters(read_alignment(write(tmp_path, EXAMPLE)), 25)
    assert aligned.text == "bin blue"
    assert "".join(aligned.tokens) == "|bin|blue|"
    assert aligned.durations.tolist() == [10, 2, 2, 2, 1, 1, 1, 1, 1, 4]


def test_touching_words_have_a_boundary_of_no_frame(tmp_path):
    content = "0 3000 sil\r\n3000 6000 bin\r\n6000 10000 blue\r\n10000 12000 sil\r\n"
    aligned = align_characters(read_alignment(write(tmp_path, content)), 12)
    assert aligned.durations.tolist() == [3, 1, 1, 1, 0, 1, 1, 1, 1, 2]


def test_an_unlabelled_gap_belongs_to_the_boundary(tmp_path):
    aligned = align_characters(read_alignment(write(tmp_path, "2000 5000 bin\n7000 9000 at\n")), 10)
    assert aligned.durations.tolist() == [2, 1, 1, 1, 2, 1, 1, 1]


def test_a_longer_video_ends_in_silence(tmp_path):
    aligned = align_characters(read_alignment(write(tmp_path, EXAMPLE)), 40)
    assert aligned.durations[-1] == 19


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        (b"\xff\xfe\x00\x9c garbage", "is not text"),
        ("0 1000\n", "not 'start end word'"),
        ("0 1000 sil extra\n", "not 'start end word'"),
        ("zero 1000 sil\n", "not 'start end word'"),
        ("0 nan bin\n", "not 'start end word'"),
        ("-5 1000 bin\n", "not 'start end word'"),
        ("0 1000 bin\n500 2000 blue\n", "line 2: 'blue' starts before 'bin' has ended"),
        ("3000 4000 bin\n1000 2000 blue\n", "starts before"),
        ("2000 1000 bin\n", "ends before it has begun"),
        ("1000 1000 bin\n", "ends before it has begun"),
        ("0 1000 b|n\n", "is no word"),
        ("0 1000 sil\n1000 2000 sp\n", "holds no word"),
    ],
)
def test_bad_files_are_refused_with_the_reason(tmp_path, content, problem):
    with pytest.raises(AlignmentError) as caught:
        read_alignment(write(tmp_path, content))
    assert problem in caught.value.problem
    assert "clip.align" in caught.value.problem


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(AlignmentError, match=r"clip\.align is missing"):
        read_alignment(tmp_path / "clip.align")
    (tmp_path / "clip.align").mkdir()
    with pytest.raises(AlignmentError, match="cannot be read"):
        read_alignment(tmp_path / "clip.align")


def test_what_lies_beyond_the_video_is_refused(tmp_path):
    intervals = read_alignment(write(tmp_path, EXAMPLE))
    assert align_characters(intervals, 24).durations.sum() == 24
    with pytest.raises(AlignmentError, match=r"runs to frame 24\.5, the video has only 23"):
        align_characters(intervals, 23)
    with pytest.raises(AlignmentError, match="runs to frame"):
        align_characters([Interval(0.0, 5.5, "bin")], 5)


@st.composite
def sentences(draw):
    time, intervals = 0, []
    for _ in range(draw(st.integers(1, 8))):
        time += draw(st.integers(0, 5000))
        end = time + draw(st.integers(1, 20000))
        word = draw(st.text(LETTERS, min_size=1, max_size=9).filter(lambda w: w not in PAUSES))
        intervals.append(Interval(time / 1000, end / 1000, word))
        time = end
    shortest = int(np.ceil(intervals[-1].end))
    return intervals, draw(st.integers(max(shortest, 1), shortest + 100))


@given(sentences())
def test_durations_always_sum_to_the_video(case):
    intervals, n_frames = case
    aligned = align_characters(intervals, n_frames)
    assert aligned.durations.sum() == n_frames
    assert (aligned.durations >= 0).all()
    assert len(aligned.durations) == len(aligned.tokens)
    assert set(aligned.tokens) <= set(CHARACTERS)
    # no boundary is off by more than rounding
    starts = np.cumsum(aligned.durations)[np.flatnonzero(np.array(aligned.tokens[:-1]) == "|")]
    assert np.abs(starts - [word.start for word in intervals]).max() <= 0.5


def test_codes_are_spelt_out():
    assert sentence_of_code("lwizzs") == "lay white in z zero soon"
    assert sentence_of_code("PGBA1P") == "place green by a one please"
    assert sentence_of_code("bbaw2n") is None  # GRID has no letter w
    assert sentence_of_code("bbaf2") is None


@pytest.mark.skipif(not GRID.is_dir(), reason="the GRID sample is not beside the repository")
def test_real_alignments_agree_with_their_file_names():
    files = sorted((GRID / "alignments" / "s1").glob("*.align"))
    assert files
    for path in files:
        aligned = align_characters(read_alignment(path), 75)
        assert aligned.text == sentence_of_code(path.stem)
        assert aligned.durations.sum() == 75

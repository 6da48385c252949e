from pathlib import Path

import pytest

from lipbench.corpora.alignments import SILENCE, AlignmentError, LabelInterval, read_alignment
from lipbench.corpora.alignments.durations import align_tokens
from lipbench.corpora.grid.vocabulary import sentence_of_code

GRID = Path(__file__).parents[4] / "shared" / "data" / "grid"
EXAMPLE = "0 10000 sil\n10000 16000 bin\n16000 17000 sp\n17000 21000 Blue\n21000 24500 sil\n"


def write(folder, content):
    path = folder / "clip.align"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_file_is_read_in_seconds(tmp_path):
    alignment = read_alignment(write(tmp_path, EXAMPLE))
    assert alignment.format == "grid align"
    assert alignment.words == (
        LabelInterval(0.0, 0.4, SILENCE),
        LabelInterval(0.4, 0.64, "bin"),
        LabelInterval(0.64, 0.68, SILENCE),
        LabelInterval(0.68, 0.84, "blue"),
        LabelInterval(0.84, 0.98, SILENCE),
    )
    assert (alignment.phones, alignment.repairs) == ((), ())


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
        ("0 1000 sil\n500 2000 blue\n", "line 2: 'blue' starts before a silence has ended"),
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


@pytest.mark.skipif(not GRID.is_dir(), reason="the GRID sample is not beside the repository")
def test_real_alignments_agree_with_their_file_names():
    files = sorted((GRID / "alignments" / "s1").glob("*.align"))
    assert files
    for path in files:
        times = align_tokens(read_alignment(path), "characters", 75, fps=25.0)
        assert times.text == sentence_of_code(path.stem)
        assert times.durations.sum() == 75

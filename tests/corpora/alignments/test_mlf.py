import pytest

from lipbench.corpora.alignments import AlignmentError, LabelInterval, read_alignment
from lipbench.corpora.alignments.durations import Slack, align_tokens
from lipbench.corpora.alignments.mlf import parse_block, read_blocks

NTSC = 30000 / 1001
HEADER = '"Q:/Videos/TCD-TIMIT/volunteers/{}/Clips/straightcam/{}.rec"'
LABELS = "0 9100000 sil\n9100000 10500000 sh\n10500000 11300000 iy\n11300000 15000000 sil\n"


def master(*utterances, end=".\n"):
    """A master label file of (speaker, sentence, labels)."""
    return "#!MLF!#\n" + "".join(f"{HEADER.format(who, what)}\n{labels}{end}" for who, what, labels in utterances)


def write(folder, content):
    path = folder / "labels.mlf"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder, labels, end=".\n"):
    return read_alignment(write(folder, master(("01M", "sa1", labels), end=end)))


def test_times_are_in_units_of_100_ns(tmp_path):
    alignment = read(tmp_path, LABELS)
    assert alignment.format == "htk mlf"
    assert alignment.phones == (
        LabelInterval(0.0, 0.91, ""),
        LabelInterval(0.91, 1.05, "sh"),
        LabelInterval(1.05, 1.13, "iy"),
        LabelInterval(1.13, 1.5, ""),
    )
    assert (alignment.words, alignment.repairs) == ((), ())
    times = align_tokens(alignment, "phones", 45, fps=NTSC)
    assert times.tokens == ("sil", "sh", "iy", "sil")
    # 0.91 s is frame 27.27, 1.05 s 31.47, 1.13 s 33.87
    assert times.durations.tolist() == [27, 4, 3, 11]


def test_one_of_many_utterances_is_found(tmp_path):
    other = LABELS.replace("sh", "d")
    path = write(tmp_path, master(("01M", "sa1", LABELS), ("01M", "sa2", other), ("02M", "sa1", other)))
    assert read_alignment(path, utterance="01M/Clips/straightcam/sa1").phones[1].label == "sh"
    assert read_alignment(path, utterance="01M/Clips/straightcam/sa2").phones[1].label == "d"
    with pytest.raises(AlignmentError, match="holds 3 utterances: say which"):
        read_alignment(path)
    with pytest.raises(AlignmentError, match="'sa1' stands there 2 times"):
        read_alignment(path, utterance="sa1")
    with pytest.raises(AlignmentError, match="'a2' stands there 0 times"):
        read_alignment(path, utterance="a2")


def test_names_are_read_however_they_are_written(tmp_path):
    content = master(("01M", "sa1", LABELS)).replace("/", "\\").replace("\n", "\r\n")
    assert [b.name for b in read_blocks(write(tmp_path, content))] == [
        "Q:/Videos/TCD-TIMIT/volunteers/01M/Clips/straightcam/sa1"
    ]
    content = master(("01M", "sa1", LABELS)).replace("Q:/Videos", "/media/TOSHIBA EXT").replace(".rec", ".mp4")
    (block,) = read_blocks(write(tmp_path, content))
    assert block.name == "/media/TOSHIBA EXT/TCD-TIMIT/volunteers/01M/Clips/straightcam/sa1"


def test_a_missing_full_stop_ends_an_utterance_all_the_same(tmp_path):
    path = write(tmp_path, master(("01M", "sa1", LABELS), ("01M", "sa2", LABELS), end=""))
    first, second = (parse_block(block) for block in read_blocks(path))
    assert first.phones == second.phones
    assert len(first.phones) == 4
    assert first.repairs == ("no '.' ends the labels before labels.mlf line 7",)


@pytest.mark.parametrize(
    ("labels", "phones", "repair"),
    [
        (
            "0 2000000 d\n2000000 3000000 d\n",
            [(0.0, 0.2, "d"), (0.2, 0.3, "d")],
            "labels.mlf line 4: 'd' stands twice in a row: kept",
        ),
        (
            "0 2000000 d\n0 2000000 d\n2000000 3000000 ow\n",
            [(0.0, 0.2, "d"), (0.2, 0.3, "ow")],
            "labels.mlf line 4 stands there twice: used once",
        ),
        (
            "0 2000000 d\n2400000 4000000 ow\n",
            [(0.0, 0.22, "d"), (0.22, 0.4, "ow")],
            "labels.mlf line 4: 'd' and 'ow' leave a gap by 0.04 s: shared",
        ),
        (
            "0 2000000 d\n1800000 4000000 ow\n",
            [(0.0, 0.19, "d"), (0.19, 0.4, "ow")],
            "labels.mlf line 4: 'd' and 'ow' overlap by 0.02 s: shared",
        ),
        (
            "0 2000000 d\n3000000 4000000 ow\n",
            [(0.0, 0.2, "d"), (0.3, 0.4, "ow")],
            "labels.mlf line 4: 0.1 s before 'ow' have no label: taken for silence",
        ),
    ],
)
def test_known_faults_are_put_right_and_said(tmp_path, labels, phones, repair):
    alignment = read(tmp_path, labels)
    assert [(p.start, p.end, p.label) for p in alignment.phones] == phones
    assert alignment.repairs == (repair,)
    n_frames = round(phones[-1][1] * NTSC)
    assert align_tokens(alignment, "phones", n_frames, fps=NTSC).durations.sum() == n_frames


def test_labels_past_the_end_of_the_video_are_cut(tmp_path):
    times = align_tokens(read(tmp_path, LABELS), "phones", 40, fps=NTSC, slack=Slack(silence_s=1.0))
    assert times.durations.tolist() == [27, 4, 3, 6]
    assert times.repairs == ("silence is labelled to frame 44.96, past the 40 of the video: cut there",)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        (b"#!MLF!#\n\x80\x81", "is not text"),
        ("#!MLF!#\n0 100 sil\n", "line 2: '0 100 sil' belongs to no utterance"),
        (master(("01M", "sa1", "")), "line 3: the utterance has no label"),
        (master(("01M", "sa1", "0 x sil\n")), "line 3: '0 x sil' is not 'start end label'"),
        (master(("01M", "sa1", "0 100\n")), "not 'start end label'"),
        (master(("01M", "sa1", "0 100 d\n100 100 ow\n")), "line 4: 'ow' ends before it has begun"),
        (master(("01M", "sa1", "0 900 d\n100 200 ow\n")), "line 4: 'ow' is out of order or inside 'd'"),
        (master(("01M", "sa1", "500 900 sil\n0 600 ow\n")), "'ow' is out of order or inside a silence"),
        (master(("01M", "sa1", "0 900 sil\n")), "holds no phone"),
    ],
)
def test_what_cannot_be_put_right_is_refused(tmp_path, content, problem):
    with pytest.raises(AlignmentError) as caught:
        read_alignment(write(tmp_path, content))
    assert problem in caught.value.problem


def test_another_file_is_no_master_label_file(tmp_path):
    with pytest.raises(AlignmentError, match="does not begin with #!MLF!#"):
        read_blocks(write(tmp_path, "0 1000 bin\n"))

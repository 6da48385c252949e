import numpy as np
import pytest

from lipbench.corpora.alignments import AlignmentError, LabelInterval, read_alignment
from lipbench.corpora.alignments.durations import align_tokens


def tier(written):
    """Rows of a tier from times and the labels between them; _ is an empty label."""
    parts = written.split()
    rows = zip(parts[0::2], parts[2::2], parts[1::2], strict=False)
    return [(float(start), float(end), label.strip("_")) for start, end, label in rows]


P2FA_TIERS = {
    "phone": tier(
        "0.0125 sp 0.2125 B 0.3125 IH1 0.4125 N 0.5125 ns 0.6125 AE1 0.7125 T 0.8125 sp 0.9125",
    ),
    "word": tier("0.0125 sp 0.2125 BIN 0.5125 {NS} 0.6125 AT 0.8125 sp 0.9125"),
}
MFA_TIERS = {
    "words": tier("0.0 _ 0.2 bin 0.5 at 0.7 _ 1.0"),
    "phones": tier("0.0 _ 0.2 B 0.3 IH1 0.4 N 0.5 AE1 0.6 T 0.7 _ 1.0"),
}


def short(tiers):
    """A TextGrid in the short form, as P2FA writes it."""
    first, last = min(t[0][0] for t in tiers.values()), max(t[-1][1] for t in tiers.values())
    lines = ['File type = "ooTextFile short"', '"TextGrid"', "", first, last, "<exists>", len(tiers)]
    for name, rows in tiers.items():
        lines += ['"IntervalTier"', f'"{name}"', rows[0][0], rows[-1][1], len(rows)]
        for start, end, label in rows:
            lines += [start, end, f'"{label}"']
    return "\n".join(map(str, lines)) + "\n"


def long(tiers):
    """A TextGrid in the long form, as MFA writes it."""
    last = max(t[-1][1] for t in tiers.values())
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {last}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, rows) in enumerate(tiers.items(), 1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
        lines += ["        xmin = 0", f"        xmax = {rows[-1][1]}", f"        intervals: size = {len(rows)}"]
        for place, (start, end, label) in enumerate(rows, 1):
            lines += [f"        intervals [{place}]:", f"            xmin = {start}", f"            xmax = {end}"]
            lines += [f'            text = "{label}"']
    return "\n".join(lines) + "\n"


def write(folder, content, name="clip.TextGrid", encoding="utf-8"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def test_p2fa(tmp_path):
    alignment = read_alignment(write(tmp_path, short(P2FA_TIERS)))
    assert alignment.format == "p2fa TextGrid"
    assert [w.label for w in alignment.words] == ["", "bin", "", "at", ""]
    assert [p.label for p in alignment.phones] == ["", "b", "ih", "n", "", "ae", "t", ""]
    assert alignment.words[1] == LabelInterval(0.2125, 0.5125, "bin")
    assert alignment.repairs == ("{ns} in clip.TextGrid counts as silence",)
    # P2FA begins late and ends short of the clip: the silences at the ends take both rests
    times = align_tokens(alignment, "phones", 30, fps=25.0)
    assert times.tokens == ("sil", "b", "ih", "n", "sil", "ae", "t", "sil")
    assert times.durations.sum() == 30
    assert times.durations[0] == 5
    assert times.durations[-1] == 30 - 20
    assert times.source == "p2fa TextGrid, phones"


@pytest.mark.parametrize("form", [short, long])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_both_forms_and_encodings_are_read(tmp_path, form, encoding):
    assert read_alignment(write(tmp_path, form(MFA_TIERS), encoding=encoding)).format == "mfa TextGrid"
    assert read_alignment(write(tmp_path, form(P2FA_TIERS), encoding=encoding)).format == "p2fa TextGrid"


def test_mfa(tmp_path):
    alignment = read_alignment(write(tmp_path, long(MFA_TIERS)))
    assert [w.label for w in alignment.words] == ["", "bin", "at", ""]
    times = align_tokens(alignment, "characters", 25, fps=25.0)
    assert times.tokens == tuple("|bin|at|")
    np.testing.assert_array_equal(times.durations, [5, 3, 2, 3, 0, 2, 3, 7])
    assert times.source == "mfa TextGrid, characters by even split"


@pytest.mark.parametrize("silence", ["sil", "sp", "spn", "<eps>", ""])
def test_every_silence_that_mfa_has_written_is_one(tmp_path, silence):
    tiers = {name: [(a, b, label or silence) for a, b, label in rows] for name, rows in MFA_TIERS.items()}
    alignment = read_alignment(write(tmp_path, long(tiers)))
    assert [w.label for w in alignment.words] == ["", "bin", "at", ""]
    assert align_tokens(alignment, "phones", 25, fps=25.0).tokens == ("sil", "b", "ih", "n", "ae", "t", "sil")


def test_an_aligner_of_letters_gives_characters_their_own_times(tmp_path):
    phones = tier("0.0 _ 0.2 b 0.24 i 0.44 n 0.5 a 0.6 t 0.7 _ 1.0")
    tiers = {"words": MFA_TIERS["words"], "phones": phones}
    times = align_tokens(read_alignment(write(tmp_path, long(tiers))), "characters", 25, fps=25.0)
    assert times.durations.tolist() == [5, 1, 5, 2, 0, 2, 3, 7]
    assert times.source == "mfa TextGrid, characters as aligned"


def test_several_speakers_are_told_apart(tmp_path):
    other = [(0.0, 1.0, "lay")]
    tiers = {"s1 - words": MFA_TIERS["words"], "s1 - phones": MFA_TIERS["phones"], "s2 - words": other}
    path = write(tmp_path, long(tiers))
    assert [w.label for w in read_alignment(path, speaker="s1").words] == ["", "bin", "at", ""]
    second = read_alignment(path, speaker="s2")
    assert ([w.label for w in second.words], second.phones) == (["lay"], ())
    with pytest.raises(AlignmentError, match="several speakers: s1, s2"):
        read_alignment(path)
    with pytest.raises(AlignmentError, match="speakers s1, s2, not s3"):
        read_alignment(path, speaker="s3")
    # a file of one unnamed speaker is whoever's is asked for
    assert read_alignment(write(tmp_path, long(MFA_TIERS)), speaker="s3").words[1].label == "bin"
    with pytest.raises(AlignmentError, match="speakers s1, not s3"):
        read_alignment(write(tmp_path, long({"s1 - words": other})), speaker="s3")


WHOLE = long(MFA_TIERS)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\x80\x81\x82", "is not text"),
        ("hello\n", "is no TextGrid"),
        (WHOLE[: len(WHOLE) // 3], "cut off|damaged"),
        (WHOLE[: WHOLE.rindex("intervals [7]")], "'phones' does not reach its end"),
        (WHOLE.replace("xmin = 0.2\n", "xmin = abc\n"), "damaged"),
        (WHOLE.replace("xmin = 0.5\n", "xmin = 0.3\n"), "overlap"),
        (long({"sentence": [(0.0, 1.0, "bin at")]}), "neither P2FA's nor MFA's tiers, but: sentence"),
        (long({"words": [(0.0, 1.0, "")]}), "holds no word"),
        (short({"phone": [(0.0, 1.0, "ns")], "word": [(0.0, 1.0, "{NS}")]}), "holds no word"),
    ],
)
def test_bad_textgrids_are_refused_with_the_reason(tmp_path, content, problem):
    with pytest.raises(AlignmentError, match=problem) as caught:
        read_alignment(write(tmp_path, content))
    assert "clip.TextGrid" in caught.value.problem
    assert "\n" not in caught.value.problem


def test_every_cut_of_a_file_is_noticed(tmp_path):
    for whole in (long(MFA_TIERS), short(P2FA_TIERS)):
        for length in range(1, len(whole) - 2):
            with pytest.raises(AlignmentError):
                read_alignment(write(tmp_path, whole[:length]))


def test_a_file_of_unknown_format_is_refused(tmp_path):
    with pytest.raises(AlignmentError, match="no known format"):
        read_alignment(write(tmp_path, "0 1000 bin\n", name="clip.lab"))

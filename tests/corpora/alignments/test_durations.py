import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.corpora.alignments import Alignment, AlignmentError, LabelInterval
from lipbench.corpora.alignments.durations import Slack, align_tokens
from lipbench.corpora.tokens import CHARACTERS, LETTERS

NTSC = 30000 / 1001


def spoken(*words, phones=(), fps=25.0, unit="words"):
    """An alignment from (start frame, end frame, label)."""
    tiers = {"words": words, "phones": phones} if unit == "words" else {"phones": words}
    made = {
        tier: tuple(LabelInterval(start / fps, end / fps, label) for start, end, label in rows)
        for tier, rows in tiers.items()
    }
    return Alignment(format="by hand", **made)


def test_words_are_split_evenly_and_silence_goes_to_the_boundaries():
    alignment = spoken((0, 10, ""), (10, 16, "bin"), (16, 17, ""), (17, 21, "blue"), (21, 24.5, ""))
    times = align_tokens(alignment, "characters", 25, fps=25.0)
    assert times.text == "bin blue"
    assert "".join(times.tokens) == "|bin|blue|"
    assert times.durations.tolist() == [10, 2, 2, 2, 1, 1, 1, 1, 1, 4]
    assert times.source == "by hand, characters by even split"
    # a longer video ends in silence
    assert align_tokens(alignment, "characters", 40, fps=25.0).durations[-1] == 19


def test_touching_words_have_a_boundary_of_no_frame():
    alignment = spoken((0, 3, ""), (3, 6, "bin"), (6, 10, "blue"), (10, 12, ""))
    assert align_tokens(alignment, "characters", 12, fps=25.0).durations.tolist() == [3, 1, 1, 1, 0, 1, 1, 1, 1, 2]


def test_an_unlabelled_gap_belongs_to_the_boundary():
    alignment = spoken((2, 5, "bin"), (7, 9, "at"))
    assert align_tokens(alignment, "characters", 10, fps=25.0).durations.tolist() == [2, 1, 1, 1, 2, 1, 1, 1]


def test_half_a_frame_stays_half_a_frame():
    # 0.94 s x 25 is 23.499999999999996 in floating point, which would round down
    alignment = spoken((23.5, 30, "at"))
    assert align_tokens(alignment, "words", 40, fps=25.0).durations[0] == 24


def test_words_as_tokens():
    alignment = spoken((2, 5, "bin"), (7, 9, "at"))
    times = align_tokens(alignment, "words", 10, fps=25.0)
    assert times.tokens == ("|", "bin", "|", "at", "|")
    assert times.durations.tolist() == [2, 3, 2, 2, 1]
    assert times.source == "by hand, words"


def test_phones_have_silence_at_both_ends_and_in_gaps():
    alignment = spoken((1, 3, "b"), (3, 4, "ih"), (6, 8, "n"), (8, 9, ""), (9, 10, ""), (10, 11, "t"), unit="phones")
    times = align_tokens(alignment, "phones", 12, fps=25.0)
    assert times.tokens == ("sil", "b", "ih", "sil", "n", "sil", "t", "sil")
    assert times.durations.tolist() == [1, 2, 1, 2, 2, 2, 1, 1]
    assert (times.text, times.source) == ("b ih n t", "by hand, phones")


def test_a_phone_shorter_than_a_frame_may_last_none():
    alignment = spoken((0, 2, ""), (2, 2.2, "t"), (2.2, 5, "aa"), fps=NTSC, unit="phones")
    assert align_tokens(alignment, "phones", 5, fps=NTSC).durations.tolist() == [2, 0, 3, 0]


def test_letters_that_were_aligned_keep_their_times():
    phones = ((2, 5, "a"), (5, 6, "t"), (8, 9, "a"))
    times = align_tokens(spoken((2, 6, "at"), (8, 9, "a"), phones=phones), "characters", 10, fps=25.0)
    assert times.durations.tolist() == [2, 3, 1, 2, 1, 1]
    assert times.source == "by hand, characters as aligned"
    # one word whose phones are no letters, and all are split evenly
    times = align_tokens(spoken((2, 6, "at"), (8, 9, "a"), phones=phones[:1]), "characters", 10, fps=25.0)
    assert times.durations.tolist() == [2, 2, 2, 2, 1, 1]
    assert times.source == "by hand, characters by even split"


def test_what_lies_beyond_the_video_is_refused():
    alignment = spoken((10, 16, "bin"), (21, 24.5, ""))
    assert align_tokens(alignment, "characters", 24, fps=25.0).durations.sum() == 24
    with pytest.raises(AlignmentError, match=r"runs to frame 24\.5, the video has only 23"):
        align_tokens(alignment, "characters", 23, fps=25.0)
    with pytest.raises(AlignmentError, match="runs to frame"):
        align_tokens(spoken((0, 5.5, "bin")), "characters", 5, fps=25.0)


def test_what_is_allowed_beyond_the_video_is_cut_and_said():
    slack = Slack(speech_s=0.2, silence_s=2.0)
    times = align_tokens(spoken((0, 4, "a"), (4, 8, "b"), unit="phones"), "phones", 5, fps=25.0, slack=slack)
    assert times.durations.tolist() == [0, 4, 1, 0]
    assert times.repairs == ("speech is labelled to frame 8.00, past the 5 of the video: cut there",)
    times = align_tokens(spoken((0, 4, "a"), (4, 20, ""), unit="phones"), "phones", 5, fps=25.0, slack=slack)
    assert times.durations.tolist() == [0, 4, 1]
    assert times.repairs == ("silence is labelled to frame 20.00, past the 5 of the video: cut there",)
    with pytest.raises(AlignmentError, match="runs to frame 11"):
        align_tokens(spoken((0, 11, "a"), unit="phones"), "phones", 5, fps=25.0, slack=slack)


def test_a_level_that_is_not_there_is_named():
    with pytest.raises(AlignmentError, match="by hand has no phones"):
        align_tokens(spoken((0, 2, "at")), "phones", 5, fps=25.0)


def test_a_word_that_cannot_be_spelt_is_named():
    with pytest.raises(AlignmentError, match="'<unk>' holds < >"):
        align_tokens(spoken((0, 2, "<unk>")), "characters", 5, fps=25.0)


@st.composite
def alignments(draw):
    """Words and the phones in them, at any times, with gaps; the video may be longer or a little shorter."""
    time, words, phones = 0.0, [], []
    for _ in range(draw(st.integers(1, 8))):
        time += draw(st.floats(0, 0.3))
        start = time
        word = draw(st.text(LETTERS, min_size=1, max_size=9))
        labels = list(word) if draw(st.booleans()) else ["aa"]
        for label in labels:
            end = time + draw(st.floats(0.001, 0.3))
            phones.append(LabelInterval(time, end, label))
            time = end
        words.append(LabelInterval(start, time, word))
    if draw(st.booleans()):
        silence = LabelInterval(time, time + draw(st.floats(0, 2)), "")
        words.append(silence)
        phones.append(silence)
    return Alignment(format="drawn", words=tuple(words), phones=tuple(phones))


@given(
    alignments(),
    st.sampled_from(["characters", "words", "phones"]),
    st.sampled_from([25.0, NTSC, 50.0]),
    st.integers(-5, 60),
)
def test_durations_always_sum_to_the_video(alignment, level, fps, more):
    spoken_end = max(word.end for word in alignment.words if word.label)
    n_frames = max(1, int(spoken_end * fps) + more)
    times = align_tokens(alignment, level, n_frames, fps=fps, slack=Slack(speech_s=1.0, silence_s=5.0))
    assert times.durations.sum() == n_frames
    assert (times.durations >= 0).all()
    assert len(times.durations) == len(times.tokens)
    assert times.tokens[0] == times.tokens[-1] == ("sil" if level == "phones" else "|")
    if level == "characters":
        assert set(times.tokens) <= set(CHARACTERS)
    # no boundary that the video has is off by more than rounding
    ends = np.cumsum(times.durations)[:-1]
    tier = alignment.phones if level == "phones" else alignment.words
    for word in tier:
        if word.label:
            for time in (word.start * fps, word.end * fps):
                assert np.abs(ends - min(time, n_frames)).min() <= 0.5 + 1e-5

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from lipbench.benchmarks.scoring.clips import choose_utterances, generate_clips, make_control_clips
from lipbench.errors import UserError
from lipbench.models.text import Vocabulary

CPU = torch.device("cpu")


@pytest.mark.parametrize(("limit", "expected"), [(None, 5), (2, 2), (99, 5), (1, 1)])
def test_a_limit_spreads_over_the_split(drawn, limit, expected):
    ids = choose_utterances(drawn.corpus, "test", limit)
    assert len(set(ids)) == expected
    if limit == 2:
        assert ids == [drawn.corpus.ids("test")[0], drawn.corpus.ids("test")[-1]]


def test_what_a_model_makes_is_scored_as_video(drawn):
    """A clip in memory and the same clip from a lossless file are one clip."""
    ids = drawn.corpus.ids("test")
    for pair in generate_clips(drawn.subject(drawn.Parrot()), drawn.corpus, ids, durations="true", batch=2, device=CPU):
        levels = pair.made.frames * 255
        assert torch.equal(levels, levels.round())
        assert len(pair.made.frames) == len(pair.truth.frames)


def test_durations_are_those_of_the_sentence_and_not_of_the_padding(drawn):
    ids = drawn.corpus.ids("test")
    for pair in generate_clips(
        drawn.subject(drawn.Parrot(durations=3)), drawn.corpus, ids, durations="predicted", batch=5, device=CPU
    ):
        assert pair.made.durations.tolist() == [3] * len(pair.truth.utterance.tokens)


def test_a_clip_without_an_end_is_marked_and_each_is_named(drawn, caplog):
    class Endless(drawn.Parrot):
        def generate(self, request):
            return super().generate(request)._replace(cut_off=(1,))

    ids = drawn.corpus.ids("test")[:4]
    pairs = list(
        generate_clips(drawn.subject(Endless()), drawn.corpus, ids, durations="predicted", batch=2, device=CPU)
    )
    assert [pair.made.cut_off for pair in pairs] == [False, True, False, True]
    named = [f"parrot found no end of {ids[i]} and was cut off after 9 frames" for i in (1, 3)]
    assert [one.getMessage() for one in caplog.records] == named


class _Timeless:
    """The drawn corpus as one of which nobody knows the durations."""

    name = "timeless"

    def __init__(self, corpus):
        self._corpus = corpus

    def load(self, utterance_id):
        known = self._corpus.load(utterance_id)
        return SimpleNamespace(id=known.id, tokens=known.tokens, frames=known.frames, durations=None)


def test_a_corpus_without_durations_is_scored_with_predicted_ones_only(drawn):
    ids = drawn.corpus.ids("test")
    words = {"batch": 2, "device": CPU}
    pairs = list(
        generate_clips(drawn.subject(drawn.Parrot()), _Timeless(drawn.corpus), ids, durations="predicted", **words)
    )
    assert len(pairs) == len(ids)
    with pytest.raises(UserError, match=r"has no durations, which were to be given.*durations=predicted"):
        next(generate_clips(drawn.subject(drawn.Parrot()), _Timeless(drawn.corpus), ids, durations="true", **words))


def test_a_model_of_other_symbols_says_so_and_not_how_to_write_a_text(drawn):
    foreign = drawn.subject(drawn.Parrot())._replace(vocabulary=Vocabulary(["AA", "sil"]))
    with pytest.raises(UserError, match=r"parrot cannot say all of synthetic: the model has never seen .*train it on"):
        next(generate_clips(foreign, drawn.corpus, drawn.corpus.ids("test"), durations="true", batch=2, device=CPU))


def test_another_sentence_is_of_the_same_speaker(drawn):
    ids = drawn.corpus.ids("test")
    for pair in make_control_clips("other_sentence", drawn.corpus, ids, frame_size=(40, 80)):
        same = [torch.equal(pair.made.frames, t) for t in (pair.truth.frames,)]
        assert not any(same)
        assert (pair.made.frames[0] - pair.truth.frames[0]).abs().mean() < 0.15, "the face is the same"


def test_what_a_corpus_cannot_give_is_an_error_that_says_so(drawn):
    with pytest.raises(UserError, match="cut from no larger video"):
        next(make_control_clips("crop_round_trip", drawn.corpus, drawn.corpus.ids("test"), frame_size=(40, 80)))
    lonely = type(drawn.corpus)(train=0, test=1, speakers=1, seconds=(0.5, 0.5))
    with pytest.raises(UserError, match="says nothing but"):
        next(make_control_clips("other_sentence", lonely, lonely.ids("test"), frame_size=(40, 80)))


def test_a_round_trip_costs_a_little(drawn):
    (pair, *_) = make_control_clips("crop_round_trip", drawn.with_faces, drawn.corpus.ids("test"), frame_size=(80, 160))
    error = (pair.made.frames - pair.truth.frames).abs().mean()
    assert 0 < error < 0.02

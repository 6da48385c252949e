"""Paired differences against scipy's own tests and against their definition."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lipbench.statistics.intervals import MAX_CACHED_ITEMS, MIN_CLUSTERS
from lipbench.statistics.paired import ALPHA, POWER, MetricScores, correct_family, paired_difference, paired_differences


def scores(values, speaker="s1"):
    names = [f"{speaker}/{i:03d}" for i in range(len(values))]
    return dict(zip(names, map(float, values), strict=True))


def one_speaker(*sides):
    return {name: "s1" for side in sides for name in side}


def drawn(seed, n=60, shift=0.5, spread=1.0, clip_spread=10.0):
    random = np.random.default_rng(seed)
    base = random.normal(scale=clip_spread, size=n)
    return scores(base + shift + random.normal(scale=spread, size=n)), scores(base)


def test_what_clips_have_in_common_cancels():
    first, second = drawn(0)
    found = paired_difference(first, second, one_speaker(first))
    deltas = np.array(list(first.values())) - np.array(list(second.values()))
    t = stats.t.interval(0.95, len(deltas) - 1, loc=deltas.mean(), scale=stats.sem(deltas))
    assert found.value == pytest.approx(deltas.mean())
    assert found.interval is not None
    assert [found.interval.low, found.interval.high] == pytest.approx(t, abs=0.05)
    assert found.p == pytest.approx(stats.ttest_1samp(deltas, 0).pvalue, abs=0.01)
    unpaired = stats.ttest_ind(list(first.values()), list(second.values())).pvalue
    assert found.p is not None
    assert found.p < 0.01 < unpaired


def test_the_order_of_sides_turns_the_sign_only():
    first, second = drawn(1)
    one, other = (
        paired_difference(first, second, one_speaker(first)),
        paired_difference(second, first, one_speaker(first)),
    )
    assert one.value == pytest.approx(-other.value)
    assert one.p == pytest.approx(other.p, abs=0.01)


def test_speakers_count_as_wholes():
    """Forty clips of each of twelve speakers are twelve observations of a difference that lies with the speaker."""
    random = np.random.default_rng(3)
    first, second, who = {}, {}, {}
    for speaker, offset in enumerate(random.normal(scale=1.0, size=12)):
        for clip in range(40):
            name = f"s{speaker}/{clip}"
            who[name] = f"s{speaker}"
            first[name], second[name] = offset + random.normal(scale=0.01), 0.0
    by_speaker = paired_difference(first, second, who)
    by_clip = paired_difference(first, second, dict.fromkeys(who, "one"))
    assert (by_speaker.unit, by_speaker.clusters) == ("speaker", 12)
    assert (by_clip.unit, by_clip.clusters) == ("clip", 480)
    assert by_speaker.p is not None
    assert by_clip.p is not None
    assert by_speaker.p > 3 * by_clip.p
    assert by_speaker.detectable > 3 * by_clip.detectable


def test_clips_of_one_side_only_are_counted_and_left_out():
    first, second = drawn(4, n=30)
    del second["s1/000"]
    first["s1/001"] = math.inf
    found = paired_difference(first, second, one_speaker(first))
    assert (found.n, found.left_out) == (28, 2)
    assert math.isfinite(found.value)


@pytest.mark.parametrize("n", [0, 1, MIN_CLUSTERS - 1])
def test_too_few_clips_have_no_interval_and_no_p_value(n):
    first, second = drawn(5, n=n)
    found = paired_difference(first, second, one_speaker(first))
    assert (found.interval, found.p, found.detectable) == (None, None, None)
    assert not correct_family([found])[0].significant


def test_equal_systems_do_not_differ():
    first, _ = drawn(6)
    found = correct_family([paired_difference(first, first, one_speaker(first))])[0]
    assert (found.value, found.p, found.p_holm, found.detectable) == (0.0, 1.0, 1.0, 0.0)
    assert not found.significant


def test_holm_is_holm():
    family = [paired_difference(*drawn(seed, shift=0.05 * seed), one_speaker(drawn(seed)[0])) for seed in range(8)]
    raw = np.array([one.p for one in family])
    order = np.argsort(raw)
    by_hand = np.minimum(1, np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1)))
    assert [correct_family(family)[place].p_holm for place in order] == pytest.approx(by_hand)


def test_one_that_could_not_be_tested_makes_no_other_stricter():
    whole = paired_difference(*drawn(7), one_speaker(drawn(7)[0]))
    small = paired_difference(*drawn(7, n=3), one_speaker(drawn(7, n=3)[0]))
    assert correct_family([whole, small])[0].p_holm == whole.p
    assert correct_family([whole, small])[1].p_holm is None


def test_where_no_p_value_could_be_small_enough_nothing_is_called_a_tie():
    # ten clips have 1024 choices of signs, so p is 2 / 1024 at least
    sure = paired_difference(*drawn(7, n=10, shift=50.0), one_speaker(drawn(7, n=10)[0]))
    assert sure.p == sure.p_least == pytest.approx(2 / 1024)
    assert all(one.significant for one in correct_family([sure] * 25))
    assert all(one.p_holm is None for one in correct_family([sure] * 26))
    many = paired_difference(*drawn(7, shift=50.0), one_speaker(drawn(7)[0]))
    assert many.p == many.p_least == pytest.approx(2 / 10_000)


def test_an_effect_of_the_detectable_size_is_found_as_often_as_said():
    first, second = drawn(8, n=40, shift=0.0)
    found = paired_difference(first, second, one_speaker(first))
    random = np.random.default_rng(9)
    spread = np.std(np.array(list(first.values())) - np.array(list(second.values())), ddof=1)
    trials = random.normal(found.detectable, spread, size=(4000, 40))
    hits = (stats.ttest_1samp(trials, 0, axis=1).pvalue < ALPHA).mean()
    assert hits == pytest.approx(POWER, abs=0.03)


@given(st.lists(st.floats(-1e6, 1e6), min_size=MIN_CLUSTERS, max_size=30), st.floats(-100, 100))
def test_a_shift_of_both_sides_changes_nothing(values, shift):
    first, second = scores(values), scores(np.flip(values))
    moved = paired_difference(scores(np.array(values) + shift), scores(np.flip(values) + shift), one_speaker(first))
    assert moved.value == pytest.approx(paired_difference(first, second, one_speaker(first)).value, abs=1e-6)


@pytest.mark.parametrize("speakers", [1, 15])
def test_many_differences_at_once_are_those_one_by_one(speakers):
    pairs = [drawn(seed, n=60, shift=0.2 * seed) for seed in range(5)]
    pairs.append((pairs[0][0], pairs[0][0]))
    pairs.append(({k: v for k, v in pairs[1][0].items() if not k.endswith("7")}, pairs[1][1]))
    pairs.append(({}, pairs[1][1]))
    who = {name: f"s{i % speakers}" for i, name in enumerate(pairs[0][0])}
    together = paired_differences([(MetricScores(first), MetricScores(second)) for first, second in pairs], who)
    assert [one.n for one in together] == [60] * 6 + [54, 0]
    for (first, second), found in zip(pairs, together, strict=True):
        alone = paired_difference(first, second, who)
        assert (found.n, found.left_out, found.clusters, found.unit) == (
            alone.n, alone.left_out, alone.clusters, alone.unit,
        )  # fmt: skip
        for a, b in ((found.value, alone.value), (found.p, alone.p), (found.detectable, alone.detectable)):
            assert a == pytest.approx(b, nan_ok=True)
        if found.interval and alone.interval:
            ends = (alone.interval.low, alone.interval.high)
            assert (found.interval.low, found.interval.high) == pytest.approx(ends)
    assert paired_differences([], who) == []


def weighed(seed, n, *, speakers=1):
    """Sides whose clips weigh as many frames as each side scored, so that one clip has two weights."""
    random = np.random.default_rng(seed)
    first, second = drawn(seed, n=n, shift=0.8)
    sides = [
        MetricScores(values, dict(zip(values, random.integers(20, 80, n).astype(float), strict=True)))
        for values in (first, second)
    ]
    return sides, {name: f"s{i % speakers}" for i, name in enumerate(first)}


def weighted_mean(side):
    return np.average(list(side.values.values()), weights=[side.weights.get(name, 1.0) for name in side.values])


@pytest.mark.parametrize("speakers", [1, 12])
def test_a_weighted_difference_is_that_of_the_weighted_means(speakers):
    (first, second), who = weighed(2, 60, speakers=speakers)
    found = paired_differences([(first, second)], who)[0]
    assert found.value == pytest.approx(weighted_mean(first) - weighted_mean(second), abs=1e-12)
    unweighted = paired_difference(first.values, second.values, who)
    assert abs(found.value - unweighted.value) > 0.01


@pytest.mark.parametrize("n", [40, MAX_CACHED_ITEMS + 1])
def test_a_weighted_interval_is_that_of_the_plain_bootstrap(n):
    (first, second), who = weighed(3, n)
    parts = [list(each.values()) for side in (first, second) for each in (side.values, side.weights)]
    plain = stats.bootstrap(
        parts,
        lambda a, wa, b, wb, axis: (a * wa).sum(axis) / wa.sum(axis) - (b * wb).sum(axis) / wb.sum(axis),
        paired=True, vectorized=True, n_resamples=9999, method="percentile", rng=np.random.default_rng(5),
    ).confidence_interval  # fmt: skip
    found = paired_differences([(first, second)], who)[0].interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.05 * (plain.high - plain.low))


def test_a_weighted_p_value_is_that_of_swapping_sides_clip_by_clip():
    (first, second), who = weighed(4, 40)
    a, wa, b, wb = (np.array(list(each.values())) for side in (first, second) for each in (side.values, side.weights))
    swaps = np.random.default_rng(6).integers(0, 2, size=(20_000, 40)).astype(bool)
    ones, others = (
        (np.where(swaps, x, y), np.where(swaps, wx, wy)) for x, wx, y, wy in ((a, wa, b, wb), (b, wb, a, wa))
    )
    means = [(values * weights).sum(axis=1) / weights.sum(axis=1) for values, weights in (ones, others)]
    observed = abs(weighted_mean(first) - weighted_mean(second))
    swapped = (np.abs(means[0] - means[1]) >= observed).mean()
    assert 0.02 < swapped < 0.98
    assert paired_differences([(first, second)], who)[0].p == pytest.approx(swapped, abs=0.02)


def test_equal_weights_are_none():
    first, second = drawn(9, n=40)
    alike = [MetricScores(side, dict.fromkeys(side, 75.0)) for side in (first, second)]
    found, plain = (
        paired_differences([(alike[0], alike[1])], one_speaker(first))[0],
        paired_difference(first, second, one_speaker(first)),
    )
    assert (found.value, found.p, found.detectable) == pytest.approx((plain.value, plain.p, plain.detectable))

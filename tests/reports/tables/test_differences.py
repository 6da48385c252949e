"""Which pairs are compared, and what is said of them."""

import numpy as np
import pytest
import torch

from lipbench import metrics
from lipbench.metrics import protocols
from lipbench.metrics.alignment import align
from lipbench.records.quality import ClipScore, ProtocolFacts
from lipbench.reports.markdown.quality import difference_note, differences_table, metric_tables
from lipbench.reports.tables.csv import quality_frame
from lipbench.reports.tables.differences import difference_table, mark_ties
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.quality import quality_tables


def table_of(records):
    (table,) = quality_tables(records, collect_names(records))
    return difference_table(table)


def test_every_model_meets_every_other_and_the_still_mouth(make):
    names = ("hh_t2l", "dual_lip", "transformer_t2l", "first_frame", "mean_frame", "ground_truth")
    table = table_of([make.quality(name, n=20) for name in names])
    found = [(row.first.name, row.second.name) for row in table.rows]
    assert len(found) == 6
    assert {frozenset(pair) for pair in found} == {
        frozenset(pair)
        for pair in [
            ("hh_t2l", "dual_lip"),
            ("hh_t2l", "transformer_t2l"),
            ("dual_lip", "transformer_t2l"),
            ("hh_t2l", "first_frame"),
            ("dual_lip", "first_frame"),
            ("transformer_t2l", "first_frame"),
        ]
    }
    directed = [metric for metric in make.METRICS if metric.higher_is_better is not None]
    assert table.family == 6 * len(directed) < 6 * len(make.METRICS)


def test_a_cell_is_the_mean_difference_of_common_clips(make):
    first, second = make.quality("hh_t2l", n=20), make.quality("dual_lip", n=20)
    row = table_of([first, second]).rows[0]
    by_hand = np.mean(first.result.values("psnr")) - np.mean(second.result.values("psnr"))
    sign = 1 if row.first.name == "hh_t2l" else -1
    assert row.cells["psnr"].value == pytest.approx(sign * by_hand)
    assert row.cells["psnr"].n == 20


def scored_under(protocol, lengths):
    """Values and weights that the metrics themselves give clips of 12 frames, the generated ones of other lengths."""
    random = torch.Generator().manual_seed(sum(lengths))
    names = {"psnr": (3, 24, 32), "ssim": (3, 24, 32), "lmd": (20, 2)}
    found = []
    for i, length in enumerate(lengths):
        scores = {}
        for name, shape in names.items():
            metric = metrics.create(name, protocol=protocol)
            sides = [torch.rand(n, *shape, generator=random) for n in (length, 12)]
            matched = align(
                torch.rand(length, 3, 24, 32, generator=random), torch.zeros(12, 3, 24, 32), protocol.length
            )
            scores[name] = metric.score(*matched.apply(*sides))
        found.append(
            ClipScore(
                utterance=f"s1/{i:03d}", speaker="s1", text="", frames=12, generated_frames=length,
                values={name: score.value for name, score in scores.items()},
                weights={name: score.weight for name, score in scores.items() if score.weight != 1},
            )
        )  # fmt: skip
    return found


@pytest.mark.parametrize("name", protocols.names())
def test_a_difference_is_that_of_the_means_in_the_table_under_every_protocol(make, name):
    rules = protocols.get(name)
    protocol = ProtocolFacts(name=name, fingerprint=rules.fingerprint, summary=rules.summary)
    lengths = {"hh_t2l": [4 + i for i in range(12)], "dual_lip": [15 - i for i in range(12)]}
    scored = {system: scored_under(rules, its) for system, its in lengths.items()}
    records = [
        make.quality(system, scores=scores, metrics=make.METRICS[:3], protocol=protocol)
        for system, scores in scored.items()
    ]
    (table,) = quality_tables(records, collect_names(records))
    row = difference_table(table).rows[0]
    for metric in ("psnr", "ssim", "lmd"):
        means = row.first.cells[metric].mean.value, row.second.cells[metric].mean.value
        assert row.cells[metric].value == pytest.approx(means[0] - means[1], abs=1e-12)
    # the test means something: under protocols that pool frames one clip has two weights
    weights = [[clip.weights.get("psnr") for clip in clips] for clips in scored.values()]
    assert (weights[0] != weights[1]) == (rules.pooling == "frames")


def test_only_what_chance_does_not_explain_is_bold(make):
    table = table_of([make.quality(name, n=30) for name in ("hh_t2l", "transformer_t2l")])
    cells = differences_table(table).rows[0].cells[1:]
    for metric, cell in zip(table.metrics, cells, strict=True):
        assert (cell.mark == "significant") == table.rows[0].cells[metric.name].significant
        assert "detectable" in cell.plain[-1]
    assert any(cell.mark == "significant" for cell in cells)
    assert "Holm-corrected over the 4 differences" in difference_note(table)


def test_a_small_but_sure_difference_does_not_read_as_zero(make):
    random = np.random.default_rng(0)
    sides = {
        name: [
            clip.model_copy(update={"values": {"ssim": 0.99 + shift + 0.0008 * random.normal()}})
            for clip in make.clips(name, 40)
        ]
        for name, shift in (("hh_t2l", 0.0008), ("dual_lip", 0.0))
    }
    records = [make.quality(name, scores=scores, metrics=[make.METRICS[1]]) for name, scores in sides.items()]
    found = table_of(records)
    cell = found.rows[0].cells["ssim"]
    assert cell.significant
    assert 0.0001 < cell.value < 0.001
    shown = differences_table(found).rows[0].cells[1]
    assert f"{cell.interval.low:.3f}" == "0.000"
    assert (shown.text, shown.mark) == (f"+{cell.value:.4f}", "significant")
    assert shown.interval == f"[+{cell.interval.low:.4f}, +{cell.interval.high:.4f}]"
    # and the means that it is of have the digits to show it
    (table,) = quality_tables(records, collect_names(records))
    first, second = (row.cells["ssim"].mean.value for row in table.rows)
    shown = [row.cells[1].text for row in metric_tables(table)[0].rows]
    assert shown == [f"{first:.4f}", f"{second:.4f}"]


def test_few_clips_say_so(make):
    table = table_of([make.quality(name, n=4) for name in ("hh_t2l", "dual_lip")])
    assert all("n too small" in cell.plain for cell in differences_table(table).rows[0].cells[1:])


def test_nothing_to_compare_is_no_table(make):
    assert table_of([make.quality("hh_t2l")]) is None
    assert table_of([make.quality("first_frame"), make.quality("mean_frame")]) is None


def test_a_metric_that_one_side_lacks_is_a_dash(make):
    records = [make.quality("hh_t2l", n=20), make.quality("transformer_t2l", n=20)]
    records.append(make.quality("dual_lip", n=20, metrics=make.METRICS[:2]))
    assert [cell.plain for cell in differences_table(table_of(records)).rows[0].cells[3:]] == [("–",)] * 2


def near(make, name, shift, n=30):
    """Clips that all differ from those of HH-T2L by about the same PSNR."""
    noise = np.random.default_rng(len(name)).normal(0, 0.2, n)
    scores = [
        clip.model_copy(update={"values": {"psnr": clip.values["psnr"] + shift + float(one)}})
        for clip, one in zip(make.clips("hh_t2l", n), noise - noise.mean(), strict=True)
    ]
    return make.quality(name, scores=scores, metrics=make.METRICS[:1])


def marked(records):
    (table,) = quality_tables(records, collect_names(records))
    return mark_ties(table, difference_table(table))


def test_tied_is_what_the_paired_test_does_not_tell_from_the_best(make):
    # intervals of all three overlap by far: clips scatter by 1.2 dB
    table = marked([near(make, "hh_t2l", 0.0), near(make, "dual_lip", -0.01), near(make, "transformer_t2l", -0.9)])
    cells = {row.name: row.cells["psnr"] for row in table.rows}
    assert cells["hh_t2l"].best
    assert {name for name, cell in cells.items() if cell.tied} == {"dual_lip"}
    shown = {row.cells[0].text: row.cells[1] for row in metric_tables(table)[0].rows}
    assert {label: cell.mark for label, cell in shown.items()} == {
        "HH-T2L": "best", "DualLip": "tied", "TransformerT2L": None,
    }  # fmt: skip
    assert "tied with the best" in shown["DualLip"].plain
    frame = quality_frame(table).set_index("system")
    assert frame.psnr_tied.to_dict() == {"hh_t2l": False, "dual_lip": True, "transformer_t2l": False}


def test_what_was_not_tested_is_no_tie(make):
    table = marked([near(make, name, shift, n=4) for name, shift in (("hh_t2l", 0.0), ("dual_lip", -0.01))])
    assert not any(cell.tied for row in table.rows for cell in row.cells.values())


def test_more_differences_than_the_clips_can_tell_apart_are_not_tested_and_no_ties(make):
    names = ("hh_t2l", "dual_lip", "transformer_t2l", "yak", "zebra")
    records = [make.quality(name, n=10) for name in names]
    (table,) = quality_tables(records, collect_names(records))
    found = difference_table(table)
    assert found is not None
    assert found.family > 25
    assert not found.tested
    assert "not tested" in differences_table(found).rows[0].cells[1].plain
    assert "None was tested" in difference_note(found)
    assert not any(cell.tied for row in mark_ties(table, found).rows for cell in row.cells.values())

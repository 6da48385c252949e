from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.benchmarks.gate.deciding.decide import cells_to_measure_again, decide, decide_in_two_looks, noise_by_place
from lipbench.benchmarks.gate.deciding.latency import latency_changes
from lipbench.benchmarks.gate.deciding.manifest import MatchedCell, dropped_cells
from lipbench.benchmarks.gate.pairs import BlockPair, BlockRecords, Conditions
from lipbench.benchmarks.gate.text import lines, markdown
from lipbench.benchmarks.gate.verdict import Decision, Finding, Margins, Verdict, worst
from lipbench.records.latency import Costs, Latency, LatencySample
from lipbench.records.quality import ClipScore, CorpusFacts, MetricFacts, ProtocolFacts, Quality
from lipbench.records.record import Cell, Failure, Record
from lipbench.records.system import Machine, Software, System, Training

FRAMES = (25, 75, 137)
TIMED = [Cell(kind="latency", system="hh_t2l", frames=frames, device="cpu") for frames in FRAMES]
SCORED = Cell(kind="quality", system="hh_t2l", durations="predicted")
MACHINE = Machine(cpu="A", cores=2, memory_bytes=1, system="Linux", threads=2)
PSNR = MetricFacts(name="psnr", title="PSNR", unit="dB", higher_is_better=True)


def record(cell: Cell, result: Latency | Quality | None, machine: Machine = MACHINE) -> Record:
    return Record(
        created="", command="", cell=cell, status="measured" if result else "failed", machine=machine, result=result,
        software=Software(python="", packages={}, commit=None, dirty=None), seconds=0.0,
        failure=None if result else Failure(type="OutOfMemoryError", message="no room"),
    )  # fmt: skip


def timed(cell: Cell, *seconds: float, machine: Machine = MACHINE, parameters: int = 10) -> Record:
    result = Latency(
        system=System(name=cell.system, title="HH", kind="model", parameters=parameters), device="cpu", dtype="float32",
        batch=1, frames=cell.frames or 1, tokens=4, fps=25.0, first_call_s=1.0, warmup=[], settled=True,
        samples=[LatencySample(wall_s=one) for one in seconds],
    )  # fmt: skip
    return record(cell, result, machine)


def pairs(
    head=lambda frames: 1.0, *, n: int = 12, spread: float = 0.005, seed: int = 0, conditions=(None, None), **facts
):
    generator = np.random.default_rng(seed)

    def block(factor, noted, **facts) -> BlockRecords:
        times = [0.01 + cell.frames / 1000 for cell in TIMED]
        times = [
            t * factor(c.frames) * math.exp(generator.normal(0, spread)) for c, t in zip(TIMED, times, strict=True)
        ]
        return BlockRecords(tuple(timed(c, t, **facts) for c, t in zip(TIMED, times, strict=True)), noted)

    return [BlockPair(block(lambda _: 1.0, conditions[0]), block(head, conditions[1], **facts)) for _ in range(n)]


def scored(values, *, fingerprint: str = "p", training: Training | None = None) -> Record:
    clips = [
        ClipScore(utterance=f"u{i}", speaker=f"s{i % 2}", text="", frames=9, generated_frames=9, values={"psnr": value})
        for i, value in enumerate(values)
    ]
    return record(SCORED, Quality(
        system=System(name="hh_t2l", title="HH", kind="model", training=training), durations="predicted", device="cpu",
        corpus=CorpusFacts(name="grid", fingerprint="c", split="test", clips=len(clips)), metrics=[PSNR], clips=clips,
        protocol=ProtocolFacts(name="paper", fingerprint=fingerprint, summary=""),
    ))  # fmt: skip


def quality(base: Record, head: Record, **rules) -> Decision:
    return decide([SCORED], [BlockPair(BlockRecords((base,)), BlockRecords((head,)))], Margins(**rules))


def test_the_same_times_pass_and_a_slowdown_beyond_the_margin_fails():
    assert decide(TIMED, pairs(), Margins()).verdict is Verdict.PASS
    assert decide(TIMED, pairs(lambda _: 1.02), Margins()).verdict is Verdict.PASS, "below the margin"
    slower = decide(TIMED, pairs(lambda frames: 1.06 if frames == 75 else 1.0), Margins())
    assert [f.place for f in slower.offending if f.check == "latency"] == ["hh_t2l, 75 frames, cpu"]
    assert slower.exit_code(strict=False) == 1


def test_a_steeper_slope_fails_though_each_length_alone_is_within_its_margin():
    # each length stays below +4 %, the short ones are faster
    steeper = decide(TIMED, pairs(lambda frames: {25: 0.95, 75: 1.0, 137: 1.03}[frames]), Margins(margin=0.04))
    failed = [finding.check for finding in steeper.findings if finding.verdict is Verdict.FAIL]
    assert failed == ["scaling"]


def test_a_slope_near_zero_can_be_judged():
    def flat(head_slope: float) -> list[BlockPair]:
        def block(slope):
            return BlockRecords(tuple(timed(cell, 0.01 + slope * (cell.frames or 0)) for cell in TIMED))

        return [BlockPair(block(0.0), block(head_slope)) for _ in range(12)]

    assert decide(TIMED, flat(0.0), Margins()).verdict is Verdict.PASS
    linear = decide(TIMED, flat(0.00001), Margins())
    assert any(f.check == "scaling" and f.verdict is Verdict.FAIL for f in linear.findings)


def test_a_slow_moment_that_met_both_sides_makes_no_slope():
    # the medians of the two sides differ threefold, as one call of head's was out of the slow moment
    def block(moments: tuple[int, ...]) -> BlockRecords:
        return BlockRecords(
            tuple(timed(cell, *(moment * (cell.frames or 0) / 1000 for moment in moments)) for cell in TIMED)
        )

    both = [BlockPair(block((1, 1, 3, 3, 3)), block((1, 1, 1, 3, 3)))] * 12
    assert decide(TIMED, both, Margins()).verdict is Verdict.PASS


def test_two_sides_that_change_places_have_the_opposite_change():
    # a mean of plain ratios would see a slowdown both ways, and so in pure noise
    there = [MatchedCell(cell, tuple((p.base.of(cell), p.head.of(cell)) for p in pairs(spread=0.4)), tuple(range(12)))
             for cell in TIMED]  # fmt: skip
    back = [replace(one, matched=tuple((head, base) for base, head in one.matched)) for one in there]
    for one, other in zip(latency_changes(there)[:-1], latency_changes(back)[:-1], strict=True):
        assert one.values == pytest.approx([-value for value in other.values])


@pytest.mark.parametrize("slower", [0.2, -0.2])
def test_a_change_is_shown_as_a_share_of_bases_time(slower):
    shown = decide(TIMED, pairs(lambda _: 1 + slower, spread=0.0), Margins())
    assert {f.change for f in shown.findings if f.check == "latency"} == {
        f"{slower:+.1%} [{slower:+.1%}, {slower:+.1%}] over 12 pairs"
    }
    (slope,) = [f.change for f in shown.findings if f.check == "scaling"]
    assert slope.startswith(f"{slower * 0.137 / 0.147:+.1%}"), "time at 137 frames is 0.01 + 0.137 s"


def test_too_few_pairs_and_too_much_noise_are_ambiguous_and_strict_makes_them_fail():
    few = decide(TIMED, pairs(lambda _: 2.0, n=4), Margins())
    assert few.verdict is Verdict.AMBIGUOUS
    assert (few.exit_code(strict=False), few.exit_code(strict=True)) == (3, 1)
    noisy = decide(TIMED, pairs(spread=0.3), Margins())
    assert noisy.verdict is Verdict.AMBIGUOUS


def test_what_is_implausibly_fast_is_ambiguous():
    fast = decide(TIMED, pairs(lambda _: 0.5), Margins())
    assert fast.verdict is Verdict.AMBIGUOUS
    assert "is all of the work still done?" in fast.offending[0].reason


@pytest.mark.parametrize("side", ["base", "head"])
def test_a_cell_that_is_gone_or_failed_blocks(side):
    def changed(change) -> list[BlockPair]:
        return [
            replace(p, **{side: replace(getattr(p, side), records=change(getattr(p, side).records))}) for p in pairs()
        ]

    gone = decide(TIMED, changed(lambda records: records[1:]), Margins())
    failed = decide(TIMED, changed(lambda records: (record(TIMED[0], None), *records[1:])), Margins())
    assert gone.exit_code(strict=False) == failed.exit_code(strict=False) == 2
    assert "no room" in failed.offending[0].reason
    assert decide(TIMED, [], Margins()).exit_code(strict=False) == 2, "nothing at all"
    assert decide([], [], Margins()).exit_code(strict=False) == 2, "nothing asked for"


def test_a_cell_that_heads_own_config_has_lost_is_expected_of_it_all_the_same():
    lost = [BlockPair(p.base, BlockRecords(p.head.records[1:])) for p in pairs()]
    assert dropped_cells(TIMED[1:], lost) == TIMED[:1]
    assert dropped_cells(TIMED, lost) == []
    found = decide([*TIMED[1:], *dropped_cells(TIMED[1:], lost)], lost, Margins())
    assert found.verdict is Verdict.NOT_MEASURED
    assert "no record of it on the side of head" in found.offending[0].reason


def test_another_config_on_one_side_is_named():
    other = [cell.model_copy(update={"preset": "tiny"}) for cell in TIMED]
    renamed = [BlockPair(p.base, BlockRecords(tuple(timed(c, 0.1) for c in other))) for p in pairs()]
    found = decide(TIMED, renamed, Margins())
    assert found.verdict is Verdict.NOT_MEASURED
    assert "head was measured with another config: preset=tiny where None is expected" in found.offending[0].reason


def test_unlike_machines_are_not_compared():
    found = decide(TIMED, pairs(machine=MACHINE.model_copy(update={"gpu": "B"})), Margins())
    assert found.verdict is Verdict.NOT_MEASURED
    assert "unlike machines: gpu None and B" in found.offending[0].reason


def test_other_packages_are_noted():
    def with_torch(version: str, block: BlockRecords) -> BlockRecords:
        software = Software(python="3.11", packages={"torch": version, "lipbench": version}, commit=None, dirty=None)
        return BlockRecords(tuple(record.model_copy(update={"software": software}) for record in block.records))

    both = [BlockPair(with_torch("2.5", p.base), with_torch("2.6", p.head)) for p in pairs()]
    (note,) = [note for note in decide(TIMED, both, Margins()).notes if "packages" in note]
    assert note.endswith("may be: torch 2.5 and 2.6")
    assert not [note for note in decide(TIMED, pairs(), Margins()).notes if "packages" in note]


def test_costs_are_exact():
    assert decide(TIMED, pairs(parameters=11), Margins()).verdict is Verdict.FAIL
    assert decide(TIMED, pairs(parameters=9), Margins()).verdict is Verdict.PASS
    assert decide(TIMED, pairs(parameters=5), Margins()).verdict is Verdict.AMBIGUOUS


@pytest.mark.parametrize("name", ["operations", "parameters", "launches", "activation_bytes"])
def test_every_cost_that_both_sides_count_is_exact(name):
    counted = Costs(operations=1000, parameters=1000, launches=1000, activation_bytes=1000)

    def of(count: int | None, place: int = 0) -> Record:
        made = timed(TIMED[0], 0.01)
        costs = None if count is None else counted.model_copy(update={name: count + place})
        return made.model_copy(update={"result": made.result.model_copy(update={"costs": costs})})

    def verdicts(base: int | None, head: int | None, *, varies: int = 0) -> dict[str, Verdict]:
        several = [
            BlockPair(BlockRecords((of(base),)), BlockRecords((of(head, varies * place),))) for place in range(12)
        ]
        found = decide(TIMED[:1], several, Margins())
        return {f.place.split(" of ")[0]: f.verdict for f in found.findings if f.check == "costs"}

    others = {"operations", "parameters", "launches", "activation_bytes"} - {name}
    for head, verdict in ((1000, Verdict.PASS), (1001, Verdict.FAIL), (999, Verdict.PASS), (600, Verdict.AMBIGUOUS)):
        found = verdicts(1000, head)
        assert found[name] is verdict
        assert {found[other] for other in others} == {Verdict.PASS}
    assert verdicts(1000, 1000, varies=1)[name] is Verdict.AMBIGUOUS, "not the same in every process"
    if name != "parameters":  # which the system itself tells
        assert verdicts(1000, None)[name] is Verdict.NOT_MEASURED
        assert name not in verdicts(None, 1000)


@pytest.mark.parametrize("noted", ["pulse_s", "clock_mhz", "foreign_cores"])
def test_a_machine_that_was_slower_for_head_makes_a_slowdown_ambiguous(noted):
    slow, fast = (2400.0, 2500.0) if noted == "clock_mhz" else (1.5, 1.0)
    noted_slow, noted_fast = Conditions(**{noted: slow}), Conditions(**{noted: fast})
    slower = lambda _: 1.1  # noqa: E731
    against = decide(TIMED, pairs(slower, conditions=(noted_fast, noted_slow)), Margins())
    assert {f.verdict for f in against.findings if f.check == "latency"} == {Verdict.AMBIGUOUS}
    # a head that is slower although the machine favoured it is slower
    favoured = decide(TIMED, pairs(slower, conditions=(noted_slow, noted_fast)), Margins())
    assert {f.verdict for f in favoured.findings if f.check == "latency"} == {Verdict.FAIL}
    # and one that passes because the machine favoured it has shown nothing
    hidden = decide(TIMED, pairs(conditions=(noted_slow, noted_fast)), Margins())
    assert hidden.verdict is Verdict.AMBIGUOUS


def test_drifts_that_pull_apart_are_both_seen():
    # the clock was lower for head, and others took more cores from base
    base, head = Conditions(clock_mhz=2500.0, foreign_cores=1.0), Conditions(clock_mhz=2400.0, foreign_cores=0.0)
    for factor in (1.1, 1.0):
        found = decide(TIMED, pairs(lambda _, by=factor: by, conditions=(base, head)), Margins())
        assert {f.verdict for f in found.findings if f.check == "latency"} == {Verdict.AMBIGUOUS}
    said = " ".join(f.reason for f in found.findings)
    assert "other processes kept 1.00 cores more busy in the blocks of base" in said


def test_that_drift_could_not_be_looked_for_is_said():
    noted = Conditions(pulse_s=1.0)
    said = "how the machine was is known of 0 pairs"
    assert [note for note in decide(TIMED, pairs(), Margins()).notes if said in note]
    assert not [note for note in decide(TIMED, pairs(conditions=(noted, noted)), Margins()).notes if "drift" in note]


def test_times_that_were_not_measured_in_turn_neither_pass_nor_fail():
    for factor in (1.0, 2.0, 0.2):
        found = decide(TIMED, pairs(lambda _, by=factor: by), Margins(), times_problem="not in turn")
        times = [f for f in found.findings if f.check in ("latency", "scaling")]
        assert {(f.verdict, f.reason) for f in times} == {(Verdict.NOT_MEASURED, "not in turn")}
        assert {f.verdict for f in found.findings if f.check == "costs"} == {Verdict.PASS}
    assert decide(TIMED, pairs(parameters=11), Margins(), times_problem="not in turn").verdict is Verdict.FAIL


def test_costs_and_quality_can_be_gated_alone():
    found = decide(TIMED, pairs(lambda _: 2.0), Margins(times=False), times_problem="not in turn")
    assert found.verdict is Verdict.PASS
    assert {f.check for f in found.findings} == {"costs"}
    (note,) = [note for note in found.notes if "times=false" in note]
    assert "hh_t2l, 25 frames, cpu +100.0%" in note
    assert decide(TIMED, pairs(parameters=11), Margins(times=False)).verdict is Verdict.FAIL


def test_a_slope_that_was_asked_for_and_cannot_be_had_is_not_measured():
    gone = [BlockPair(p.base, BlockRecords(p.head.records[1:])) for p in pairs()]
    (scaling,) = [f for f in decide(TIMED, gone, Margins()).findings if f.check == "scaling"]
    assert (scaling.place, scaling.verdict) == ("slope of hh_t2l, cpu", Verdict.NOT_MEASURED)
    two = decide(TIMED[:2], pairs(), Margins())
    assert two.verdict is Verdict.PASS
    assert [note for note in two.notes if note.startswith("scaling is not measured, 3 lengths are needed")]
    assert not [note for note in decide(TIMED, pairs(), Margins()).notes if "scaling" in note]


def test_noise_widens_margins_and_never_narrows_them():
    loud = noise_by_place(TIMED, pairs(spread=0.2), per_gate=8)
    assert min(loud.values()) > 0.05
    assert set(loud) == {
        change.place for change in decide(TIMED, pairs(), Margins()).findings if change.check != "costs"
    }
    assert decide(TIMED, pairs(lambda _: 1.05), Margins(noise=loud)).verdict is not Verdict.FAIL
    quiet = Margins(noise=dict.fromkeys(loud, 0.0))
    assert decide(TIMED, pairs(lambda _: 1.02), quiet).verdict is Verdict.PASS


def test_only_what_did_not_pass_is_measured_again_and_both_looks_count():
    first = pairs(lambda frames: 1.2 if frames == 25 else 1.0, n=5)
    asked = []

    def again(cells):
        asked.extend(cells)
        return pairs(n=20, seed=1)

    decision = decide_in_two_looks(TIMED, first, again, Margins())
    assert TIMED[0] in asked
    of_first = next(f for f in decision.findings if f.place == "hh_t2l, 25 frames, cpu")
    assert of_first.verdict is Verdict.PASS
    assert "over 25 pairs" in of_first.change
    assert cells_to_measure_again(decide(TIMED, pairs(), Margins()), TIMED) == []


def test_equal_clips_pass_at_once_however_few():
    assert quality(scored([30.0]), scored([30.0])).verdict is Verdict.PASS


def test_a_loss_beyond_the_margin_fails_and_one_within_it_passes():
    base = [30.0 + i / 10 for i in range(20)]
    assert quality(scored(base), scored([v - 0.1 for v in base])).verdict is Verdict.PASS
    assert quality(scored(base), scored([v - 2 for v in base])).verdict is Verdict.FAIL
    assert quality(scored(base), scored([v - 2 for v in base]), quality_margins={"psnr": 3.0}).verdict is Verdict.PASS
    assert quality(scored(base), scored([v + 2 for v in base])).verdict is Verdict.PASS
    unsure = quality(scored(base), scored([v - 0.3 + (-1) ** i for i, v in enumerate(base)]))
    assert unsure.verdict is Verdict.AMBIGUOUS


def test_quality_that_is_implausibly_better_is_ambiguous():
    base = [30.0 + i / 10 for i in range(20)]
    # 3.1 dB take 30 % of the root mean square error away
    assert quality(scored(base), scored([v + 2.9 for v in base])).verdict is Verdict.PASS
    better = quality(scored(base), scored([v + 3.3 for v in base]))
    assert better.verdict is Verdict.AMBIGUOUS
    assert "is the same still scored?" in better.offending[0].reason
    assert quality(scored(base), scored([v + 3.3 for v in base]), implausible=0.4).verdict is Verdict.PASS
    perfect = quality(scored(base), scored([*base[:-1], math.inf]))
    assert perfect.verdict is Verdict.AMBIGUOUS
    assert "1 clips became perfect, u19 among them" in perfect.offending[0].reason


@pytest.mark.parametrize(("higher", "perfect", "before"), [(True, 1.0, 0.8), (False, 0.0, 0.2), (None, 1.0, 1.2)])
def test_of_other_metrics_the_error_is_the_distance_to_perfection(higher, perfect, before):
    facts = MetricFacts(name="psnr", title="X", unit="", higher_is_better=higher, perfect=perfect)

    def with_facts(values):
        made = scored(values)
        return made.model_copy(update={"result": made.result.model_copy(update={"metrics": [facts]})})

    for left, verdict in ((0.75, Verdict.PASS), (0.65, Verdict.AMBIGUOUS)):
        after = perfect + left * (before - perfect)
        assert quality(with_facts([before] * 12), with_facts([after] * 12)).verdict is verdict


def test_lost_clips_lost_perfection_and_few_clips_are_seen():
    base = [30.0 + i for i in range(12)]
    assert quality(scored(base), scored(base[:-1])).verdict is Verdict.NOT_MEASURED
    assert quality(scored([math.inf] * 12), scored([*[math.inf] * 11, 50.0])).verdict is Verdict.FAIL
    assert quality(scored(base[:5]), scored([v - 5 for v in base[:5]])).verdict is Verdict.AMBIGUOUS
    assert quality(scored(base), scored([])).verdict is Verdict.NOT_MEASURED


def test_another_protocol_or_recipe_is_refused_even_where_clips_are_equal():
    assert quality(scored([30.0]), scored([30.0], fingerprint="q")).exit_code(strict=False) == 2

    def recipe(**options):
        return Training(corpus="grid", corpus_fingerprint="c", steps=9, recipe=options)

    trained = [scored([30.0], training=recipe(**one)) for one in ({"steps": 9}, {"steps": 8}, {"steps": 9, "new": 1})]
    assert quality(trained[0], trained[1]).verdict is Verdict.NOT_MEASURED
    assert quality(trained[0], trained[2]).verdict is Verdict.PASS, "an option that only head knows is no other recipe"


@given(st.lists(st.sampled_from(list(Verdict)), min_size=1))
def test_one_that_did_not_pass_is_never_lost_among_many(verdicts):
    found = worst(verdicts)
    assert (found is Verdict.PASS) == (set(verdicts) == {Verdict.PASS})
    assert (found is Verdict.FAIL) == (Verdict.FAIL in verdicts)


def test_texts_name_the_cell_the_reason_and_the_next_step():
    finding = Finding(check="latency", place="hh_t2l | 75", verdict=Verdict.FAIL, reason="slower")
    decision = Decision(findings=(finding,), notes=("beside",))
    text = "\n".join(lines(decision, strict=False))
    assert text.startswith("gate: FAIL: 1 fail, of 1 checks")
    assert all(part in text for part in ("hh_t2l | 75", "slower", "note: beside", "next: "))
    assert "hh_t2l \\| 75" in markdown(decision, strict=False)

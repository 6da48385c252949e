from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lipbench.benchmarks.cli.main import main
from lipbench.benchmarks.gate import rates, samples
from lipbench.benchmarks.gate.pairs import Pair
from lipbench.benchmarks.gate.verdict import Rules, Verdict
from lipbench.errors import UserError
from lipbench.records.record import Cell
from lipbench.records.system import Machine, Software


def drawn(blocks: int, spread: float) -> samples.Samples:
    generator = np.random.default_rng(3)
    cells = [Cell(kind="latency", system="m", frames=frames, device="cpu") for frames in (10, 20, 40)]
    return samples.Samples(
        created="", command="", machine=Machine(cpu=None, cores=1, memory_bytes=1, system="", threads=1), cells=cells,
        software=Software(python="", packages={}, commit=None, dirty=None),
        blocks=[
            samples.SampledBlock(
                conditions=None,
                seconds=[(cell.frames * np.exp(generator.normal(0, spread, 9))).tolist() for cell in cells],
            )
            for _ in range(blocks)
        ],
    )  # fmt: skip


def test_rates_repeat_by_seed_and_see_what_they_put_in():
    calm = drawn(50, 0.002)
    found = rates.rates(calm, Rules(), pairs=5, trials=2, seed=1)
    assert found == rates.rates(calm, Rules(), pairs=5, trials=2, seed=1)
    null, _, tenth, real = found
    assert null.share(Verdict.FAIL) == 0.0
    assert null.share(Verdict.PASS) == real.share(Verdict.PASS) == 1.0
    assert tenth.share(Verdict.FAIL) == 1.0
    assert tenth.again == 2, "what looks slower is measured once more"
    # 25 pairs: 5 each for those that pass at once, as long as 15 are there, which a gate may need
    assert (real.trials, real.again) == (3, 0)
    assert rates.table(found)[2].startswith("| A/A, simulated | 2 | 0.0% [0.0, 84.2] |")
    said = rates.provenance(calm, Rules(), pairs=5, seed=1)
    assert "50 blocks" in said
    assert "m, 40 frames, cpu; 5 + 10 pairs, margin 3.0%, seed 1" in said


@given(st.integers(0, 60), st.integers(1, 60))
def test_intervals_are_exact_and_hold_the_share(count, trials):
    count = min(count, trials)
    rate = rates.Rate(title="", trials=trials, verdicts=Counter({Verdict.FAIL: count}), again=0, aim="")
    low, high = rate.interval(Verdict.FAIL)
    assert 0 <= low <= rate.share(Verdict.FAIL) <= high <= 1
    # the definition: at either end, what was seen or more extreme has a chance of 2.5 %
    assert count == 0 or stats.binom.sf(count - 1, trials, low) == pytest.approx(0.025, rel=1e-4)
    assert count == trials or stats.binom.cdf(count, trials, high) == pytest.approx(0.025, rel=1e-4)


def test_too_few_blocks_are_refused():
    with pytest.raises(UserError, match="29 blocks are fewer"):
        rates.rates(drawn(29, 0.002), Rules(), pairs=5, trials=1, seed=0)


def test_the_command_prints_a_table_and_adds_it_to_the_summary(tmp_path, capsys):
    samples.save(drawn(30, 0.002), tmp_path / "s.json")
    (tmp_path / "summary.md").write_text("before\n")
    words = [f"rates={tmp_path / 's.json'}", f"summary={tmp_path / 'summary.md'}", "pairs=5", "trials=1"]
    assert main(["gate", *words]) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / "summary.md").read_text() == f"before\n{printed}"
    assert "| one cell 10% slower | 1 | 100.0% [2.5, 100.0] |" in printed


def test_samples_come_back_in_the_order_in_which_they_were_measured(tmp_path):
    taken = drawn(6, 0.1)
    pairs = taken.pairs()
    assert samples.collect(pairs, taken.cells).blocks == [
        samples.SampledBlock(conditions=None, seconds=[[float(f"{s:.6g}") for s in times] for times in block.seconds])
        for block in taken.blocks
    ]
    kept = samples.load(samples.save(samples.collect(pairs, taken.cells), tmp_path / "s.json"))
    assert kept.blocks == samples.collect(pairs, taken.cells).blocks


def test_samples_name_no_folder_of_the_machine_that_they_were_measured_on():
    taken = drawn(2, 0.1).model_copy(
        update={"command": "lipbench bench 'frames=[25,75]' out=/somebody/runs/aa seconds=0.5"}
    )
    assert samples.collect(taken.pairs(), taken.cells).command == "lipbench bench 'frames=[25,75]' seconds=0.5"


def test_two_revisions_are_no_samples_of_one():
    taken = drawn(2, 0.1)
    (pair,) = taken.pairs()
    other = [
        r.model_copy(update={"software": r.software.model_copy(update={"commit": "b"})}) for r in pair.head.records
    ]
    with pytest.raises(UserError, match="two revisions"):
        samples.collect([Pair(pair.base, type(pair.head)(tuple(other)))], taken.cells)


def test_a_file_that_is_no_samples_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UserError, match="cannot be read as samples"):
        samples.load(tmp_path / "x.json")

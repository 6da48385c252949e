"""The study of the gate's error rates, on tiny made-up samples."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from lipbench.benchmarks.gate.verdict import Margins, Verdict
from lipbench.benchmarks.internals import gate_rates
from lipbench.benchmarks.internals.gate_rates import (
    SampledBlock,
    Samples,
    collect,
    load_samples,
    main,
    measure_rates,
    save_samples,
)
from lipbench.errors import UserError
from lipbench.records.files import save_record
from lipbench.records.record import Cell
from lipbench.records.system import Machine, Software


def drawn(blocks: int, spread: float = 0.002) -> Samples:
    generator = np.random.default_rng(3)
    cells = [Cell(kind="latency", system="m", frames=frames, device="cpu") for frames in (10, 20, 40)]

    def block() -> SampledBlock:
        seconds = [(cell.frames * np.exp(generator.normal(0, spread, 9))).round(4).tolist() for cell in cells]
        return SampledBlock(conditions=None, seconds=seconds)

    machine = Machine(cpu=None, cores=1, memory_bytes=1, system="", threads=1)
    software = Software(python="", packages={}, commit=None, dirty=None)
    return Samples(
        created="", command="", machine=machine, software=software, cells=cells, blocks=[block() for _ in range(blocks)]
    )


def test_rates_repeat_by_seed_and_see_what_they_put_in():
    calm = drawn(30)
    found = measure_rates(calm, Margins(), pairs=5, trials=1, seed=1)
    assert found == measure_rates(calm, Margins(), pairs=5, trials=1, seed=1)
    null, _, tenth, real = found
    assert null.share(Verdict.PASS) == real.share(Verdict.PASS) == 1.0
    assert tenth.share(Verdict.FAIL) == 1.0
    assert (tenth.again, real.trials, real.again) == (1, 1, 0)
    with pytest.raises(UserError, match="29 blocks are fewer"):
        measure_rates(drawn(29), Margins(), pairs=5, trials=1, seed=0)


def test_a_gates_folder_becomes_samples_and_then_rates(tmp_path, capsys):
    taken = drawn(30)
    for place, pair in enumerate(taken.pairs()):
        for side, block in (("base", pair.base), ("head", pair.head)):
            for record in block.records:
                save_record(record, tmp_path / "aa" / "blocks" / f"1-{place:03d}-{side}")
    file = tmp_path / "samples.json"
    words = ["--pairs", "5", "--trials", "1"]
    assert main([str(tmp_path / "aa"), "--samples", str(file), *words]) == 0
    printed = capsys.readouterr().out
    assert "| one cell 10% slower | 1 | 100.0% [2.5, 100.0] |" in printed
    assert "m, 40 frames, cpu; 5 + 10 pairs, margin 3.5%, seed 0" in printed
    assert load_samples(file).blocks == taken.blocks, "in the order in which they were measured"
    assert save_samples(taken, file) == file
    shutil.rmtree(tmp_path / "aa")
    assert main([str(tmp_path / "aa"), *words]) == 2
    assert "cannot be read as samples" in capsys.readouterr().err


def test_two_revisions_are_no_samples_of_one():
    (pair,) = drawn(2).pairs()
    software = Software(python="", packages={}, commit="b", dirty=None)
    other = tuple(record.model_copy(update={"software": software}) for record in pair.head.records)
    with pytest.raises(UserError, match="two revisions"):
        collect([type(pair)(pair.base, type(pair.head)(other))])


def test_the_study_says_what_it_takes(capsys):
    with pytest.raises(SystemExit) as ended:
        gate_rates.main(["--help"])
    assert ended.value.code == 0
    assert "--samples" in capsys.readouterr().out

from __future__ import annotations

import pytest

from lipbench.benchmarks.config.composition import request
from lipbench.benchmarks.config.requests import BenchRequest, GateRequest
from lipbench.benchmarks.gate.measuring import command


@pytest.mark.parametrize(
    "asked",
    [
        [],
        ["preset=tiny", "frames=[4,8]", "durations=[predicted,true]", "training.steps=2"],
        ["corpus=grid", "corpus.store=some folder/x", "models=['a b.py:It']", "options.hidden=3", "limit=2"],
        [r"options.name='it\'s'", "metrics=[psnr]", "seconds=0.25"],
    ],
)
def test_words_ask_for_the_same_bench(asked, tmp_path):
    gate = request("gate", GateRequest, [*asked, "base=HEAD"])
    bench = request("bench", BenchRequest, command.bench_arguments(gate, out=str(tmp_path / "it's")))
    expected = {name: getattr(gate, name) for name in type(bench).model_fields} | {"out": tmp_path / "it's"}
    assert {name: getattr(bench, name) for name in expected} == expected


def test_what_nobody_asked_for_is_not_said():
    said = command.bench_arguments(request("gate", GateRequest, ["base=HEAD"]), out="x")
    assert not any(word.startswith(("training.", "corpus.", "protocol")) for word in said)

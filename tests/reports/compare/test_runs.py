"""Two runs side by side: what is compared with what, what is said of it, and what is refused."""

import re

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from lipbench.benchmarks.cli.main import main
from lipbench.errors import UserError
from lipbench.records.files import save_record
from lipbench.reports.compare.runs import compare_runs
from lipbench.reports.compare.text import markdown, quality_frame, terminal_lines, time_frame
from lipbench.reports.markdown.size_limit import LIMITS


@pytest.fixture
def compared(tmp_path):
    """Two lists of records, saved as runs and compared."""

    def run(a, b):
        for name, records in (("a", a), ("b", b)):
            (tmp_path / name / "records").mkdir(parents=True)
            for record in records:
                save_record(record, tmp_path / name)
        return compare_runs(tmp_path / "a", tmp_path / "b")

    return run


def shifted(make, shifts, *, n=30, name="hh_t2l", noise=0.05, **more):
    """Clips whose metrics are shifted, each clip by a little more or less."""
    random = np.random.default_rng(7)
    scores = [
        clip.model_copy(
            update={
                "values": clip.values
                | {metric: clip.values[metric] + by + noise * float(random.normal()) for metric, by in shifts.items()}
            }
        )
        for clip in make.clips(name, n, durations="predicted")
    ]
    return make.quality(name, scores=scores, **more)


def words(found):
    return {change.metric.name: change.word for pair in found.quality for change in pair.changes}


def test_each_metric_is_told_better_or_worse_by_its_direction_and_only_beyond_chance(make, compared):
    found = compared(
        [make.quality("hh_t2l", n=30)],
        [shifted(make, {"psnr": 0.2, "lmd": 0.2, "ssim": 0.0, "motion_energy_ratio": 0.2})],
    )
    assert "| Aperture correlation" not in markdown(found).split("## Identical")[0]
    assert words(found) == {
        "psnr": "better",
        "lmd": "worse",
        "ssim": "no difference shown",
        "motion_energy_ratio": "changed",
        "aperture_correlation": "identical",
    }
    frame = quality_frame(found).set_index("metric")
    assert frame.loc["psnr", "difference"] == pytest.approx(0.2, abs=0.03)
    assert frame.loc["psnr", "low"] > 0.1
    assert frame.loc["psnr", "p_holm"] >= frame.loc["psnr", "p"]
    assert frame.loc["psnr", "difference"] == pytest.approx(frame.loc["psnr", "b"] - frame.loc["psnr", "a"])


def test_pairing_finds_what_unpaired_intervals_hide(make, compared):
    # clips scatter by 1.2 dB, the change is 0.1 dB
    found = compared([make.quality("hh_t2l", n=30)], [shifted(make, {"psnr": 0.1}, noise=0.02)])
    assert words(found)["psnr"] == "better"


def test_only_common_clips_count_and_the_others_are_told(make, compared):
    clips = make.clips("hh_t2l", 30, durations="predicted")
    worse = [c.model_copy(update={"values": c.values | {"psnr": 1.0}}) for c in make.clips("hh_t2l", 40)[30:]]
    found = compared([make.quality("hh_t2l", n=30)], [make.quality("hh_t2l", scores=[*clips[5:], *worse])])
    assert set(words(found).values()) == {"identical"}
    assert found.quality[0].only_one == 15
    assert set(quality_frame(found).clips) == {25}
    assert "all 5 (25 clips)" in markdown(found)


def test_means_and_differences_weigh_clips_as_the_protocol_pools_them(make, compared):
    def weighted(record):
        clips = [
            c.model_copy(update={"weights": {"psnr": float(1 + i % 3)}}) for i, c in enumerate(record.result.clips)
        ]
        return record.model_copy(update={"result": record.result.model_copy(update={"clips": clips})})

    a, b = weighted(make.quality("hh_t2l", n=30)), weighted(shifted(make, {"psnr": 0.2}, noise=2.0))
    found = compared([a], [b])
    (change,) = [c for pair in found.quality for c in pair.changes if c.metric.name == "psnr"]
    assert (change.a, change.b) == pytest.approx((a.result.mean("psnr"), b.result.mean("psnr")))
    assert change.difference.value == pytest.approx(change.b - change.a)


def test_few_clips_decide_nothing(make, compared):
    found = compared([make.quality("hh_t2l", n=5)], [shifted(make, {"psnr": 9.0}, n=5)])
    assert words(found)["psnr"] == "n too small"


def test_ratios_are_b_over_a_with_an_interval(make, compared):
    a = [make.latency("hh_t2l", n, seconds=[0.1 + 0.0001 * i for i in range(20)]) for n in (25, 75, 137)]
    b = [make.latency("hh_t2l", n, seconds=[s * (0.1 + 0.0001 * i) for i in range(20)])
         for n, s in ((25, 2.0), (75, 1.0), (137, 0.5))]  # fmt: skip
    found = compared(a, b)
    assert {pair.frames: pair.word for pair in found.latency} == {
        25: "slower",
        75: "no difference shown",
        137: "faster",
    }
    frame = time_frame(found.latency).set_index("frames")
    assert frame.ratio.to_dict() == pytest.approx({25: 2.0, 75: 1.0, 137: 0.5})
    assert (frame.low <= frame.ratio).all()
    assert (frame.high >= frame.ratio).all()


def test_times_of_unlike_machines_are_not_judged(make, compared):
    other = make.MACHINE.model_copy(update={"cpu": "Another <CPU>"})
    found = compared([make.latency("hh_t2l", 75)], [make.latency("hh_t2l", 75, seconds=[9.0] * 20, machine=other)])
    assert found.latency[0].word == "unlike machines"
    assert any("machines differ" in doubt and "Another" in doubt for doubt in found.caveats)
    assert "Another \\<CPU\\>" in markdown(found)


def test_unlike_protocols_are_refused(make, compared):
    with pytest.raises(UserError, match=r"unlike protocols: .* under paper aaaaaaaaaaaa in A and lelechen63-2018"):
        compared([make.quality("hh_t2l")], [make.quality("hh_t2l", protocol=make.OTHER_PROTOCOL)])


def test_one_protocol_in_common_is_enough(make, compared):
    both = [make.quality("hh_t2l"), make.quality("hh_t2l", protocol=make.OTHER_PROTOCOL)]
    found = compared([both[0]], both)
    assert [pair.protocol.split()[0] for pair in found.quality] == ["paper"]
    assert [reason for _, reason in found.not_compared] == ["only in B"]


def test_a_name_may_stay_while_a_protocol_changes_and_is_refused_all_the_same(make, compared):
    changed = make.PROTOCOL.model_copy(update={"fingerprint": "ab" * 32})
    with pytest.raises(UserError, match="unlike protocols"):
        compared([make.quality("hh_t2l")], [make.quality("hh_t2l", protocol=changed)])


def test_nothing_in_common_is_an_error_that_says_what_each_has(make, compared):
    with pytest.raises(UserError, match=r"no measured cell in common .*HH-T2L.* only in A"):
        compared([make.quality("hh_t2l")], [make.quality("dual_lip")])


def test_failed_cells_and_other_sizes_are_named_with_the_reason(make, compared):
    a = [make.latency("hh_t2l", 75), make.latency("dual_lip", 75), make.quality("hh_t2l")]
    b = [
        make.latency("hh_t2l", 75),
        make.failed(make.latency("dual_lip", 75).cell, message="too | slow"),
        make.quality("hh_t2l", about={"frame_size": (80, 160)}),
    ]
    found = compared(a, b)
    reasons = dict(found.not_compared)
    assert len(found.latency) == 1
    assert not found.quality
    assert any("failed in B: RuntimeError: too | slow" in reason for reason in reasons.values())
    assert any("frames of 40x80 pixels in A, of 80x160 in B" in reason for reason in reasons.values())
    assert "too \\| slow" in markdown(found)


def test_what_surrounds_the_numbers_is_compared_too(make, compared):
    software = make.SOFTWARE.model_copy(update={"commit": "f" * 40, "dirty": True, "packages": {"torch": "9.9"}})
    about = {
        "checkpoint": "ee" * 32,
        "config": {"hidden": 128},
        "training": make.TRAINING.model_copy(update={"steps": 9000}),
    }
    found = compared([make.quality("hh_t2l")], [make.quality("hh_t2l", about=about, software=software)])
    said = " ".join(found.caveats)
    assert "commits differ: 0123456789ab in A, ffffffffffff in B" in said
    assert "torch (2.14.1 in A, 9.9 in B)" in said
    assert "uncommitted" in said
    assert "hidden (not set in A, 128 in B)" in said
    assert "updates (4000 in A, 9000 in B)" in said
    assert "weights differ: HH-T2L" in said
    assert "machines" not in said


def test_a_run_beside_itself_has_no_doubts_and_no_differences(make, compared):
    records = [make.quality("hh_t2l"), make.latency("hh_t2l", 75)]
    found = compared(records, records)
    assert found.caveats == []
    assert set(words(found).values()) == {"identical"}
    assert found.latency[0].ratio.value == 1.0


def test_whatever_a_record_says_stays_text(make, compared):
    evil = "x|y <script>alert(1)</script> `a` [b](javascript:c) **d**\x1b[31m"
    metrics = [make.METRICS[0].model_copy(update={"title": evil, "unit": evil})]
    record = make.quality("hh_t2l", about={"title": evil}, metrics=metrics, n=30)
    found = compared([record], [shifted(make, {"psnr": 0.2}, about={"title": evil}, metrics=metrics)])
    text = markdown(found)
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    above, traced = html.split("<h2>Provenance of A")
    assert not re.search(r"<(script|a|strong|code)\b", above)
    assert not re.search(r"<(script|a|strong)\b", traced)
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 2
    rows = [line for line in text.split("\n## Provenance")[0].splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1
    assert "\x1b" not in "".join(terminal_lines(found))
    assert " ↑" in "".join(terminal_lines(found)), "a space that does not break stays a space"


def test_both_runs_are_traced_to_code_machine_and_command(make, compared):
    dirty = make.SOFTWARE.model_copy(update={"commit": "f" * 40, "dirty": True})
    found = compared(
        [make.quality("hh_t2l")], [make.quality("hh_t2l", software=dirty, command="lipbench evaluate x=1")]
    )
    a, b = markdown(found).split("\n## Provenance of A")[1].split("\n## Provenance of B")
    assert "`0123456789ab`, clean" in a
    assert "`ffffffffffff`, **with uncommitted changes**" in b
    assert "    lipbench evaluate x=1" in b
    assert all("AMD EPYC 7B13, 2 cores" in side and "`" + "cc" * 32 + "`" in side for side in (a, b))


def test_a_comparison_keeps_a_limit_and_says_what_it_left_out(make, compared):
    names = [f"model_{i}" for i in range(40)]
    found = compared(
        [make.quality(name, n=30) for name in names], [shifted(make, {"psnr": 0.2}, name=n) for n in names]
    )
    assert len(markdown(found).encode()) > 20_000
    text = markdown(found, limit=9000)
    assert len(text.encode()) <= 9000
    assert text.startswith("# Comparison of two runs")
    assert "Left out to keep within 9000 bytes" in text
    assert "lipbench compare A B out=DIR writes it all." in text
    assert "## Provenance of A" in text, "the tables go first"


def test_the_verb_adds_to_a_summary_within_its_limit(make, tmp_path, capsys):
    for name, shift in (("a", 0.0), ("b", 0.5)):
        save_record(shifted(make, {"psnr": shift}), tmp_path / name)
    summary = tmp_path / "comment.md"
    summary.write_text("before\n")
    runs = [str(tmp_path / name) for name in "ab"]
    assert main(["compare", *runs, f"summary={summary}", "limit=comment"]) == 0
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n# Comparison of two runs")
    assert len(text.encode()) <= LIMITS["comment"]
    assert main(["compare", *runs, f"summary={summary}", "limit=3000"]) == 0
    assert len(summary.read_bytes()) == len(text.encode()), "it was full"
    assert main(["compare", *runs, f"summary={tmp_path}", "limit=3000"]) == 2
    assert "the summary cannot be written" in capsys.readouterr().err


def test_the_verb_prints_and_writes_and_ends_as_documented(make, tmp_path, capsys):
    for name, shift in (("a", 0.0), ("b", 0.5)):
        save_record(shifted(make, {"psnr": shift}), tmp_path / name)
        save_record(make.latency("hh_t2l", 75), tmp_path / name)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), f"out={tmp_path / 'out'}"]) == 0
    printed = capsys.readouterr().out
    assert "B is better than A in PSNR of HH-T2L" in printed
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "compare.md", "quality.csv", "latency.csv", "natural.csv"}  # fmt: skip
    assert pd.read_csv(tmp_path / "out" / "quality.csv").set_index("metric").loc["psnr", "finding"] == "better"
    assert pd.read_csv(tmp_path / "out" / "natural.csv").empty
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "nowhere")]) == 2
    assert main(["compare", str(tmp_path / "a")]) == 2
    assert "compare needs b" in capsys.readouterr().err
    assert main(["compare", "--help"]) == 0
    assert "unlike protocols" in capsys.readouterr().out

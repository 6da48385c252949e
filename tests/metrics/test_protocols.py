from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from lipbench import metrics
from lipbench.errors import UnknownNameError, UserError
from lipbench.metrics import protocols
from lipbench.metrics.alignment import align, evenly_spaced
from lipbench.metrics.protocols import PAPER, Protocol

CHANGES = {
    "colour": {"colour": "grey"},
    "depth": {"depth": "uint8"},
    "pooling": {"pooling": "frames"},
    "length": {"length": "hold"},
    "psnr_cap_db": {"psnr_cap_db": 60.0},
    "ssim_window": {"ssim_window": 7},
    "ssim_weights": {"ssim_weights": "uniform", "ssim_sigma": None},
    "ssim_sigma": {"ssim_sigma": 2.5},
    "ssim_covariance": {"ssim_covariance": "sample"},
    "ssim_border": {"ssim_border": "reflect"},
    "lmd_centring": {"lmd_centring": "frame"},
    "lmd_over_points": {"lmd_over_points": "sum"},
    "lmd_pooling": {"lmd_pooling": "frames"},
    "inception_frames": {"inception_frames": 5},
    "face_frames": {"face_frames": None},
}
"""Rules whose numbers are made in this room, and a permitted other value."""
MADE_ELSEWHERE = {
    "background": {"background": "own_frames"},
    "inception_resize": {"inception_resize": "pad"},  # tests/metrics/test_inception.py
}
"""Rules that act on what metrics are given."""


def changed(field: str) -> Protocol:
    """The paper's protocol with one rule changed."""
    return dataclasses.replace(PAPER, **(CHANGES | MADE_ELSEWHERE)[field])


def scores(protocol: Protocol) -> list[float]:
    """What metrics give under a protocol, on two clips of which one frame is without error."""
    generator = torch.Generator().manual_seed(0)
    whole = {name: metrics.create(name, protocol) for name in ("psnr", "ssim", "lmd", "motion_energy_ratio")}
    for frames in (4, 9):
        target = torch.rand(frames, 3, 24, 32, generator=generator)
        preds = torch.cat([target, target[:2]])
        preds[1:] = 0.8 * preds[1:] + 0.2 * torch.rand(preds[1:].shape, generator=generator)
        points = torch.rand(frames, 20, 2, generator=generator)
        moved = torch.cat([points, points[:2]])
        moved += torch.rand(moved.shape, generator=generator)
        alignment = align(preds, target, protocol.length)
        for metric in whole.values():
            metric.update(*alignment.apply(*((moved, points) if metric.takes == "landmarks" else (preds, target))))
    return [
        *(metric.compute().item() for metric in whole.values()),
        *evenly_spaced(75, protocol.inception_frames).tolist(),
        *evenly_spaced(75, protocol.face_frames).tolist(),
    ]


@pytest.mark.parametrize("name", protocols.names())
def test_each_is_found_under_its_own_name(name):
    assert protocols.get(name).name == name


def test_every_field_is_a_rule_that_is_tested():
    assert set(CHANGES) | set(MADE_ELSEWHERE) == {field.name for field in dataclasses.fields(Protocol)} - {"name"}


@pytest.mark.parametrize("field", CHANGES)
def test_every_rule_changes_the_fingerprint_the_summary_and_a_number(field):
    other = changed(field)
    assert other.fingerprint != PAPER.fingerprint
    assert other.summary != PAPER.summary
    assert scores(other) != pytest.approx(scores(PAPER), rel=1e-6)


@pytest.mark.parametrize("field", MADE_ELSEWHERE)
def test_a_rule_for_what_metrics_are_given_changes_fingerprint_and_summary(field):
    assert changed(field).fingerprint != PAPER.fingerprint
    assert changed(field).summary != PAPER.summary


@pytest.mark.parametrize("name", protocols.names())
def test_no_two_protocols_are_one(name):
    others = [protocols.get(other) for other in protocols.names() if other != name]
    assert protocols.get(name).fingerprint not in {other.fingerprint for other in others}
    assert protocols.get(name).summary not in {other.summary for other in others}


def test_the_revision_changes_the_fingerprint(monkeypatch):
    before = PAPER.fingerprint
    monkeypatch.setattr(protocols, "REVISION", protocols.REVISION + 1)
    assert PAPER.fingerprint != before


@pytest.mark.parametrize(
    ("rule", "remedy"),
    [
        ({"ssim_window": 8}, "odd whole number"),
        ({"ssim_window": 1}, "odd whole number"),
        ({"ssim_window": 7.0}, "odd whole number"),
        ({"ssim_sigma": 0.0}, "finite number above 0"),
        ({"ssim_sigma": float("nan")}, "finite number above 0"),
        ({"psnr_cap_db": float("inf")}, "finite number above 0"),
        ({"psnr_cap_db": "100"}, "finite number above 0"),
        ({"psnr_cap_db": True}, "finite number above 0"),
        ({"ssim_covariance": "both"}, "'population' or 'sample'"),
        ({"ssim_border": "zero"}, "'valid' or 'reflect'"),
        ({"ssim_sigma": None}, "finite number above 0"),
        ({"colour": "yuv"}, "'rgb' or 'grey'"),
        ({"length": "stretch"}, "'truncate' or 'resample' or 'dtw' or 'hold'"),
        ({"inception_frames": 0}, "at least 1, or None"),
        ({"face_frames": 2.0}, "at least 1, or None"),
    ],
    ids=str,
)
def test_a_rule_that_cannot_be_is_refused(rule, remedy):
    ((field, value),) = rule.items()
    with pytest.raises(UserError, match=f"{field} of the protocol 'mine' is .*{remedy}") as caught:
        Protocol(name="mine", **rule)
    assert repr(value) in str(caught.value)


def test_a_uniform_window_has_no_sigma():
    with pytest.raises(UserError, match=r"ssim_sigma of the protocol 'mine' is 1\.5\. It must be None"):
        Protocol(name="mine", ssim_weights="uniform")


def test_one_rule_written_two_ways_has_one_fingerprint():
    assert Protocol(name="mine", psnr_cap_db=100).fingerprint == PAPER.fingerprint


def test_the_name_is_no_rule():
    assert dataclasses.replace(PAPER, name="other").fingerprint == PAPER.fingerprint


def test_the_fingerprint_is_the_same_in_another_process():
    code = "from lipbench.metrics.protocols import PAPER; import json; print(json.dumps(PAPER.fingerprint))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == PAPER.fingerprint


def test_paper_is_what_the_design_says():
    assert (PAPER.ssim_window, PAPER.ssim_sigma) == (11, 1.5)
    assert (PAPER.ssim_covariance, PAPER.ssim_border) == ("population", "valid")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("paper", "longer clip truncated"),
        ("lelechen63-2018", "wrap around at 256"),
        ("lelechen63-2018", "sum over the 20 points"),
        ("lelechen63-2018", "grey in [0, 1]"),
        ("eat-2023", "resampled evenly"),
        ("eat-2023", "5 evenly spaced frames"),
        ("strict", "held until the longer ends"),
        ("aligned", "time warping"),
    ],
)
def test_the_summary_says_what_sets_a_protocol_apart(name, said):
    assert said in protocols.get(name).summary


@pytest.mark.parametrize("background", ["first_frame", "own_frames"])
def test_the_summary_of_whole_faces_speaks_of_no_pasting_and_keeps_the_other_rules(background):
    rules = changed("background") if background == "own_frames" else PAPER
    assert "pasted" in rules.summary
    assert "pasted" not in rules.summary_of_whole_faces
    assert "looked for in the frames as they are" in rules.summary_of_whole_faces
    of_crops, of_faces = (said.split("; ") for said in (rules.summary, rules.summary_of_whole_faces))
    unlike = [place for place, sides in enumerate(zip(of_crops, of_faces, strict=True)) if len(set(sides)) > 1]
    assert unlike == [0, 3], "the size of the pictures, and where mouths are looked for"


def test_the_summary_is_one_sentence_with_what_holds_under_every_protocol():
    for rule in (
        "RGB in [0, 1]",
        "not rounded beyond the 8 bits of video",
        "averaged over areas",
        "enlarged",
        "truncated",
        "frame, clip, corpus",
        "float64",
    ):
        assert rule in PAPER.summary
    assert PAPER.summary.count(". ") == 0
    assert PAPER.summary.endswith(".")


def test_nothing_can_be_changed_behind_a_number():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PAPER.ssim_window = 7  # pyright: ignore[reportAttributeAccessIssue]


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="'paper'"):
        protocols.get("papr")


def test_a_file_can_bring_its_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("from lipbench.metrics.protocols import Protocol\nMINE = Protocol(name='mine', ssim_window=7)\n")
    assert protocols.get(f"{file}:MINE").ssim_window == 7
    with pytest.raises(UserError, match="YOURS"):
        protocols.get(f"{file}:YOURS")
    with pytest.raises(UserError, match="is a type, not a protocol"):
        protocols.get(f"{file}:Protocol")


# --- the protocols of others, against the libraries that their scripts call -------------------------------------------


@pytest.fixture(scope="module")
def clips() -> list[tuple[np.ndarray, np.ndarray]]:
    """Two clips of 8-bit frames, generated and real, of unequal numbers of frames."""
    rng = np.random.default_rng(0)
    made = []
    for frames in (3, 5):
        real = cv2.resize(rng.integers(0, 256, (6, 8, 3 * frames), dtype=np.uint8), (32, 24))
        generated = np.clip(real + rng.normal(0, 30, real.shape), 0, 255).astype(np.uint8)
        made.append(tuple(side.reshape(24, 32, frames, 3).transpose(2, 0, 1, 3) for side in (generated, real)))
    return made


def as_clip(levels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(levels)).permute(0, 3, 1, 2).float() / 255


def corpus_value(name: str, protocol: str, clips) -> float:
    metric = metrics.create(name, protocol)
    for generated, real in clips:
        metric.update(as_clip(generated), as_clip(real))
    return metric.compute().item()


def test_lelechen63_is_what_its_script_computes(clips):
    psnrs, ssims = [], []
    for generated, real in clips:
        for frame, true in zip(generated, real, strict=True):
            grey, true_grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.cvtColor(true, cv2.COLOR_RGB2GRAY)
            psnrs.append(10 * np.log10(255**2 / np.mean((grey - true_grey) ** 2)))
            ssims.append(structural_similarity(grey, true_grey))
    assert corpus_value("psnr", "lelechen63-2018", clips) == pytest.approx(np.mean(psnrs), abs=1e-9)
    assert corpus_value("ssim", "lelechen63-2018", clips) == pytest.approx(np.mean(ssims), abs=1e-9)


def test_the_wrap_around_flatters_large_errors(clips):
    _, real = clips[0]
    honest = corpus_value("psnr", "paper", [(255 - real, real)])
    assert honest < 10
    assert corpus_value("psnr", "lelechen63-2018", [(255 - real, real)]) > 24.06
    assert corpus_value("psnr", "lelechen63-2018", clips) > corpus_value("psnr", "paper", clips) + 3


def test_eat_is_what_its_script_computes(clips):
    psnrs, ssims = [], []
    for generated, real in clips:
        for frame, true in zip(generated, real, strict=True):
            psnrs.append(peak_signal_noise_ratio(true, frame))
            ssims.append(structural_similarity(true, frame, channel_axis=-1))
    assert corpus_value("psnr", "eat-2023", clips) == pytest.approx(np.mean(psnrs), abs=1e-9)
    assert corpus_value("ssim", "eat-2023", clips) == pytest.approx(np.mean(ssims), abs=1e-9)


@pytest.mark.parametrize(
    ("protocol", "per_point", "pooled"), [("lelechen63-2018", 20, True), ("eat-2023", 1, False), ("strict", 1, False)]
)
def test_landmark_distances_of_others(protocol, per_point, pooled):
    generator = torch.Generator().manual_seed(0)
    metric, expected = metrics.create("lmd", protocol), []
    for frames in (3, 5):
        preds, target = (torch.rand(frames, 20, 2, generator=generator, dtype=torch.float64) for _ in range(2))
        metric.update(preds, target)
        a, b = preds.numpy(), target.numpy()
        if protocol != "strict":
            a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
        expected.append(per_point * np.linalg.norm(a - b, axis=-1).mean(axis=1))
    mean = np.concatenate(expected).mean() if pooled else np.mean([frames.mean() for frames in expected])
    assert metric.compute().item() == pytest.approx(mean, rel=1e-12)


def test_strict_scores_a_clip_as_its_8_bit_file():
    generator = torch.Generator().manual_seed(0)
    preds, target = (torch.rand(3, 3, 24, 32, generator=generator) for _ in range(2))
    stored = (preds * 255).round() / 255
    for name in ("psnr", "ssim"):
        metric = metrics.create(name, "strict")
        assert metric.per_clip(preds, target) == metric.per_clip(stored, target)
        assert metrics.create(name).per_clip(preds, target) != metrics.create(name).per_clip(stored, target)


def test_under_strict_a_clip_that_ends_early_gains_nothing():
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(6, 3, 24, 32, generator=generator)
    values = {}
    for name in ("paper", "strict"):
        alignment = align(target[:1], target, protocols.get(name).length)
        values[name] = metrics.create("psnr", name).per_clip(*alignment.apply(target[:1], target)).item()
    assert values["paper"] == 100.0
    assert values["strict"] < 30.0

"""Frame strips: what stands beside what, and why something is left out."""

import io

import numpy as np
from PIL import Image

from reports.figures.frames import strip_figure
from reports.figures.style import render_figure
from reports.paper import load_paper
from reports.quality_table import quality_tables
from reports.strips import TRUTH, load_strips
from reports.systems import naming


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=float)


def strips_of(records, root):
    paper = load_paper()
    return load_strips(quality_tables(records, naming(records, paper), paper), root)


def test_strips_set_the_truth_above_the_systems(make, tmp_path):
    make.write_strip(tmp_path / "strips" / "a.safetensors", [[0.1] * 7, [0.9] * 7])
    make.write_strip(tmp_path / "strips" / "b.safetensors", [[0.0] * 7, [0.0] * 7])
    records = [
        make.quality("first_frame", strip="strips/b.safetensors"),
        make.quality("hh_t2l", strip="strips/a.safetensors"),
        make.quality("ground_truth", strip="strips/a.safetensors"),
    ]
    strips, missing = strips_of(records, tmp_path)
    assert missing == []
    assert [strip.utterance for strip in strips] == ["s1/clip000", "s1/clip001"]
    assert [row.label for row in strips[0].rows] == [TRUTH, "HH-T2L", "First frame repeated"]
    assert strips[0].rows[1].frames.shape == (7, 40, 80, 3)
    assert strips[0].rows[0].numbers == (0, 12, 25, 37, 50, 62, 74)
    image = pixels(render_figure(strip_figure(strips[0]), "png"))
    assert image.std() > 20
    open_mouth = strip_figure(strips[1])
    assert np.abs(pixels(render_figure(open_mouth, "png")) - image).max() > 50


def test_other_frame_numbers_repeat_the_truth(make, tmp_path):
    make.write_strip(tmp_path / "a.safetensors", [[0.1] * 3], numbers="0,10,20")
    make.write_strip(tmp_path / "b.safetensors", [[0.2] * 2], numbers="0,9")
    records = [make.quality("hh_t2l", strip="a.safetensors"), make.quality("dual_lip", strip="b.safetensors")]
    (strip,), _ = strips_of(records, tmp_path)
    assert [(row.label, row.numbers) for row in strip.rows] == [
        (TRUTH, (0, 10, 20)),
        ("HH-T2L", (0, 10, 20)),
        (TRUTH, (0, 9)),
        ("DualLip", (0, 9)),
    ]
    assert pixels(render_figure(strip_figure(strip), "png")).std() > 20


def test_a_strip_that_cannot_be_shown_is_left_out_with_a_reason(make, tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"not a strip")
    make.write_strip(tmp_path / "short.safetensors", [[0.1] * 3], numbers="0,10")
    make.write_strip(tmp_path.parent / "outside.safetensors", [[0.1] * 7])
    paths = {
        "hh_t2l": "gone.safetensors", "dual_lip": "broken.safetensors", "transformer_t2l": None,
        "zebra": "../outside.safetensors", "yak": "short.safetensors",
    }  # fmt: skip
    strips, missing = strips_of([make.quality(name, strip=path) for name, path in paths.items()], tmp_path)
    assert strips == []
    reasons = "\n".join(missing)
    assert "gone.safetensors is not there" in reasons
    assert "broken.safetensors cannot be read" in reasons
    assert "the record names no strip file" in reasons
    assert "lies outside the run's folder" in reasons
    assert "short.safetensors cannot be read" in reasons


def test_strips_are_labelled_as_the_tables_are(make, tmp_path):
    make.write_strip(tmp_path / "a.safetensors", [[0.1] * 7])
    records = [make.quality("hh_t2l", strip="a.safetensors"), make.failed(make.quality_cell("dual_lip"))]
    records.append(make.quality("hh_t2l", strip="a.safetensors", about={"options": {"chunk": 8}}))
    (strip,), missing = strips_of(records, tmp_path)
    assert [row.label for row in strip.rows] == [TRUTH, "HH-T2L (chunk=default)", "HH-T2L (chunk=8)"]
    assert missing == ["DualLip: the cell failed (grid, predicted durations)"]

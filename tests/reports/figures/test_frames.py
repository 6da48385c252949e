"""Frame strips: what stands beside what, and why something is left out."""

import io

import numpy as np
from PIL import Image

from lipbench.reports.figures.frames import LABEL_INCHES, MOST_COLUMNS, draw_strip, strip_figure
from lipbench.reports.figures.style import render_figure
from lipbench.reports.inputs.strips import TRUTH, load_strips
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.quality import quality_tables


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=float)


def strips_of(records, root):
    return load_strips(quality_tables(records, collect_names(records)), root)


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
    assert [row.label for row in strip.rows] == [TRUTH, "HH-T2L (chunk=8)", "HH-T2L (chunk=default)"]
    assert missing == ["DualLip: the cell failed (grid, predicted durations)"]


def test_the_short_case_comes_first_and_both_say_what_they_are(make, tmp_path):
    make.write_strip(tmp_path / "a.safetensors", [[0.1] * 7, [0.9] * 7])
    scores = make.clips("hh_t2l", 2)
    scores = [
        clip.model_copy(update={"frames": n, "utterance": f"s1/clip00{i}"})
        for i, (clip, n) in enumerate(zip(scores, (120, 60), strict=True))
    ]
    strips, _ = strips_of([make.quality("hh_t2l", scores=scores, strip="a.safetensors")], tmp_path)
    assert [(strip.case, strip.utterance, strip.frames) for strip in strips] == [
        ("short", "s1/clip001", 60), ("long", "s1/clip000", 120),
    ]  # fmt: skip
    drawn = draw_strip(strips[0])
    assert drawn.title == "Sample frames, short case"
    assert "s1/clip001, “bin blue at f two now”, 60 frames, the short case" in drawn.caption
    texts = [text.get_text() for text in drawn.figure.axes[0].texts]
    assert texts[0] == "short case: “bin blue at f two now”, 60 frames; predicted durations"
    same = [clip.model_copy(update={"frames": 75}) for clip in scores]
    strips, _ = strips_of([make.quality("hh_t2l", scores=same, strip="a.safetensors")], tmp_path)
    assert [strip.case for strip in strips] == [None, None]


def test_many_samples_are_thinned_with_both_ends_kept(make, tmp_path):
    numbers = ",".join(str(6 * i) for i in range(12))
    make.write_strip(tmp_path / "a.safetensors", [[i / 12 for i in range(12)]], numbers=numbers)
    (strip,), _ = strips_of([make.quality("hh_t2l", strip="a.safetensors")], tmp_path)
    axes = strip_figure(strip).axes[0]
    assert len(axes.images) == 2 * MOST_COLUMNS
    shown = [int(text.get_text()) for text in axes.texts if text.get_text().isdigit()]
    assert (shown[0], shown[-1]) == (0, 66)
    assert (np.asarray(axes.images[-1].get_array()) == strip.rows[1].frames[-1]).all()


def test_long_names_keep_out_of_the_pictures(make, tmp_path):
    make.write_strip(tmp_path / "a.safetensors", [[0.1] * 7])
    title = "A model whose name is much longer than anybody would like $x$"
    (strip,), _ = strips_of([make.quality("odd", strip="a.safetensors", about={"title": title})], tmp_path)
    figure = strip_figure(strip)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    (label,) = [text for text in axes.texts if text.get_text().startswith("A model")]
    box = label.get_window_extent().transformed(axes.transData.inverted())
    assert box.x0 >= 0
    assert box.x1 <= LABEL_INCHES

"""What the synthetic corpus drew when its `RENDER_VERSION` was set: a changed drawing must get another number.

Nothing here says that the drawing is good; the corpus' other tests do. After a change, raise `RENDER_VERSION` and add
its record with: python tests/corpora/test_synthetic_golden.py
"""

import json
from pathlib import Path

import numpy as np
import pytest

from lipbench.corpora.synthetic.corpus import SyntheticCorpus
from lipbench.corpora.synthetic.drawing import RENDER_VERSION

RECORDS = Path(__file__).parent / "synthetic_golden"
BLOCK = 16
CASES = {
    "plain": ({"train": 3, "test": 2, "speakers": 3, "seconds": (0.8, 1.2)}, "f01/000001"),
    "test split": ({"train": 3, "test": 2, "speakers": 3, "seconds": (0.8, 1.2)}, "f00/000003"),
    "every option": (
        {"seed": 7, "train": 2, "test": 1, "speakers": 2, "seconds": (0.5, 0.7), "fps": 30.0, "noise": 0.02},
        "f00/000000",
    ),
}


def blocks(frames):
    """Mean of every 16 x 16 pixels."""
    n_frames, height, width, _ = frames.shape
    cut = frames.reshape(n_frames, height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3)
    return cut.mean(axis=(2, 4))


def draw(case):
    options, name = CASES[case]
    clip = SyntheticCorpus(**options).load(name)
    return {
        "text": clip.text,
        "durations": clip.durations.tolist(),
        "landmarks": clip.landmarks.round(4).astype(float).round(4).tolist(),
        "frame means": clip.frames.mean(axis=(1, 2, 3)).round(3).tolist(),
        "blocks of the middle frame": blocks(clip.frames[len(clip.frames) // 2][None])[0].round(3).tolist(),
    }


def record(version):
    return RECORDS / f"render_{version}.json"


@pytest.mark.parametrize("case", CASES)
def test_a_changed_drawing_gets_another_version(case):
    path = record(RENDER_VERSION)
    assert path.is_file(), f"add the record: python tests/corpora/{Path(__file__).name}"
    kept, now = json.loads(path.read_text())[case], draw(case)
    assert (now["text"], now["durations"]) == (kept["text"], kept["durations"])
    # exact but for the last bits, in which processors differ
    np.testing.assert_allclose(now["landmarks"], kept["landmarks"], atol=2e-4, rtol=0)
    # of 255; a rounding here and there is no change
    np.testing.assert_allclose(now["frame means"], kept["frame means"], atol=0.02)
    key = "blocks of the middle frame"
    np.testing.assert_allclose(now[key], kept[key], atol=0.1)


if __name__ == "__main__":
    RECORDS.mkdir(exist_ok=True)
    # never over an old one: that drawing was another
    with record(RENDER_VERSION).open("x") as file:
        json.dump({case: draw(case) for case in CASES}, file, indent=None, separators=(",", ":"))

from __future__ import annotations

import numpy as np

from lipbench.corpora.placement import Placement, resample_through_source


def placement(scale, n_frames=2):
    affine = np.array([[scale, 0.0, -31.7], [0.0, scale, -12.3]])
    face = np.zeros((256, 256, 3), np.uint8)
    return Placement(face=face, corner=(48, 88), box=(0.0, 0.0, 100.0), affines=np.tile(affine, (n_frames, 1, 1)))


def smooth():
    x, y = np.meshgrid(np.arange(160), np.arange(80))
    wave = 128 + 60 * np.sin(x / 9) + 50 * np.cos(y / 7)
    return np.repeat(np.stack([wave, wave * 0.8, 255 - wave], axis=-1)[None], 2, axis=0).astype(np.uint8)


def error(scale):
    crops = smooth()
    return np.abs(resample_through_source(crops, placement(scale)).astype(float) - crops).mean()


def test_crops_come_back_in_place():
    """A shift by a single pixel of the crop would cost far more than the resampling does."""
    moved = np.abs(np.roll(smooth(), 1, axis=2).astype(float) - smooth()).mean()
    assert error(1.8) < 0.2 * moved


def test_what_the_source_cannot_hold_is_lost():
    assert error(1.2) < error(2.5) < error(5.0)


def test_nothing_is_lost_on_the_grid_of_the_source():
    still = Placement(
        face=np.zeros((256, 256, 3), np.uint8), corner=(0, 0), box=(0.0, 0.0, 100.0),
        affines=np.tile(np.array([[1.0, 0.0, -40.0], [0.0, 1.0, -100.0]]), (2, 1, 1)),
    )  # fmt: skip
    assert np.array_equal(resample_through_source(smooth(), still), smooth())

"""Contours, landmarks and pixels of synthetic mouths."""

from __future__ import annotations

import numpy as np
import pytest

from lipbench.corpora.synthetic.contours import landmarks, shape_mouth
from lipbench.corpora.synthetic.corpus import SyntheticCorpus
from lipbench.corpora.synthetic.drawing import draw_frame
from lipbench.corpora.synthetic.pose import VISEMES, Pose
from lipbench.corpora.synthetic.speakers import draw_speaker
from lipbench.corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH

FACES = [draw_speaker(np.random.default_rng([9, index]), tone=index / 5) for index in range(6)]


# --- contours and landmarks -------------------------------------------------------------------------------------------

POSES = {
    "rest": Pose(),
    "a": VISEMES["aa"][0].target,
    "i": VISEMES["iy"][0].target,
    "u": VISEMES["uw"][0].target,
    "f": VISEMES["f"][0].target,
    "p": VISEMES["p"][0].target,
}


def area(points):
    x, y = points.T
    return 0.5 * float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())


@pytest.mark.parametrize("pose", POSES.values(), ids=POSES)
@pytest.mark.parametrize("face", FACES)
def test_landmarks_stand_in_dlibs_order(face, pose):
    points = landmarks(shape_mouth(face, pose))
    outer, inner = points[:12], points[12:]
    assert points.shape == (20, 2)
    assert outer[:, 0].argmin() == 0
    assert outer[:, 0].argmax() == 6
    assert outer[:, 1].argmin() in (2, 3, 4)
    assert outer[:, 1].argmax() == 9
    assert area(outer) > 0  # clockwise as seen, with y pointing down
    assert area(inner) >= 0
    assert area(inner) < area(outer)
    assert (np.abs(outer[3, 0] - outer[9, 0]), np.abs(inner[2, 0] - inner[6, 0])) == pytest.approx((0, 0), abs=1e-4)
    assert (points >= 0).all()
    assert (points <= [FRAME_WIDTH - 1, FRAME_HEIGHT - 1]).all()


@pytest.mark.parametrize("face", FACES)
def test_the_pose_shows_in_the_landmarks(face):
    shape = {name: landmarks(shape_mouth(face, pose)) for name, pose in POSES.items()}
    opening = {name: points[18, 1] - points[14, 1] for name, points in shape.items()}
    width = {name: points[6, 0] - points[0, 0] for name, points in shape.items()}
    assert opening["rest"] == opening["p"] == 0
    assert opening["a"] > 15 > opening["i"] > opening["f"] > 0
    assert width["u"] < 0.85 * width["rest"] < width["rest"] < width["i"]


def test_an_offset_shifts_the_landmarks():
    mouths = [shape_mouth(FACES[0], POSES["a"], offset=offset) for offset in ((0.0, 0.0), (2.0, -3.0))]
    np.testing.assert_allclose(landmarks(mouths[1]) - landmarks(mouths[0]), np.tile([2, -3], (20, 1)), atol=1e-4)


# --- pixels -----------------------------------------------------------------------------------------------------------


def redness(pixels):
    """How red a colour is, whatever its brightness."""
    return pixels[..., 0] / pixels[..., 1]


def pixel(picture, point, dy=0):
    return picture[round(float(point[1])) + dy, round(float(point[0]))]


@pytest.mark.parametrize("face", FACES)
def test_lips_are_where_the_landmarks_say(face):
    mouth = shape_mouth(face, POSES["a"])
    picture, points = draw_frame(face, mouth), landmarks(mouth)
    for index in (2, 3, 4):  # upper edge: skin above, lip below
        assert redness(pixel(picture, points[index], 3)) > redness(pixel(picture, points[index], -3)) + 0.1
    for index in (8, 9, 10):  # lower edge: lip above, skin below
        assert redness(pixel(picture, points[index], -3)) > redness(pixel(picture, points[index], 3)) + 0.1


@pytest.mark.parametrize("face", FACES)
def test_an_open_mouth_shows_teeth_and_the_dark_behind(face):
    mouth = shape_mouth(face, POSES["a"])
    picture, points = draw_frame(face, mouth), landmarks(mouth)
    # Half a tooth aside: the gap between the front teeth is in the very middle.
    column = round(mouth.centre[0] + face.tooth / 2)
    inside = picture[round(float(points[14, 1])) + 2 : round(float(points[18, 1])) - 1, column]
    assert inside.min(axis=1).max() > 0.55  # teeth: bright in all three channels
    assert inside.max(axis=1).min() < 0.25  # the dark


@pytest.mark.parametrize("pose", POSES.values(), ids=POSES)
def test_edges_are_smooth(pose):
    """A mouth half a pixel further on lies between the two whole steps: no edge snaps to the grid."""
    still, half, whole = (
        draw_frame(FACES[1], shape_mouth(FACES[1], pose, offset=(0.0, dy)), offset=(0.0, dy)) for dy in (0.0, 0.5, 1.0)
    )
    assert np.abs(half - 0.5 * (still + whole)).max() < 0.25
    assert np.abs(half - still).mean() > 0


def test_light_scales_the_whole_picture():
    mouth = shape_mouth(FACES[0], POSES["i"])
    np.testing.assert_allclose(
        draw_frame(FACES[0], mouth, light=0.5), 0.5 * draw_frame(FACES[0], mouth), rtol=1e-5, atol=1e-6
    )


def test_noise_has_the_strength_asked_for():
    options = {"train": 1, "test": 0, "seconds": (0.4, 0.4)}
    clean, noisy = (SyntheticCorpus(noise=noise, **options).load("f00/000000") for noise in (0.0, 0.02))
    difference = (noisy.frames.astype(float) - clean.frames)[(clean.frames > 30) & (clean.frames < 225)]
    assert difference.std() / 255 == pytest.approx(0.02, rel=0.05)
    np.testing.assert_array_equal(clean.landmarks, noisy.landmarks)

import numpy as np
import pytest

from lipbench.corpora.placement import Placement

PLACED = Placement(
    face=np.random.default_rng(1).integers(0, 256, (256, 256, 3), dtype=np.uint8),
    corner=(30, 120),
    box=(80.0, 80.0, 128.0),
    affines=np.array([[[2.0, 0, -200], [0, 2.0, -300]]]),
)


def test_pasting_replaces_the_mouth_alone():
    crops = np.random.default_rng(0).integers(0, 256, (5, 80, 160, 3), dtype=np.uint8)
    faces = PLACED.paste(crops)
    assert faces.shape == (5, 256, 256, 3)
    np.testing.assert_array_equal(faces[:, 120:200, 30:190], crops)
    faces[:, 120:200, 30:190] = PLACED.face[120:200, 30:190]
    np.testing.assert_array_equal(faces, np.repeat(PLACED.face[None], 5, axis=0))
    with pytest.raises(ValueError, match="not"):
        PLACED.paste(crops[:, :40])


def test_the_face_box_is_carried_into_the_face_picture():
    # mapped to the first crop (2 · 80 − 200, 2 · 80 − 300), then moved by its corner; twice the side
    assert PLACED.box_in_face == (-10.0, -20.0, 256.0)

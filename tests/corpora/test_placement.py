import numpy as np
import pytest

from corpora.placement import Placement


def placement(corner=(40, 140)):
    rng = np.random.default_rng(1)
    affine = np.array([[2.0, 0, -200], [0, 2.0, -300]])
    return Placement(
        face=rng.integers(0, 256, (256, 256, 3), dtype=np.uint8),
        corner=corner,
        box=(80.0, 80.0, 128.0),
        affines=np.repeat(affine[None], 5, axis=0),
    )


def test_pasting_replaces_the_mouth_alone():
    placed = placement(corner=(30, 120))
    crops = np.random.default_rng(0).integers(0, 256, (5, 80, 160, 3), dtype=np.uint8)
    faces = placed.paste(crops)
    assert faces.shape == (5, 256, 256, 3)
    np.testing.assert_array_equal(faces[:, 120:200, 30:190], crops)
    faces[:, 120:200, 30:190] = placed.face[120:200, 30:190]
    np.testing.assert_array_equal(faces, np.repeat(placed.face[None], 5, axis=0))
    with pytest.raises(ValueError, match="not"):
        placed.paste(crops[:, :40])


def test_the_face_box_is_carried_into_the_face_picture():
    assert placement(corner=(40, 140)).box_in_face == (0.0, 0.0, 256.0)

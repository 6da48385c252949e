from __future__ import annotations

import numpy as np
import pytest

from lipbench.corpora.canvas import Box, Canvas, to_grey

SIZE = 256
BOXES = [Box(-0.5, -0.5, 256.0), Box(3.21, -40.7, 187.3), Box(30.0, 20.0, 700.9)]
"""At twice the size, enlarged by an odd factor, and shrunk."""


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize(("corner", "size"), [((0, 0), (80, 160)), ((48, 150), (80, 160)), ((96, 176), (80, 160)),
                                              ((60, 61), (1, 1))])  # fmt: skip
def test_what_a_rectangle_changes_is_drawn_as_in_the_whole(box, corner, size):
    canvas = Canvas(box)
    before, after = noise(0), noise(0)
    (x, y), (height, width) = corner, size
    after[y : y + height, x : x + width] = noise(1)[:height, :width]
    patch = canvas.patch(corner, size, source_size=before.shape)
    redrawn = canvas.draw(before)
    redrawn[patch.rows, patch.columns] = patch.draw(after)
    np.testing.assert_array_equal(redrawn, canvas.draw(after))


def test_little_else_is_drawn():
    patch = Canvas(BOXES[0]).patch((48, 150), (80, 160), source_size=(SIZE, SIZE))
    assert (patch.rows.stop - patch.rows.start) * (patch.columns.stop - patch.columns.start) < 1.1 * 160 * 320


def test_a_rectangle_outside_the_canvas_changes_nothing():
    canvas = Canvas(Box(0.0, 0.0, 20.0))
    after = noise(0)
    after[150:200] = 0
    patch = canvas.patch((0, 150), (50, SIZE), source_size=after.shape)
    redrawn = canvas.draw(noise(0))
    redrawn[patch.rows, patch.columns] = patch.draw(after)
    np.testing.assert_array_equal(redrawn, canvas.draw(noise(0)))


def test_places_come_back_from_the_canvas():
    box = BOXES[1]
    corners = np.array([[128.0, 128.0], [640.0, 640.0]]) - 0.5
    found = Canvas(box).to_face(corners)
    np.testing.assert_allclose(found, [[box.left, box.top], [box.left + box.side, box.top + box.side]])


def test_grey_is_lighter_where_the_picture_is():
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[1] = 200
    assert to_grey(picture).tolist() == [[0] * 4, [200] * 4, [0] * 4, [0] * 4]

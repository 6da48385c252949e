import sys
from importlib import metadata

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lipbench.corpora import landmarks
from lipbench.corpora.canvas import Box
from lipbench.corpora.landmarks import MOUTH, FaceError, FaceLandmarker, FaceTrack, predictor_path
from lipbench.errors import UserError


@pytest.fixture(scope="module")
def landmarker():
    return FaceLandmarker()


@pytest.fixture(scope="module")
def face():
    """One smiling face, 288 x 360."""
    data = pytest.importorskip("skimage.data", reason="scikit-image brings the picture of a face")
    return np.asarray(cv2.resize(data.astronaut()[:240, 100:400], (360, 288)), dtype=np.uint8)


@pytest.fixture
def grey():
    return np.full((288, 360, 3), 128, np.uint8)


def test_the_predictor_is_found_without_importing_its_package():
    assert predictor_path().stat().st_size > 50_000_000
    assert "face_recognition_models" not in sys.modules


def test_a_missing_predictor_is_said(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(landmarks.metadata, "files", missing)
    with pytest.raises(UserError, match="pip install face-recognition-models"):
        predictor_path()


def test_overlap_of_boxes():
    box = Box(0, 0, 10)
    assert box.overlap(box) == 1
    assert box.overlap(Box(5, 0, 10)) == pytest.approx(50 / 150)
    assert box.overlap(Box(20, 20, 10)) == 0


def test_mouth_points_lie_on_the_lips(landmarker, face):
    track = landmarker.follow(face[None])
    points = landmarker.points(face[None], track.boxes)
    assert points.shape == (1, 68, 2)
    assert points.dtype == np.float32
    mouth = points[0, MOUTH]
    inside = cv2.fillPoly(np.zeros(face.shape[:2], np.uint8), [np.rint(mouth[:12]).astype(np.int32)], 1) == 1
    ring = cv2.dilate(inside.astype(np.uint8), np.ones((25, 25))) == 1
    lab = cv2.cvtColor(face, cv2.COLOR_RGB2LAB).astype(float)
    # lips are redder than the skin around them
    assert lab[inside, 1].mean() > lab[ring & ~inside, 1].mean() + 3
    # the upper lip is above the lower one, the left corner left of the right one
    assert mouth[3, 1] < mouth[14, 1] <= mouth[18, 1] < mouth[9, 1]
    assert mouth[0, 0] < mouth[6, 0]


def test_points_move_with_the_picture(landmarker, face):
    box = landmarker.detect(face)[0]
    moved = np.roll(face, (-11, 17), axis=(0, 1))
    first = landmarker.points(face[None], [box])
    second = landmarker.points(moved[None], [Box(box.left + 17, box.top - 11, box.side)])
    np.testing.assert_allclose(second - first, np.broadcast_to([17, -11], first.shape), atol=0.1)


def test_points_do_not_depend_on_the_size_of_the_picture(landmarker, face):
    box = landmarker.detect(face)[0]
    large = np.asarray(cv2.resize(face, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    first = landmarker.points(face[None], [box])[0]
    second = landmarker.points(large[None], [Box(2 * box.left + 0.5, 2 * box.top + 0.5, 2 * box.side)])[0]
    assert np.abs((second - 0.5) / 2 - first).mean() < 1.0


def test_boxes_between_detections_are_interpolated(landmarker, face):
    frames = np.stack([np.roll(face, 4 * t, axis=1) for t in range(11)])
    track = landmarker.follow(frames)
    lefts = np.array([box.left for box in track.boxes])
    assert (track.seen, track.looked, track.crowded) == (3, 3, 0)
    assert lefts[10] - lefts[0] == pytest.approx(40, abs=15)  # the detector's own grid is coarse
    np.testing.assert_allclose(np.diff(lefts[:6]), (lefts[5] - lefts[0]) / 5)
    assert track.median.left == pytest.approx(lefts[5])


def test_a_face_that_stays_is_steady_and_one_that_walks_is_not(landmarker, face):
    walking = np.stack([np.roll(face, 10 * t - 70, axis=1) for t in range(16)])
    assert landmarker.follow(np.stack([face] * 6)).steady
    assert not landmarker.follow(walking).steady


@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(20, 400))
def test_steadiness_is_a_distance_in_sides_from_the_median_place(dx, dy, side):
    still = Box(10.0, 20.0, side)
    moved = Box(10.0 + dx * side, 20.0 + dy * side, side)
    track = FaceTrack(boxes=(still, still, moved), median=still, seen=3, looked=3, crowded=0)
    distance = float(np.hypot(dx, dy))
    assume(abs(distance - 0.2) > 1e-6)
    assert track.steady == (distance < 0.2)


def test_a_small_face_is_found_by_enlarging(landmarker, face, grey):
    small = grey.copy()
    small[80:224, 90:270] = cv2.resize(face, (180, 144), interpolation=cv2.INTER_AREA)
    assert landmarker.detect(small) == []
    track = landmarker.follow(small[None])
    assert 40 < track.median.side < 65


def test_of_two_faces_the_larger_is_followed(landmarker, face):
    two = np.concatenate([face, np.full_like(face, 128)], axis=1)
    two[50:266, 400:670] = cv2.resize(face, (270, 216), interpolation=cv2.INTER_AREA)
    track = landmarker.follow(np.stack([two] * 6))
    assert track.crowded == 2
    assert track.median.left < 300
    assert track.median == landmarker.follow(np.stack([face] * 6)).median


def test_a_short_large_face_does_not_displace_the_lasting_one(landmarker, face, grey):
    lasting = grey.copy()
    lasting[36:252, 45:315] = cv2.resize(face, (270, 216), interpolation=cv2.INTER_AREA)
    frames = np.concatenate([np.stack([lasting] * 20), np.stack([np.roll(face, 180, axis=1)] * 5)])
    track = landmarker.follow(frames)
    assert track.median.side < landmarker.detect(face)[0].side
    assert track.seen >= 4


def test_no_face_and_a_fleeting_face_are_refused(landmarker, face, grey):
    with pytest.raises(FaceError, match="no face was found"):
        landmarker.follow(np.stack([grey] * 6))
    with pytest.raises(FaceError, match="was found in only 1 of 4 frames"):
        landmarker.follow(np.stack([face] * 5 + [grey] * 15))


def test_a_face_that_moves_about_is_not_called_unseen(landmarker, face, grey):
    places = []
    for left in (0, 210, 420):
        wide = np.concatenate([grey, grey], axis=1)
        wide[:, left : left + 300] = face[:, :300]
        places.append(wide)
    with pytest.raises(FaceError, match="stayed in one place in only 1 of 3 frames"):
        landmarker.follow(np.repeat(np.stack(places), 5, axis=0))


def test_a_resized_square_keeps_its_middle():
    assert Box(10, 20, 30).resized(20) == Box(15, 25, 20)


def test_a_face_in_a_large_picture_is_found_where_it_is(landmarker, face):
    height, width = face.shape[:2]
    picture = np.full((1080, 1920, 3), 128, np.uint8)
    picture[300 : 300 + 2 * height, 900 : 900 + 2 * width] = cv2.resize(face, None, fx=2, fy=2)[: 1080 - 300]
    (small,) = landmarker.detect(face)
    found = landmarker.follow(picture[None]).median
    assert abs(found.left - (900 + 2 * small.left)) < 12
    assert abs(found.top - (300 + 2 * small.top)) < 12
    assert found.side == pytest.approx(2 * small.side, rel=0.1)

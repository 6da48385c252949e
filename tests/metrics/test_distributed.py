"""Every metric over two real processes gives what one process gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, sys, weakref
import torch
import torch.distributed as dist
import torch.distributed.nn  # its defaults keep a group that is there before them, and with it threads that may abort
from lipbench import metrics

rank, world, meeting = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(1)
if world > 1:
    dist.init_process_group("gloo", init_method="file://" + meeting, rank=rank, world_size=world)


def rng(seed):
    return torch.Generator().manual_seed(seed)


def sides(takes, seed):
    frames = 70 + 3 * seed
    if takes == "lengths":
        return frames + seed, frames
    if takes == "durations":
        return tuple(torch.randint(1, 9, (11,), generator=rng(seed + k)) for k in (0, 50))
    shape = {"frames": (5 + seed, 3, 16, 24), "landmarks": (frames, 20, 2), "inception": (frames, 2048)}
    rows = [torch.rand(shape.get(takes, (frames, 128)), generator=rng(seed + k)) for k in (0, 50)]
    if takes in ("landmarks", "face"):
        rows[0][seed] = float("nan")
    return tuple(rows)


values = {}
for name in metrics.names():
    if name == "fid":  # needs 2049 frames; frechet_face_distance is the same code
        continue
    metric = metrics.create(name, "lelechen63-2018")
    for seed in range(rank, 5, world):  # two of five, three of five
        metric.update(*sides(metric.takes, seed))
    values[name] = metric.compute().item()
if rank == 0:
    print(json.dumps(values))
if world > 1:
    group = weakref.ref(dist.group.WORLD)
    dist.destroy_process_group()
    assert group() is None, "whoever still holds it keeps threads that may abort the process at its end"
"""


@pytest.mark.filterwarnings("ignore")
def test_two_processes_score_as_one_does(tmp_path):
    def start(rank: int, world: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(rank), str(world), str(tmp_path / "meeting")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    alone = start(0, 1)
    outputs = [alone.communicate(timeout=120)]
    pair = [start(rank, 2) for rank in range(2)]
    outputs += [process.communicate(timeout=120) for process in pair]
    assert [process.returncode for process in (alone, *pair)] == [0, 0, 0], outputs
    expected, shared = (json.loads(out.splitlines()[-1]) for out, _ in outputs[:2])
    assert shared == pytest.approx(expected, rel=1e-9)
    assert len(expected) > 15

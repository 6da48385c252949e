"""What can go wrong around a preparation: real kills, a full disk, a folder that cannot be written, odd faces."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import av
import cv2
import numpy as np
import psutil
import pytest
from safetensors import safe_open

from lipbench.corpora.grid.corpus import open_grid
from lipbench.corpora.grid.preparation import find_grid
from lipbench.corpora.manifest import StoreError
from lipbench.corpora.preparation.run import prepare


def prepare_grid(root, store, *, workers=None, limit=None, on_progress=None, **options):
    return prepare(find_grid(root, **options), store, workers=workers, limit=limit, on_progress=on_progress)


CHECKOUT = Path(__file__).parents[3]
ALIGN = "0 5000 sil\n5000 10000 bin\n10000 15000 blue\n15000 20000 sil\n"
CLIPS = 8


def write_mpg(path, frames):
    with av.open(str(path), "w", format="mpeg") as container:
        stream = container.add_stream("mpeg1video", rate=25)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 3_000_000
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.fixture(scope="module")
def face():
    data = pytest.importorskip("skimage.data", reason="scikit-image brings the picture of a face")
    return np.asarray(cv2.resize(data.astronaut()[:240, 100:400], (360, 288)), dtype=np.uint8)


def add(root, code, frames):
    (root / "s1").mkdir(parents=True, exist_ok=True)
    (root / "alignments" / "s1").mkdir(parents=True, exist_ok=True)
    write_mpg(root / "s1" / f"{code}.mpg", frames)
    (root / "alignments" / "s1" / f"{code}.align").write_text(ALIGN)


@pytest.fixture(scope="module")
def download(face, tmp_path_factory):
    """Eight short clips, each a little brighter than the one before."""
    root = tmp_path_factory.mktemp("grid")
    for number in range(CLIPS):
        bright = np.clip(face.astype(int) + 2 * number, 0, 255).astype(np.uint8)
        add(root, f"clip{number}", np.repeat(bright[None], 20, axis=0))
    return root


@pytest.fixture(scope="module")
def unbroken(download, tmp_path_factory):
    """The store of a run that nothing disturbed, as file name to content."""
    store = tmp_path_factory.mktemp("unbroken")
    assert prepare_grid(download, store, workers=0, split="random").done == CLIPS
    return contents(store)


def contents(store):
    """Every file of a store; of the manifest, all but what may differ from run to run."""
    files = {str(p.relative_to(store)): p.read_bytes() for p in store.rglob("*") if p.is_file()}
    return files | {"manifest.json": json.loads(files["manifest.json"])}


SCRIPT = """
import resource, sys
from pathlib import Path
from lipbench.corpora.grid.preparation import find_grid
from lipbench.corpora.preparation.run import prepare
from lipbench.errors import UserError

def say(outcome):
    print(outcome.status, outcome.id, flush=True)

if __name__ == "__main__":
    root, store, workers, most = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    if most:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        prepare(find_grid(root, split="random"), store, workers=workers, on_progress=say)
    except UserError as error:
        print("refused", type(error).__name__, error, flush=True)
"""


def start(tmp_path, download, store, *, workers, most_bytes=0):
    script = tmp_path / "prepare.py"
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, str(script), str(download), str(store), str(workers), str(most_bytes)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=CHECKOUT)


def kill(process):
    """SIGKILL, and wait for its workers to end too."""
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


@pytest.mark.parametrize("workers", [0, 2])
def test_a_kill_loses_at_most_the_clips_in_hand(download, unbroken, tmp_path, workers):
    store = tmp_path / "store"
    made, kills = [], 0
    while True:
        whole = len(list(store.rglob("*.safetensors")))
        process = start(tmp_path, download, store, workers=workers)
        assert process.stdout is not None
        done = kept = 0
        for line in process.stdout:
            status, clip = line.split()
            done += status == "done"
            kept += status == "kept"
            made += [clip] if status == "done" else []
            if done == 3:
                kill(process)
                kills += 1
                break
        # all that was finished is kept, whether or not the manifest had come to know of it
        assert kept == whole
        for path in store.rglob("*.safetensors"):
            with safe_open(path, framework="numpy") as opened:
                assert opened.get_tensor("frames").shape == (20, 80, 160, 3)
        if done < 3:
            process.wait()
            break
    assert process.returncode == 0
    assert kills >= CLIPS // (3 + 2 * max(1, workers))
    # what was said to be done was never done again
    assert len(made) == len(set(made))
    assert contents(store) == unbroken


@pytest.mark.parametrize("workers", [0, 2])
def test_a_full_disk_is_one_clear_error_and_harms_nothing(download, unbroken, tmp_path, workers):
    store = tmp_path / "store"
    # the files of the clips are larger, the manifest is not
    process = start(tmp_path, download, store, workers=workers, most_bytes=200_000)
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    last = told.splitlines()[-1]
    assert last.startswith("refused StoreError")
    assert "cannot be written: File too large. Check the folder and its free space." in last
    assert [p.name for p in store.rglob("*") if p.is_file()] == ["manifest.json"]
    with pytest.raises(StoreError, match="has not finished"):
        open_grid(store)
    # once there is room, the same command goes on
    assert prepare_grid(download, store, workers=0, split="random").done == CLIPS
    assert contents(store) == unbroken


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc, where not even root can write")
def test_a_folder_that_cannot_be_written_is_said(download, tmp_path):
    for store in (Path("/proc/self/store"), tmp_path / "file" / "store"):
        (tmp_path / "file").touch()
        with pytest.raises(StoreError, match="cannot be written"):
            prepare_grid(download, store, workers=0, split="random")


def test_odd_faces_are_named_or_refused(face, tmp_path):
    rng = np.random.default_rng(0)
    wide = np.full((288, 720, 3), 128, np.uint8)
    wide[:, :360] = face
    wide[60:240, 450:675] = cv2.resize(face, (225, 180))
    clips = {
        "twofaces": np.repeat(wide[None], 20, axis=0),
        "noface": rng.integers(0, 256, (20, 288, 360, 3), dtype=np.uint8),
        "greyscreen": np.full((20, 288, 360, 3), 128, np.uint8),
        "turnsaway": np.concatenate([np.repeat(face[None], 5, axis=0), np.full((15, 288, 360, 3), 128, np.uint8)]),
        "upsidedown": np.repeat(face[None, ::-1], 20, axis=0),
        "dark": np.zeros((20, 288, 360, 3), np.uint8),
        "short": np.repeat(face[None], 12, axis=0),
        "long": np.repeat(face[None], 60, axis=0),
    }
    for code, frames in clips.items():
        add(tmp_path / "grid", code, frames)
    summary = prepare_grid(tmp_path / "grid", tmp_path / "store", workers=0, split="random")
    assert summary.skipped == {
        "s1/noface": "no face was found",
        "s1/greyscreen": "no face was found",
        "s1/turnsaway": "a face was found in only 1 of 4 frames looked at",
        "s1/upsidedown": "no face was found",
        "s1/dark": "no face was found",
        "s1/short": "the alignment runs to frame 20, the video has only 12",
    }
    assert "more than one face in 4 of 4 frames looked at: the largest was taken" in summary.notes["s1/twofaces"]
    assert "60 frames instead of 75" in summary.notes["s1/long"]
    # the larger one is the one on the left
    left, _, side = open_grid(tmp_path / "store").placement("s1/twofaces").box
    assert left + side < 360

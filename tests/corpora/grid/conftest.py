import shutil
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

WORDS = ["place", "green", "by", "a", "one", "please"]
CODE = "pgba1p"


def alignment(words=WORDS, last=74.5):
    """Silence, then words of five frames each from frame 20 on, then silence."""
    lines = ["0 20000 sil"]
    lines += [f"{(20 + 5 * i) * 1000} {(25 + 5 * i) * 1000} {word}" for i, word in enumerate(words)]
    lines.append(f"{(20 + 5 * len(words)) * 1000} {int(last * 1000)} sil")
    return "\n".join(lines) + "\n"


def face_video(n_frames=75, drift=0):
    data = pytest.importorskip("skimage.data", reason="scikit-image brings the picture of a face")
    face = np.asarray(cv2.resize(data.astronaut()[:240, 100:400], (360, 288)), dtype=np.uint8)
    return np.stack([np.roll(face, drift * t // 10, axis=1) for t in range(n_frames)])


def write_mpg(path, frames, fps=25):
    with av.open(str(path), "w", format="mpeg") as container:
        stream = container.add_stream("mpeg1video", rate=fps)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 3_000_000
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


class Download:
    """A small GRID folder under construction."""

    def __init__(self, root):
        self.root = root
        (root / "s1").mkdir(parents=True)
        (root / "alignments" / "s1").mkdir(parents=True)
        (root / "splits").mkdir()
        self.lists = {"train": [], "test": []}

    def add(self, code, video=None, align=None, split="train"):
        path = self.root / "s1" / f"{code}.mpg"
        if isinstance(video, bytes):
            path.write_bytes(video)
        elif isinstance(video, Path):
            shutil.copyfile(video, path)
        elif video is not None:
            write_mpg(path, video)
        if align is not None:
            target = self.root / "alignments" / "s1" / f"{code}.align"
            target.write_bytes(align if isinstance(align, bytes) else align.encode())
        if split is not None:
            self.lists[split].append(f"s1/video/mpg_6000/{code}")
        for name, lines in self.lists.items():
            (self.root / "splits" / f"overlap_{name}.txt").write_text("".join(f"{line}\n" for line in lines))
        return path


def contents(store):
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in store.rglob("*.safetensors")}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "face.mpg"
    write_mpg(path, face_video())
    return path


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Video and alignment of 20 frames: the quickest thing that can be prepared."""
    path = tmp_path_factory.mktemp("video") / "short.mpg"
    write_mpg(path, face_video(20))
    return path, "0 5000 sil\n5000 10000 bin\n10000 15000 blue\n15000 20000 sil\n"


@pytest.fixture
def download(tmp_path):
    return Download(tmp_path / "grid")


@pytest.fixture(scope="session")
def make():
    """What builds a download; see the functions of this file."""
    builders = (alignment, face_video, write_mpg, contents, Download)
    return SimpleNamespace(**{builder.__name__: builder for builder in builders}, CODE=CODE, WORDS=WORDS)

"""Records such as a run writes, made from seeded random values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from lipbench.records.files import save_record
from lipbench.records.latency import Latency, LatencySample
from lipbench.records.quality import ClipScore, CorpusFacts, LengthEffect, MetricFacts, ProtocolFacts, Quality
from lipbench.records.record import Cell, Failure, Record
from lipbench.records.system import Machine, Software, System, Training

MACHINE = Machine(cpu="AMD EPYC 7B13", cores=2, memory_bytes=8 * 2**30, system="Linux 6.1", threads=2)
SOFTWARE = Software(
    python="3.11.2",
    packages={"torch": "2.14.1", "numpy": "2.4.6", "scipy": "1.17.1", "idna": "3.20"},
    commit="0123456789abcdef0123456789abcdef01234567",
    dirty=False,
)
PROTOCOL = ProtocolFacts(
    name="paper", fingerprint="aa" * 32, summary="RGB in [0, 1]; SSIM gaussian 11, sigma 1.5", length="truncate"
)
OTHER_PROTOCOL = ProtocolFacts(name="lelechen63-2018", fingerprint="bb" * 32, summary="uint8 with wrap-around")
METRICS = [
    MetricFacts(name="psnr", title="PSNR", unit="dB", higher_is_better=True),
    MetricFacts(name="ssim", title="SSIM", unit="", higher_is_better=True),
    MetricFacts(name="lmd", title="LMD", unit="px", higher_is_better=False),
    MetricFacts(name="aperture_correlation", title="Aperture correlation", unit="r", higher_is_better=True),
    MetricFacts(name="motion_energy_ratio", title="Motion energy ratio", unit="", higher_is_better=None),
]
TITLES = {
    "hh_t2l": "HH-T2L",
    "dual_lip": "DualLip",
    "transformer_t2l": "TransformerT2L",
    "ground_truth": "Ground truth",
    "first_frame": "First frame repeated",
    "mean_frame": "Mean frame of the clip",
}
FINGERPRINTS = {"grid": "cc" * 32, "synthetic": "dd" * 32}
TRAINING = Training(corpus="grid", corpus_fingerprint=FINGERPRINTS["grid"], steps=4000, recipe={"weight_ssim": 1.0})
CONTROLS = ("ground_truth", "first_frame", "mean_frame")
TYPICAL = {
    "hh_t2l": (28.1, 0.861, 0.92, 0.81, 0.78),
    "dual_lip": (28.4, 0.857, 1.05, 0.74, 0.71),
    "transformer_t2l": (26.2, 0.822, 1.31, 0.52, 0.55),
    "ground_truth": (np.inf, 1.0, 0.0, 1.0, 1.0),
    "first_frame": (26.6, 0.808, 2.28, 0.0, 0.0),
    "mean_frame": (29.9, 0.884, 1.61, 0.0, 0.0),
}


def system(
    name: str, *, preset: str | None = "small", frame_size: tuple[int, int] | None = (40, 80), **more: Any
) -> System:
    control = name in CONTROLS
    facts: dict[str, Any] = {
        "name": name,
        "title": TITLES.get(name, name),
        "kind": "control" if control else "model",
        "preset": None if control else preset,
        "parameters": None if control else 2_130_000,
        "frame_size": frame_size,
        "autoregressive": None if control else name != "hh_t2l",
        "checkpoint": None if control else f"{sum(name.encode()):064x}",
        "training": None if control else TRAINING,
    }
    return System(**(facts | more))


def clips(
    name: str, n: int = 12, *, speakers: Sequence[str] = ("s1",), durations: str = "true", seed: int = 0
) -> list[ClipScore]:
    random = np.random.default_rng([seed, *name.encode()])
    typical = TYPICAL.get(name, TYPICAL["dual_lip"])
    spread = (1.2, 0.015, 0.2, 0.08, 0.1)
    found = []
    for i in range(n):
        drawn = [
            t + (s * random.normal() if name != "ground_truth" else 0) for t, s in zip(typical, spread, strict=True)
        ]
        late = int(random.integers(-4, 5)) if durations == "predicted" and name not in CONTROLS else 0
        found.append(
            ClipScore(
                utterance=f"{speakers[i % len(speakers)]}/clip{i:03d}",
                speaker=speakers[i % len(speakers)],
                text="bin blue at f two now",
                frames=75,
                generated_frames=75 + late,
                length=LengthEffect(scored=75 + min(0, late), preds_dropped=max(0, late), target_dropped=max(0, -late))
                if late
                else None,
                values={metric.name: float(value) for metric, value in zip(METRICS, drawn, strict=True)},
            )
        )
    return found


def record(cell: Cell, **more: Any) -> Record:
    facts: dict[str, Any] = {
        "created": "2026-08-01T10:00:00+00:00",
        "command": "lipbench evaluate model=hh_t2l corpus=grid out=runs/demo",
        "cell": cell,
        "status": "measured",
        "machine": MACHINE,
        "software": SOFTWARE,
        "seconds": 12.5,
    }
    return Record(**(facts | more))


def quality(
    name: str,
    *,
    corpus: str = "grid",
    durations: Any = "predicted",
    protocol: ProtocolFacts = PROTOCOL,
    n: int = 12,
    speakers: Sequence[str] = ("s1",),
    split: str = "test",
    scores: list[ClipScore] | None = None,
    metrics: list[MetricFacts] | None = None,
    strip: str | None = None,
    corpus_options: dict[str, Any] | None = None,
    asked: dict[str, Any] | None = None,
    about: dict[str, Any] | None = None,
    **more: Any,
) -> Record:
    scored = scores if scores is not None else clips(name, n, speakers=speakers, durations=durations)
    who = system(name, **(about or {}))
    result = Quality(
        system=who,
        corpus=CorpusFacts(
            name=corpus,
            fingerprint=FINGERPRINTS.get(corpus, "ee" * 32),
            options=corpus_options or {},
            split=split,
            clips=len(scored),
        ),
        protocol=protocol,
        durations=durations,
        device="cpu",
        metrics=METRICS if metrics is None else metrics,
        clips=scored,
        strip=strip,
    )
    return record(quality_cell(name, who, result, **(asked or {})), result=result, **more)


def quality_cell(name: str, who: System | None = None, result: Quality | None = None, **asked: Any) -> Cell:
    """What is asked for when a system is scored: on the GRID test split unless something else is said."""
    facts: dict[str, Any] = {
        "role": "control" if name in CONTROLS else "model",
        "preset": who.preset if who and who.preset else "small",
        "options": who.options if who else {},
        "corpus": result.corpus.name if result else "grid",
        "corpus_options": result.corpus.options if result else {},
        "split": result.corpus.split if result else "test",
        "protocol": result.protocol.name if result else "paper",
        "durations": result.durations if result else "predicted",
    }
    return Cell(kind="quality", system=name, **(facts | asked))


def latency(
    name: str,
    frames: int,
    *,
    seconds: Sequence[float] | None = None,
    n: int = 20,
    device: str = "cpu",
    batch: int = 1,
    settled: bool = True,
    asked: dict[str, Any] | None = None,
    about: dict[str, Any] | None = None,
    **more: Any,
) -> Record:
    random = np.random.default_rng([frames, *name.encode()])
    base, slope = {"hh_t2l": (0.004, 0.0003), "dual_lip": (0.01, 0.004)}.get(name, (0.02, 0.009))
    typical = base + slope * frames
    drawn = typical * (1 + 0.03 * random.gamma(1.5, size=n)) if seconds is None else np.asarray(seconds)
    who = system(name, **(about or {}))
    result = Latency(
        system=who,
        device=device,
        dtype="float32",
        batch=batch,
        frames=frames,
        tokens=23,
        fps=25.0,
        first_call_s=float(typical * 3),
        warmup=[LatencySample(wall_s=float(typical))],
        samples=[LatencySample(wall_s=float(s), device_s=float(s) * 0.8 if device == "cuda" else None) for s in drawn],
        settled=settled,
    )
    cell = latency_cell(name, frames, device=device, batch=batch, preset=who.preset, options=who.options)
    return record(cell.model_copy(update=asked or {}), result=result, **more)


def latency_cell(name: str, frames: int | None, **asked: Any) -> Cell:
    """What is asked for when a system is timed: a batch of one on the CPU unless something else is said."""
    facts: dict[str, Any] = {"corpus": "synthetic", "device": "cpu", "batch": 1, "preset": "small"}
    return Cell(kind="latency", system=name, frames=frames, **(facts | asked))


def failed(cell: Cell, *, kind: str = "RuntimeError", message: str = "out of memory", **more: Any) -> Record:
    return record(cell, status="failed", failure=Failure(type=kind, message=message), **more)


def mouth(opening: float, *, size: tuple[int, int] = (40, 80)) -> np.ndarray:
    """A picture of a mouth, open between 0 and 1."""
    y, x = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j]
    picture = np.full((*size, 3), (206, 160, 138), dtype=np.float64) - 18 * (y**2)[..., None]
    picture[(x / 0.72) ** 2 + (y / (0.34 + 0.34 * opening)) ** 2 < 1] = (172, 88, 84)
    picture[(x / 0.55) ** 2 + (y / (0.03 + 0.42 * opening)) ** 2 < 1] = (58, 24, 28)
    return picture.clip(0, 255).astype(np.uint8)


def write_strip(path: Path, openings: Sequence[Sequence[float]], *, numbers: str = "0,12,25,37,50,62,74") -> None:
    """One utterance per sequence of openings; the truth opens as a sine does."""
    k = len(numbers.split(","))
    truth = np.stack([mouth(abs(np.sin(i))) for i in range(k)])
    tensors, metadata = {}, {}
    for index, opening in enumerate(openings):
        tensors |= {f"{index}/truth": truth, f"{index}/generated": np.stack([mouth(o) for o in opening])}
        metadata |= {
            f"{index}/id": f"s1/clip{index:03d}",
            f"{index}/text": "bin blue at f two now",
            f"{index}/frame_numbers": numbers,
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata=metadata)


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """What builds records; see the functions of this file."""
    builders = (system, clips, record, quality, quality_cell, latency, latency_cell, failed, write_strip)
    values = {"PROTOCOL": PROTOCOL, "OTHER_PROTOCOL": OTHER_PROTOCOL, "METRICS": METRICS, "TRAINING": TRAINING}
    values |= {"MACHINE": MACHINE, "SOFTWARE": SOFTWARE}
    return SimpleNamespace(**{builder.__name__: builder for builder in builders}, **values)


def demo_records() -> list[Record]:
    """A run as the bench job leaves it: both durations modes, controls, five lengths, two failures."""
    found = []
    for durations in ("predicted", "true"):
        for name in ("hh_t2l", "dual_lip", *CONTROLS):
            strip = f"strips/{name}-{durations}.safetensors" if name in ("hh_t2l", "dual_lip", "first_frame") else None
            found.append(quality(name, n=40, durations=durations, strip=strip))
        cell = quality_cell("transformer_t2l", durations=durations)
        found.append(failed(cell, message="the loss is nan | after 12 steps <b>"))
    for name in ("hh_t2l", "dual_lip", "transformer_t2l"):
        found += [latency(name, frames, settled=frames != 25) for frames in (25, 50, 75, 100, 137)]
    found.append(failed(latency_cell("transformer_t2l", 200), kind="TimeoutError", message="no answer after 60 s"))
    return [*found, latency("hh_t2l", 200), latency("dual_lip", 200)]


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with `demo_records` and sample frames."""
    run = tmp_path_factory.mktemp("run")
    for each in demo_records():
        save_record(each, run)
    openings = {"hh_t2l": 0.8, "dual_lip": 0.5, "first_frame": 0.0}
    for name, scale in openings.items():
        for durations in ("predicted", "true"):
            moving = [abs(np.sin(i)) * scale for i in range(7)]
            write_strip(run / "strips" / f"{name}-{durations}.safetensors", [moving, moving[::-1]])
    return run

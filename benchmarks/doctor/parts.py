"""Checks of what lipbench needs: packages, model files, video decoding."""

from __future__ import annotations

import platform
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from lipbench.benchmarks.cells.environment import CHECKOUT
from lipbench.benchmarks.doctor.diagnosis import Check

PROJECT = CHECKOUT / "pyproject.toml"
DECODERS = ("mpeg1video", "h264", "ffv1")
"""Of GRID's videos, of most others', and of the clips that runs keep."""


def packages(project: Path = PROJECT) -> Check:
    """Versions that are installed, against the ranges that the project asks for.

    Args:
        project: a pyproject.toml.
    """
    project_table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    missing: list[str] = []
    outside: list[str] = []
    versions: dict[str, str | None] = {"python": platform.python_version()}
    if not SpecifierSet(project_table["requires-python"]).contains(platform.python_version(), prereleases=True):
        outside.append(f"python {platform.python_version()} ({project_table['requires-python']})")
    for requirement in map(Requirement, project_table["dependencies"]):
        try:
            installed_version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            missing.append(requirement.name)
            versions[requirement.name] = None
            continue
        versions[requirement.name] = installed_version
        if not requirement.specifier.contains(installed_version, prereleases=True):
            outside.append(f"{requirement.name} {installed_version} ({requirement.specifier})")
    facts = {**versions}
    if missing:
        finding = f"not installed: {', '.join(missing)}"
        return Check(name="packages", state="problem", finding=finding, remedy="Run: make setup", facts={**facts})
    if outside:
        finding = f"not of the versions asked for: {', '.join(outside)}"
        return Check(name="packages", state="warning", finding=finding, remedy="Run: make setup", facts={**facts})
    torch = versions.get("torch")
    finding = f"all {len(versions) - 1} in their ranges{f'; torch {torch}' if torch else ''}"
    return Check(name="packages", state="ok", finding=finding, facts={**facts})


def dlib_models() -> Check:
    """Whether dlib's predictor and face descriptor are there, which preparation and landmark metrics need."""
    from lipbench.corpora.landmarks import predictor_path, recogniser_path
    from lipbench.errors import UserError

    try:
        files = [predictor_path(), recogniser_path()]
    except UserError as error:
        return Check(
            name="dlib models",
            state="warning",
            finding=f"{error.problem}: no corpus can be prepared, and no landmark metric measured",
            remedy=error.remedy,
        )
    names = [file.name for file in files]
    return Check(name="dlib models", state="ok", finding=", ".join(names), facts={"files": names})


def inception_weights(weights_path: Path | None) -> Check:
    """Whether FID and KID can be measured without a download.

    Args:
        weights_path: a local file; None: where torch keeps such files.
    """
    from lipbench.errors import UserError
    from lipbench.metrics.inception import local_weights

    try:
        weights_file = local_weights(weights_path)
    except UserError as error:
        return Check(name="FID weights", state="warning", finding=error.problem, remedy=error.remedy)
    if weights_file is not None:
        return Check(name="FID weights", state="ok", finding=weights_file.name, facts={"file": weights_file.name})
    return Check(
        name="FID weights",
        state="warning",
        finding="torch-fidelity's Inception is not here yet: FID and KID need a download, or stay unmeasured",
        remedy="Go online for the first evaluation, or give inception_weights=FILE",
    )


def video() -> Check:
    """Whether FFmpeg, as PyAV brings it, has the decoders and reads a lossless clip back unchanged."""
    import av
    from av.codec import codecs_available

    from lipbench.corpora.video import read_video, write_video

    version = ".".join(map(str, av.library_versions["libavcodec"]))
    facts = {"pyav": av.__version__, "libavcodec": version}
    lacking = [name for name in DECODERS if name not in codecs_available]
    if lacking:
        return _no_video(f"no decoder for {', '.join(lacking)}", facts)
    test_frames = np.random.default_rng(0).integers(0, 256, (3, 16, 32, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clip.mkv"
        try:
            write_video(test_frames, file, 25.0, lossless=True)
            is_lossless = np.array_equal(read_video(file).frames, test_frames)
        except Exception as error:  # whatever a broken FFmpeg raises is what the reader is to see
            return _no_video(f"a clip cannot be written and read: {type(error).__name__}: {error}", facts)
    if not is_lossless:
        return _no_video("a clip that was written without loss came back changed", facts)
    finding = f"PyAV {av.__version__} with libavcodec {version} reads {', '.join(DECODERS)}"
    return Check(name="video", state="ok", finding=finding, facts={**facts})


def _no_video(finding: str, facts: dict[str, str]) -> Check:
    remedy = "Run: python -m pip install --force-reinstall av"
    return Check(name="video", state="warning", finding=finding, remedy=remedy, facts={**facts})

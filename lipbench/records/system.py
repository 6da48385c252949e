"""What was measured and where: machine, software, training and the system itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lipbench.records.frozen import FrozenModel as _Frozen


class Machine(_Frozen):
    """Where a cell ran. None where the machine cannot say."""

    cpu: str | None
    cores: int
    """Logical cores that this process may use."""
    memory_bytes: int
    system: str
    gpu: str | None = None
    gpu_driver: str | None = None
    threads: int
    """Threads that torch used within one operation."""


class Software(_Frozen):
    """What code ran."""

    python: str
    packages: dict[str, str]
    commit: str | None
    """Git revision of lipbench; None outside a git checkout."""
    dirty: bool | None
    """True if the checkout had uncommitted changes."""
    source: str | None = None
    """Digest of lipbench's own Python files; None in records made before it was kept."""


class Training(_Frozen):
    """The training that produced a model's weights."""

    corpus: str
    corpus_fingerprint: str
    steps: int
    """Updates taken."""
    recipe: dict[str, object]
    """All options of the training."""


class System(_Frozen):
    """The thing measured: a model, or a control that stands beside the models."""

    name: str
    """Registry name, such as "hh_t2l" or "first_frame"."""
    title: str
    """Name for tables, such as "HH-T2L"."""
    kind: Literal["model", "control"]
    preset: str | None = None
    options: dict[str, object] = Field(default_factory=dict)
    """Options as asked for, on top of the preset."""
    config: dict[str, object] = Field(default_factory=dict)
    """Every option as resolved."""
    parameters: int | None = None
    frame_size: tuple[int, int] | None = None
    """(height, width) in pixels."""
    autoregressive: bool | None = None
    checkpoint: str | None = None
    """sha256 of the weights; None for an untrained model or a control."""
    training: Training | None = None
    """None for an untrained model or a control."""
    videos: str | None = None
    """sha256 over names and content of the video files that were scored in the model's place; None where the model
    itself made the clips."""

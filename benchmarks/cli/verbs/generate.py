"""`lipbench generate`: say a text with a mouth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from lipbench import models
from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import CorpusChoice, Device, Request, Text, TrainingName
from lipbench.errors import UserError
from lipbench.records.run_folder import checkpoint_path
from lipbench.training.naming import training_name

if TYPE_CHECKING:
    import torch


class GenerateRequest(Request):
    """`lipbench generate`."""

    text: Text
    identity: Path
    model: Text
    preset: str
    name: TrainingName
    checkpoint: Path | None
    corpus: CorpusChoice
    frames: int | None = Field(default=None, ge=1)
    fps: float = Field(gt=0)
    out: Path
    runs: Path
    device: Device


def run(request: GenerateRequest) -> None:
    """Generate one clip and write it as a video."""
    import torch

    from lipbench.benchmarks.cells import loading
    from lipbench.benchmarks.cells.environment import pick_device
    from lipbench.corpora.tokens import characters
    from lipbench.corpora.video import write_video
    from lipbench.models.contract import LipRequest

    symbols = characters(request.text)
    models.check(request.model, request.preset)
    device = pick_device(request.device)
    name = request.name or training_name(request.model, request.preset)
    path = request.checkpoint or checkpoint_path(request.runs, name)
    loaded_model = loading.load_trained(path, model=request.model, preset=request.preset, device=device)
    assert loaded_model.vocabulary is not None
    tokens = torch.tensor([loaded_model.vocabulary.encode(symbols)], device=device)
    clip = loaded_model.model.generate(
        LipRequest(
            tokens=tokens,
            token_lengths=torch.tensor([tokens.shape[1]], device=device),
            identity=read_identity(request.identity, loaded_model.frame_size).to(device),
            n_frames=None if request.frames is None else torch.tensor([request.frames], device=device),
        )
    )
    frames = (clip.frames[0, : int(clip.lengths[0])].clamp(0, 1) * 255).round().to(torch.uint8)
    write_video(frames.permute(0, 2, 3, 1).cpu().numpy(), request.out, fps=request.fps)
    print(f"{len(frames)} frames, {len(frames) / request.fps:.2f} s: {request.out}")


def read_identity(path: Path, frame_size: tuple[int, int]) -> torch.Tensor:
    """Read a mouth picture at a model's size: float (1, 3, H, W) in [0, 1].

    Raises:
        UserError: there is no such picture, or it is not about twice as wide as high.
    """
    import cv2
    import numpy as np

    from lipbench.training.frames import to_model_size, to_unit

    picture = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if picture is None:
        raise UserError(f"{path} is no picture that can be read", remedy="Give a PNG or JPEG of a mouth")
    height, width = picture.shape[:2]
    if not 1.8 <= width / height <= 2.2:
        raise UserError(
            f"{path} is {width} x {height} pixels", remedy="Cut it to the lips, twice as wide as high (160 x 80)"
        )
    rgb = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    return to_unit(to_model_size(rgb[None], frame_size))


VERB = Verb(
    summary="make a clip from a text and a picture of a mouth",
    examples=("lipbench generate text='bin blue at f two now' identity=mouth.png out=clip.mp4",),
    place=130,
    request=GenerateRequest,
    run=run,
)

"""`lipbench train`: teach a model a corpus, or go on where it was interrupted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lipbench import corpora, models
from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import CorpusChoice, Device, Request, Text, TrainingName
from lipbench.locks import hold
from lipbench.records.run_folder import checkpoint_path
from lipbench.training.naming import training_config, training_name

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID")
"""Variables that number the processes of one training, from 0."""


class TrainRequest(Request):
    """`lipbench train`."""

    model: Text
    preset: str
    options: dict[str, Any]
    corpus: CorpusChoice
    training: dict[str, Any]
    out: Path
    name: TrainingName
    device: Device
    # training checks these
    devices: int
    num_nodes: int
    strategy: str


def run(request: TrainRequest) -> None:
    """Train, and print where the checkpoint lies."""
    from lipbench.benchmarks.cells.environment import pick_device
    from lipbench.benchmarks.cli.progress import on_terminal

    check(request)
    config = training_config(request.training)
    corpus = corpora.create(request.corpus.name, **request.corpus.options)
    from lipbench.training.fit import is_first_process, train

    (folder,) = claims(request)
    # the others of one training share what the first one holds
    leads = all(os.environ.get(rank, "0") == "0" for rank in RANKS)
    with hold([folder] if leads else []):
        path = train(
            request.model,
            request.preset,
            options=request.options,
            corpus=corpus,
            config=config,
            folder=folder,
            progress=on_terminal(),
            device="gpu" if pick_device(request.device).type == "cuda" else "cpu",
            devices=request.devices,
            num_nodes=request.num_nodes,
            strategy=request.strategy,
        )
    if is_first_process():
        print(f"checkpoint: {path}")


def check(request: TrainRequest) -> None:
    """Refuse a model, preset or options that do not exist."""
    models.check(request.model, request.preset, **request.options)


def claims(request: TrainRequest) -> list[Path]:
    """The training's folder."""
    name = request.name or training_name(request.model, request.preset, training_config(request.training))
    return [checkpoint_path(request.out, name).parent]


VERB = Verb(
    summary="train a model on a corpus; the same command again goes on where it stopped",
    examples=(
        "lipbench train                                    # HH-T2L, small, on the synthetic corpus",
        "lipbench train corpus=grid model=dual_lip",
        "lipbench train corpus=grid training.steps=4000 training.learning_rate=5e-4 out=runs/longer",
        "lipbench train --multirun model=hh_t2l,dual_lip hydra/launcher=joblib hydra.launcher.n_jobs=2",
    ),
    place=40,
    request=TrainRequest,
    run=run,
    claims=claims,
    check=check,
    apart="name='${model}-${training.seed}'",
)

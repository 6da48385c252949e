"""`lipbench train`: teach a model a corpus, or go on where it was interrupted."""

from __future__ import annotations

import os
from pathlib import Path

from lipbench import corpora, models
from lipbench.benchmarks.cells.environment import pick_device
from lipbench.benchmarks.cli.progress import on_terminal
from lipbench.benchmarks.config.requests import Train
from lipbench.locks import held
from lipbench.records.run_folder import checkpoint_path
from lipbench.training.naming import training_config, training_name

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID")
"""Variables that number the processes of one training, from 0."""


def run(request: Train) -> None:
    """Train, and print where the checkpoint lies."""
    models.check(request.model, request.preset, **request.options)
    config = training_config(request.training)
    corpus = corpora.create(request.corpus.name, **request.corpus.options)
    from lipbench.training.fit import is_first_process, train

    (folder,) = claims(request)
    # the others of one training share what the first one holds
    leads = all(os.environ.get(rank, "0") == "0" for rank in RANKS)
    with held([folder] if leads else []):
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


def claims(request: Train) -> list[Path]:
    """The training's folder."""
    name = request.name or training_name(request.model, request.preset, training_config(request.training))
    return [checkpoint_path(request.out, name).parent]

"""`lipbench train`: teach a model a corpus, or go on where it was interrupted."""

from __future__ import annotations

import corpora
from benchmarks.config import Train
from benchmarks.progress import on_terminal
from benchmarks.sweep import checkpoint_path, pick_device, training_config, training_name


def run(request: Train) -> None:
    """Train, and print where the checkpoint lies."""
    config = training_config(request.training)
    corpus = corpora.create(request.corpus.name, **request.corpus.options)
    from training.fit import is_first_process, train

    path = train(
        request.model,
        request.preset,
        options=request.options,
        corpus=corpus,
        config=config,
        folder=checkpoint_path(
            request.out, request.name or training_name(request.model, request.preset, config)
        ).parent,
        progress=on_terminal(),
        device="gpu" if pick_device(request.device).type == "cuda" else "cpu",
        devices=request.devices,
        num_nodes=request.num_nodes,
        strategy=request.strategy,
    )
    if is_first_process():
        print(f"checkpoint: {path}")

"""`lipbench train`: teach a model a corpus, or go on where it was interrupted."""

from __future__ import annotations

import corpora
from benchmarks.config import Train
from benchmarks.progress import on_terminal
from benchmarks.sweep import checkpoint_path, pick_device, training_config


def run(request: Train) -> None:
    """Train, and print where the checkpoint lies."""
    config = training_config(request.training)
    corpus = corpora.create(request.corpus.name, **request.corpus.options)
    from training.fit import train

    path = train(
        request.model,
        request.preset,
        options=request.options,
        corpus=corpus,
        config=config,
        folder=checkpoint_path(request.out, request.model, request.preset).parent,
        progress=on_terminal(),
        device="gpu" if pick_device(request.device).type == "cuda" else "cpu",
    )
    print(f"checkpoint: {path}")

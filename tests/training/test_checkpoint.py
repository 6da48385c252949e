from __future__ import annotations

import pickle

import pytest
import torch

from lipbench.training import checkpoint, fit
from lipbench.training.checkpoint import CheckpointError
from lipbench.training.config import TrainingConfig


@pytest.fixture(scope="module")
def trained(tmp_path_factory, corpus):
    return fit.train(
        "hh_t2l",
        "tiny",
        options={"hidden": 16},
        corpus=corpus,
        config=TrainingConfig(steps=1, clips=2, frames_per_clip=1, checkpoint_steps=1),
        folder=tmp_path_factory.mktemp("trained"),
        progress=False,
        device="cpu",
    )


def test_a_checkpoint_says_what_it_is_and_rebuilds_its_model(trained, corpus):
    loaded = checkpoint.load_checkpoint(trained, model="hh_t2l", preset="tiny")
    assert loaded.model.config.hidden == 16  # pyright: ignore
    assert not loaded.model.training
    assert loaded.steps == 1
    assert loaded.card.corpus_fingerprint == corpus.fingerprint
    assert loaded.vocabulary.symbols == corpus.symbols
    assert loaded.digest == checkpoint.digest(loaded.model.state_dict())


@pytest.mark.parametrize(
    ("asked", "says"),
    [({"model": "dual_lip"}, "holds the model 'hh_t2l', not 'dual_lip'"), ({"preset": "small"}, "the preset 'tiny'")],
)
def test_a_checkpoint_of_something_else_is_refused(trained, asked, says):
    with pytest.raises(CheckpointError, match=says):
        checkpoint.load_checkpoint(trained, **asked)


def test_a_missing_checkpoint_names_the_way_out(tmp_path):
    with pytest.raises(CheckpointError, match="lipbench train"):
        checkpoint.load_checkpoint(tmp_path / "none.ckpt")


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint at all", None])
def test_a_damaged_file_is_refused(trained, tmp_path, damage):
    file = tmp_path / "damaged.ckpt"
    file.write_bytes(trained.read_bytes()[:5000] if damage is None else damage)
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load_checkpoint(file)


def test_weights_of_other_code_are_refused(trained, tmp_path):
    content = torch.load(trained, weights_only=True)
    del content["state_dict"]["model.motion_positions.weight"]
    file = tmp_path / "other.ckpt"
    torch.save(content, file)
    with pytest.raises(CheckpointError, match="do not fit"):
        checkpoint.load_checkpoint(file)


def test_another_files_dictionary_is_refused(tmp_path):
    file = tmp_path / "plain.ckpt"
    torch.save({"state_dict": {}}, file)
    with pytest.raises(CheckpointError, match="no checkpoint of lipbench"):
        checkpoint.load_checkpoint(file)


class _Trap:
    """Runs code when unpickled: what a hostile checkpoint would hold."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_loading_executes_no_code(tmp_path):
    sprung = tmp_path / "sprung"
    file = tmp_path / "hostile.ckpt"
    torch.save({"lipbench": _Trap(sprung)}, file)
    with pytest.raises(CheckpointError):
        checkpoint.load_checkpoint(file)
    assert not sprung.exists()
    file.write_bytes(pickle.dumps(_Trap(sprung)))
    with pytest.raises(CheckpointError):
        checkpoint.load_checkpoint(file)
    assert not sprung.exists()

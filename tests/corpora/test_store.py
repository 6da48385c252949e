import json
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from lipbench.corpora.manifest import MANIFEST, Manifest, StoreError, load_manifest, save_manifest
from lipbench.corpora.placement import Placement
from lipbench.corpora.store import Store, find_clip, write_clip
from lipbench.corpora.utterance import Utterance

OPTIONS = {"split": "public"}


def utterance(name="s1/bbaf2n", seed=0, split="train"):
    rng = np.random.default_rng(seed)
    return Utterance(
        id=name,
        speaker="s1",
        text="it's",
        tokens=("|", "i", "t", "'", "s", "|"),
        durations=np.array([1, 1, 0, 1, 1, 1]),
        duration_source="by hand",
        fps=25.0,
        frames=rng.integers(0, 256, (5, 80, 160, 3), dtype=np.uint8),
        landmarks=rng.uniform(0, 80, (5, 20, 2)).astype(np.float32),
        split=split,
    )


def placement(corner=(40, 140)):
    rng = np.random.default_rng(1)
    affine = np.array([[2.0, 0, -200], [0, 2.0, -300]])
    return Placement(
        face=rng.integers(0, 256, (256, 256, 3), dtype=np.uint8),
        corner=corner,
        box=(80.0, 80.0, 128.0),
        affines=np.repeat(affine[None], 5, axis=0),
    )


def write(folder, *utterances, finished=True, **changes):
    manifest = replace(Manifest(corpus="grid", fps=25.0, options=OPTIONS), **changes)
    entries = {
        u.id: write_clip(folder, u, placement(), source="abc", options=manifest.options_digest) for u in utterances
    }
    manifest = replace(manifest, clips=entries, finished=finished)
    save_manifest(folder, manifest)
    return manifest


def test_what_is_written_is_read_again(tmp_path):
    kept = utterance()
    manifest = write(tmp_path, kept, utterance("s1/lwae9s", split="test"), skipped={"s1/x": "no face"}, absent=7)
    store = Store(tmp_path, "grid")
    assert store.manifest == manifest
    assert store.manifest.ids("train") == ["s1/bbaf2n"]
    assert store.manifest.ids("test") == ["s1/lwae9s"]
    found = store.utterance("s1/bbaf2n")
    for name in ("id", "speaker", "text", "tokens", "duration_source", "fps", "split"):
        assert getattr(found, name) == getattr(kept, name)
    for name in ("frames", "landmarks", "durations"):
        np.testing.assert_array_equal(getattr(found, name), getattr(kept, name))
        assert getattr(found, name).dtype == getattr(kept, name).dtype
    placed = store.placement("s1/bbaf2n")
    np.testing.assert_array_equal(placed.face, placement().face)
    np.testing.assert_array_equal(placed.affines, placement().affines)
    assert (placed.corner, placed.box) == (placement().corner, placement().box)


def test_files_are_the_same_each_time_and_nothing_is_left_over(tmp_path):
    first = write(tmp_path / "a", utterance())
    second = write(tmp_path / "b", utterance())
    assert first.clips == second.clips
    assert first.fingerprint == second.fingerprint
    files = sorted(str(p.relative_to(tmp_path / "a")) for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert files == ["clips/s1/bbaf2n.safetensors", "manifest.json"]


def test_the_fingerprint_follows_content_split_and_options(tmp_path):
    base = write(tmp_path / "a", utterance()).fingerprint
    assert write(tmp_path / "b", utterance(seed=1)).fingerprint != base
    assert write(tmp_path / "c", utterance(split="test")).fingerprint != base
    assert write(tmp_path / "d", utterance(), options={"split": "random"}).fingerprint != base
    assert write(tmp_path / "e", utterance(), software={"av": "99"}, absent=3).fingerprint == base


def test_many_readers_at_once(tmp_path):
    write(tmp_path, *(utterance(f"s1/clip{n}", seed=n) for n in range(8)))
    store = pickle.loads(pickle.dumps(Store(tmp_path, "grid")))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(store.utterance, [f"s1/clip{n % 8}" for n in range(64)]))
    for number, read in enumerate(found):
        np.testing.assert_array_equal(read.frames, utterance(seed=number % 8).frames)


def test_a_missing_store_names_the_command(tmp_path):
    with pytest.raises(StoreError, match="lipbench prepare corpus=grid root=FOLDER"):
        Store(tmp_path / "nowhere", "grid")


def test_another_corpus_and_an_unfinished_store_are_refused(tmp_path):
    write(tmp_path / "a", utterance())
    with pytest.raises(StoreError, match="holds grid, not tcd_timit"):
        Store(tmp_path / "a", "tcd_timit")
    write(tmp_path / "b", utterance(), finished=False)
    with pytest.raises(StoreError, match="has not finished"):
        Store(tmp_path / "b", "grid")


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"format": 0}', '{"format": 1}', '{"format": 1, "clips": {"a": 3}}']
)
def test_a_damaged_manifest_is_refused(tmp_path, content):
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(StoreError, match=r"[Pp]repare the corpus anew"):
        load_manifest(tmp_path)


def test_an_unknown_clip_says_what_there_is(tmp_path):
    write(tmp_path, utterance(), skipped={"s1/lrarzn": "no face was found"})
    store = Store(tmp_path, "grid")
    with pytest.raises(StoreError, match="Did you mean 's1/bbaf2n'"):
        store.utterance("s1/bbaf3n")
    with pytest.raises(StoreError, match="skipped it: no face was found"):
        store.utterance("s1/lrarzn")


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_clip_is_refused(tmp_path, damage):
    manifest = write(tmp_path, utterance())
    path = tmp_path / manifest.clips["s1/bbaf2n"].file
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    for read in (Store(tmp_path, "grid").utterance, Store(tmp_path, "grid").placement):
        with pytest.raises(StoreError, match=r"bbaf2n\.safetensors cannot be read"):
            read("s1/bbaf2n")
    assert find_clip(tmp_path, "s1/bbaf2n", None, source="abc", options=manifest.options_digest) is None
    entry = manifest.clips["s1/bbaf2n"]
    assert find_clip(tmp_path, "s1/bbaf2n", entry, source="abc", options=manifest.options_digest) is None


def test_finished_clips_are_found_again(tmp_path):
    manifest = write(tmp_path, utterance())
    entry, digest = manifest.clips["s1/bbaf2n"], manifest.options_digest
    assert find_clip(tmp_path, "s1/bbaf2n", entry, source="abc", options=digest) == entry
    # a run that was killed before it wrote its manifest leaves a file that nobody lists
    assert find_clip(tmp_path, "s1/bbaf2n", None, source="abc", options=digest) == entry
    assert find_clip(tmp_path, "s1/bbaf2n", entry, source="changed", options=digest) is None
    assert find_clip(tmp_path, "s1/bbaf2n", None, source="abc", options="other") is None
    assert find_clip(tmp_path, "s1/other", None, source="abc", options=digest) is None


def test_content_is_on_the_disk_before_it_takes_its_name(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, name=name, real=real: (calls.append(name), real(*args))[1])
    write(tmp_path, utterance())
    assert calls == ["fsync", "replace"] * 2


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        save_manifest(tmp_path / "file", Manifest(corpus="grid", fps=25.0, options=OPTIONS))


def test_the_manifest_tells_a_human_what_is_there(tmp_path):
    manifest = write(tmp_path, utterance(), utterance("s1/lwae9s", split="test"), skipped={"s1/x": "no face"})
    data = json.loads((tmp_path / MANIFEST).read_text())
    assert data["fingerprint"] == manifest.fingerprint
    size = sum(p.stat().st_size for p in (tmp_path / "clips").rglob("*.safetensors"))
    assert data["counts"] == {"train": 1, "test": 1, "seen": 1, "frames": 10, "bytes": size, "skipped": 1, "absent": 0}

import json
import shutil

import pytest

from lipbench.corpora.grid.corpus import open_grid
from lipbench.corpora.grid.layout import FLAT, UNZIPPED
from lipbench.corpora.grid.preparation import find_grid
from lipbench.corpora.manifest import StoreError
from lipbench.corpora.preparation.run import prepare
from lipbench.corpora.preparation.survey import survey
from lipbench.errors import UserError


def prepare_grid(root, store, *, workers=None, limit=None, on_progress=None, **options):
    return prepare(find_grid(root, **options), store, workers=workers, limit=limit, on_progress=on_progress)


def test_words_make_another_store(download, short, tmp_path, make):
    download.add(make.CODE, *short)
    prepare_grid(download.root, tmp_path / "words", workers=0, tokens="words")
    grid = open_grid(tmp_path / "words")
    utterance = grid.load(f"s1/{make.CODE}")
    assert utterance.tokens == ("|", "bin", "|", "blue", "|")
    assert utterance.durations.tolist() == [5, 5, 0, 5, 5]
    assert utterance.duration_source == "grid align, words"
    assert len(grid.symbols) == 1 + 4 + 4 + 4 + 25 + 10 + 4
    assert set(utterance.tokens) <= set(grid.symbols)
    with pytest.raises(StoreError, match=r"tokens=words; now"):
        prepare_grid(download.root, tmp_path / "words", workers=0)
    # a word that GRID has not would be a token that no vocabulary knows
    download.add("strange", short[0], "0 5000 sil\n5000 15000 hello\n")
    summary = prepare_grid(download.root, tmp_path / "words", workers=0, tokens="words")
    assert summary.skipped == {"s1/strange": "GRID has no word 'hello'"}


TEXTGRID = """File type = "ooTextFile short"
"TextGrid"

0
0.8
<exists>
1
"IntervalTier"
"words"
0
0.8
4
0
0.16
""
0.16
0.4
"bin"
0.4
0.6
"blue"
0.6
0.8
""
"""


def test_durations_from_textgrids_where_there_are_some(download, short, tmp_path, make):
    for code in ("bbaf2n", "lwae9s", "pgba1p"):
        download.add(code, *short)
    folder = download.root / "alignments" / "s1"
    (folder / "bbaf2n.TextGrid").write_text(TEXTGRID)
    (folder / "pgba1p.TextGrid").write_text("no such thing")
    summary = prepare_grid(download.root, tmp_path / "store", workers=0, durations="textgrid")
    assert summary.skipped == {"s1/pgba1p": "the alignment pgba1p.TextGrid is no TextGrid"}
    assert "there is no TextGrid: durations are from lwae9s.align" in summary.notes["s1/lwae9s"]
    grid = open_grid(tmp_path / "store")
    aligned, split = grid.load("s1/bbaf2n"), grid.load("s1/lwae9s")
    assert aligned.durations.tolist() == [4, 2, 2, 2, 0, 1, 2, 1, 1, 5]
    assert aligned.duration_source == "mfa TextGrid, characters by even split"
    assert split.duration_source == "grid align, characters by even split"
    assert split.durations[0] == 5
    # the same from a folder elsewhere, where they lie as MFA writes them
    (tmp_path / "mfa" / "s1").mkdir(parents=True)
    (folder / "bbaf2n.TextGrid").rename(tmp_path / "mfa" / "s1" / "bbaf2n.TextGrid")
    options = {"durations": "textgrid", "alignments": tmp_path / "mfa"}
    elsewhere = prepare_grid(download.root, tmp_path / "elsewhere", workers=0, **options)
    assert open_grid(tmp_path / "elsewhere").load("s1/bbaf2n").durations.tolist() == aligned.durations.tolist()
    assert elsewhere.skipped == {}


PHONES = """1
"IntervalTier"
"phones"
0
0.8
7
0
0.16
""
0.16
0.24
"B"
0.24
0.32
"IH1"
0.32
0.4
"N"
0.4
0.48
"B"
0.48
0.6
"L"
0.6
0.8
"UW1"
"""


def test_phones_come_from_textgrids_alone(download, short, tmp_path):
    for code in ("bbaf2n", "lwae9s", "pgba1p"):
        download.add(code, *short)
    folder = download.root / "alignments" / "s1"
    both = TEXTGRID.replace("<exists>\n1\n", "<exists>\n2\n") + PHONES.removeprefix("1\n")
    (folder / "bbaf2n.TextGrid").write_text(both)
    (folder / "pgba1p.TextGrid").write_text(both.replace('"IH1"', '"ɪ"'))
    with pytest.raises(UserError, match="durations=textgrid"):
        prepare_grid(download.root, tmp_path / "store", workers=0, tokens="phones")
    options = {"tokens": "phones", "durations": "textgrid"}
    summary = prepare_grid(download.root, tmp_path / "store", workers=0, **options)
    assert summary.skipped == {
        "s1/lwae9s": "there is no TextGrid, and phones need one",
        "s1/pgba1p": "'ɪ' is no ARPABET phone",
    }
    grid = open_grid(tmp_path / "store")
    utterance = grid.load("s1/bbaf2n")
    assert utterance.tokens == ("sil", "b", "ih", "n", "b", "l", "uw", "sil")
    assert utterance.durations.tolist() == [4, 2, 2, 2, 2, 3, 5, 0]
    assert utterance.text == "bin blue"
    assert utterance.duration_source == "mfa TextGrid, phones"
    assert set(utterance.tokens) <= set(grid.symbols)


def test_both_layouts_give_the_same_clips(download, short, tmp_path, make):
    download.add(make.CODE, *short)
    unzipped = tmp_path / "unzipped"
    (unzipped / "s1" / "video" / "mpg_6000").mkdir(parents=True)
    (unzipped / "s1" / "align").mkdir()
    shutil.copyfile(short[0], unzipped / "s1" / "video" / "mpg_6000" / f"{make.CODE}.mpg")
    (unzipped / "s1" / "align" / f"{make.CODE}.align").write_text(short[1])
    shutil.copytree(download.root / "splits", unzipped / "splits")
    flat, deep = find_grid(download.root), find_grid(unzipped)
    assert (flat.layout, deep.layout) == (FLAT, UNZIPPED)
    assert prepare(flat, tmp_path / "a", workers=0).fingerprint == prepare(deep, tmp_path / "b", workers=0).fingerprint


def test_test_sentences_are_marked_as_seen_in_training_or_not(download, short, tmp_path):
    other = short[1].replace("bin", "set")
    for code, align, split in (
        ("bbaf2n", short[1], "train"),
        ("lwae9s", short[1], "test"),
        ("pgba1p", other, "test"),
    ):
        download.add(code, short[0], align, split=split)
    summary = prepare_grid(download.root, tmp_path / "store", workers=0)
    assert (summary.test, summary.seen) == (2, 1)
    grid = open_grid(tmp_path / "store")
    assert grid.load("s1/lwae9s").seen is True
    assert grid.load("s1/pgba1p").seen is False
    # a store from before sentences were kept says that it does not know, until it is prepared again
    path = tmp_path / "store" / "manifest.json"
    data = json.loads(path.read_text())
    for entry in data["clips"].values():
        del entry["sentence"]
    path.write_text(json.dumps(data))
    assert open_grid(tmp_path / "store").load("s1/lwae9s").seen is None
    again = prepare_grid(download.root, tmp_path / "store", workers=0)
    assert (again.done, again.kept, again.fingerprint) == (0, 3, summary.fingerprint)
    assert open_grid(tmp_path / "store").load("s1/lwae9s").seen is True


def test_a_dry_run_tells_all_and_writes_nothing(download, short, tmp_path):
    store = tmp_path / "store"
    for code in ("bbaf2n", "lwae9s"):
        download.add(code, *short)
    download.add("pgba1p", short[0], None, split="test")
    download.add("unlisted", *short, split=None)
    download.lists["test"].append("s1/video/mpg_6000/gone99")
    download.add("swwz9s", *short)
    found = survey(find_grid(download.root), store)
    assert not store.exists()
    assert (found.corpus, found.layout, found.clips, found.speakers) == ("grid", FLAT, 5, ("s1",))
    assert (found.train, found.test, found.unlisted) == (3, 1, ("s1/unlisted",))
    assert (found.unlabelled, found.absent) == (("s1/pgba1p",), 1)
    assert (found.to_prepare, found.kept, set(found.skipped)) == (4, 0, {"s1/unlisted"})
    prepare_grid(download.root, store, workers=0, limit=2)
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    found = survey(find_grid(download.root), store, limit=3)
    assert (found.clips, found.to_prepare, found.kept) == (5, 1, 2)
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before
    with pytest.raises(StoreError, match="Give the options of this store, another store folder"):
        survey(find_grid(download.root, split="random"), store)

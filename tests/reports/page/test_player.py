"""What the page's player is given, and what it is told to be absent."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from lipbench.corpora.video import write_video
from lipbench.reports.page.player import MAX_LISTED, load_player
from lipbench.reports.page.sprite_sheet import MAX_FRAMES
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.quality import quality_tables


def tables_of(*records):
    return quality_tables(records, collect_names(records))


def player_of(tables, run, **options):
    look = SimpleNamespace(color="#0072B2", dash="--")
    style = {row.label: look for table in tables for row in table.models}
    return load_player(tables, run, style=style, **options)


def write(path, frames=6):
    write_video(np.full((frames, 16, 16, 3), 90, np.uint8), path, 25.0, lossless=True)


def kept(make, run, name="hh_t2l", *, n=4, real=True, aperture=True, frames=6, **more):
    """A record with kept clips and their files."""
    folder = f"generated/{name}-{more.get('durations', 'predicted')}"
    scores, index = [], {}
    for score in make.clips(name, n):
        file = f"{score.utterance.replace('/', '_')}.mkv"
        write(run / folder / file, frames)
        index[score.utterance] = {"file": file, "durations": None}
        if real:
            write(run / "real" / file, frames)
            index[score.utterance]["real"] = f"real/{file}"
        curves = {"aperture": [1.0, None, 2.345], "aperture_truth": [3.0] * 3} if aperture else {}
        scores.append(score.model_copy(update={"frames": frames, "generated_frames": frames, **curves}))
    (run / folder / "clips.json").write_text(json.dumps(index))
    record = make.quality(name, scores=scores, **more)
    return record.model_copy(update={"result": record.result.model_copy(update={"generated": folder})})


def test_a_clip_has_the_truth_first_and_every_model_with_its_curve(make, tmp_path):
    records = [kept(make, tmp_path), kept(make, tmp_path, "dual_lip"), make.quality("first_frame")]
    player = player_of(tables_of(*records), tmp_path)
    (board,) = player.boards
    assert [system["label"] for system in board["systems"]] == ["HH-T2L", "DualLip"]
    play = next(clip["play"] for clip in board["clips"] if clip["play"])
    assert len(play["sides"]) == 3
    assert [side["aperture"] for side in play["sides"]] == [[3.0] * 3, [1.0, None, 2.35], [1.0, None, 2.35]]
    assert sorted(side["sheet"] for clip in board["clips"] for side in clip["play"]["sides"]) == list(range(12))
    assert len(player.sheets) == 12
    assert not [note for note in player.notes if "not" in note or "No " in note]


def test_the_real_clip_is_packed_once_for_all_tables(make, tmp_path):
    records = [kept(make, tmp_path, durations=durations) for durations in ("true", "predicted")]
    player = player_of(tables_of(*records), tmp_path, limit=8)
    assert len(player.sheets) == 2 * 4 + 4


def test_the_limit_is_of_all_tables_together(make, tmp_path):
    records = [kept(make, tmp_path, durations=durations) for durations in ("true", "predicted")]
    player = player_of(tables_of(*records), tmp_path, limit=3)
    assert [sum(clip["play"] is not None for clip in board["clips"]) for board in player.boards] == [2, 1]
    assert "3 of 8 clips can be played" in player.notes[0]


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        (
            {"real": False},
            "The ground truth was not kept: these records are older than that. Evaluate again to have it.",
        ),
        ({"aperture": False}, "There are no curves of the mouth's opening: the records are older than these"),
        ({"frames": MAX_FRAMES + 1}, f"Of longer clips the first {MAX_FRAMES} frames are shown."),
    ],
)
def test_what_is_absent_is_said(make, tmp_path, facts, note):
    player = player_of(tables_of(kept(make, tmp_path, n=2, **facts)), tmp_path)
    assert [said for said in player.notes if said.startswith(note)]
    whole = player_of(tables_of(kept(make, tmp_path / "whole", n=2)), tmp_path / "whole")
    assert not [said for said in whole.notes if said.startswith(note)]


def test_a_damaged_clip_is_told_and_the_others_are_shown(make, tmp_path):
    record = kept(make, tmp_path)
    (tmp_path / "generated" / "hh_t2l-predicted" / "s1_clip002.mkv").write_bytes(b"no video" * 99)
    (tmp_path / "generated" / "hh_t2l-predicted" / "s1_clip003.mkv").unlink()
    player = player_of(tables_of(record), tmp_path)
    clips = {clip["id"]: clip["play"]["sides"] for clip in player.boards[0]["clips"]}
    assert clips["s1/clip000"][1]["sheet"] is not None
    assert clips["s1/clip002"][0]["sheet"] is not None
    assert clips["s1/clip002"][1]["sheet"] is None
    (note,) = [note for note in player.notes if note.startswith("Some clips of HH-T2L cannot be shown")]
    assert "decoded" in note
    assert "not there" in note


def test_without_kept_clips_there_is_a_list_and_the_reason(make, tmp_path):
    player = player_of(tables_of(make.quality("hh_t2l", n=9)), tmp_path)
    assert len(player.boards[0]["clips"]) == 9
    assert player.notes[0].startswith(
        "None of 9 clips can be played; their values are in the list. lipbench evaluate keeps"
    )
    assert player.notes[1] == "No clips of HH-T2L: none were kept."
    assert player.boards[0]["unplayed"] == "none were kept"


def test_models_without_clips_for_one_reason_are_told_together(make, tmp_path):
    records = [kept(make, tmp_path, name) for name in ("hh_t2l", "dual_lip")]
    shutil.rmtree(tmp_path / "generated")
    player = player_of(tables_of(*records, make.quality("transformer_t2l")), tmp_path)
    assert player.notes[1:] == [
        "No clips of HH-T2L and DualLip: they are not beside the records, where generated/ should be.",
        "No clips of TransformerT2L: none were kept.",
    ]


def test_clips_that_have_no_place_are_not_said_to_be_lost(make, tmp_path):
    player = player_of(tables_of(kept(make, tmp_path)), tmp_path, limit=0)
    assert player.boards[0]["unplayed"] == "clips=0 left no place for one of this table"
    assert player.notes == ["None of 4 clips can be played; their values are in the list. lipbench report RUN clips=N "
                            "sets how many."]  # fmt: skip
    player = player_of(tables_of(kept(make, tmp_path)), tmp_path)
    assert player.boards[0]["unplayed"] is None


def test_without_models_there_is_no_player(make, tmp_path):
    assert player_of(tables_of(make.quality("first_frame")), tmp_path) is None
    assert player_of([], tmp_path) is None


def test_a_long_list_is_thinned_out_and_keeps_what_plays(make, tmp_path):
    record = kept(make, tmp_path)
    few = list(record.result.clips)
    many = [few[0].model_copy(update={"utterance": f"t/{i:05d}"}) for i in range(MAX_LISTED + 500)]
    record = record.model_copy(update={"result": record.result.model_copy(update={"clips": [*many, *few]})})
    board = player_of(tables_of(record), tmp_path).boards[0]
    assert len({clip["id"] for clip in board["clips"]}) == len(board["clips"]) <= MAX_LISTED
    assert sum(clip["play"] is not None for clip in board["clips"]) == 4


def test_values_that_json_has_no_word_for_are_still_told_apart(make, tmp_path):
    scores = [
        score.model_copy(update={"values": score.values | {"psnr": value}})
        for score, value in zip(make.clips("hh_t2l", 3), (float("inf"), float("nan"), 30.123456789), strict=True)
    ]
    player = player_of(tables_of(make.quality("hh_t2l", scores=scores)), tmp_path)
    (board,) = player.boards
    place = [metric["name"] for metric in board["metrics"]].index("psnr")
    assert [clip["values"][0][place] for clip in board["clips"]] == ["Infinity", None, 30.1235]
    json.dumps(player.for_page(), allow_nan=False)

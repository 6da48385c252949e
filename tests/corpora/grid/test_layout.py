from pathlib import Path

import pytest

from lipbench.corpora.grid.layout import FLAT, UNZIPPED, assign_splits, describe_layout, find_clips, read_split_lists
from lipbench.errors import UserError

GRID = Path(__file__).parents[4] / "shared" / "data" / "grid"


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def lists(root, train, test, names=("overlap_train.txt", "overlap_test.txt")):
    (root / "splits").mkdir(exist_ok=True)
    for name, clips in zip(names, (train, test), strict=True):
        (root / "splits" / name).write_text("".join(f"{clip}\n" for clip in clips))


def test_both_layouts_are_found(tmp_path):
    touch(
        tmp_path / "s10" / "video" / "mpg_6000" / "bbaf2n.mpg",
        tmp_path / "s10" / "align" / "bbaf2n.align",
        tmp_path / "s2" / "lwae9s.mpg",
        tmp_path / "alignments" / "s2" / "lwae9s.align",
        tmp_path / "s2" / "notes.txt",
        tmp_path / "other" / "bbaf2n.mpg",
    )
    clips = find_clips(tmp_path)
    assert [clip.id for clip in clips] == ["s2/lwae9s", "s10/bbaf2n"]
    assert clips[0].alignment == tmp_path / "alignments" / "s2" / "lwae9s.align"
    assert clips[1].alignment == tmp_path / "s10" / "align" / "bbaf2n.align"
    assert (clips[1].talker, clips[1].code) == ("s10", "bbaf2n")
    assert describe_layout(clips) == f"{FLAT} (1 clips); {UNZIPPED} (1 clips)"
    assert describe_layout(clips[:1]) == FLAT


def test_a_clip_in_two_qualities_counts_once(tmp_path):
    touch(tmp_path / "s1" / "video" / "mpg_6000" / "bbaf2n.mpg", tmp_path / "s1" / "video" / "a_low" / "bbaf2n.mpg")
    (clip,) = find_clips(tmp_path)
    assert clip.video.parent.name == "mpg_6000"
    assert not clip.alignment.exists()


def test_a_folder_without_grid_is_refused(tmp_path):
    with pytest.raises(UserError, match="there is no GRID folder"):
        find_clips(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"s1/\*\.mpg with alignments"):
        find_clips(tmp_path)


def test_published_lists_are_read(tmp_path):
    lists(tmp_path, ["s1/video/mpg_6000/bbaf2n", ""], ["s1/video/mpg_6000/lwae9s.mpg", "s2/bbaf2n"])
    expected = {"s1/bbaf2n": "train", "s1/lwae9s": "test", "s2/bbaf2n": "test"}
    assert read_split_lists(tmp_path, "public") == expected


def test_the_published_name_of_the_test_list_will_do(tmp_path):
    lists(tmp_path, ["s1/bbaf2n"], ["s1/lwae9s"], ("overlap_train.txt", "overlap_val.txt"))
    assert read_split_lists(tmp_path, "public")["s1/lwae9s"] == "test"


def test_missing_lists_say_where_to_get_them(tmp_path):
    with pytest.raises(UserError, match=r"LipNet-PyTorch.*split=random"):
        read_split_lists(tmp_path, "public")


def test_bad_lists_are_refused(tmp_path):
    lists(tmp_path, ["s1/bbaf2n"], ["s1/bbaf2n"])
    with pytest.raises(UserError, match="stands in both"):
        read_split_lists(tmp_path, "public")
    lists(tmp_path, ["s1/bbaf2n", "what is this"], [])
    with pytest.raises(UserError, match="line 2"):
        read_split_lists(tmp_path, "public")


def test_a_clip_in_no_list_has_no_split(tmp_path):
    touch(tmp_path / "s1" / "bbaf2n.mpg", tmp_path / "s1" / "lwae9s.mpg")
    found = assign_splits(find_clips(tmp_path), {"s1/bbaf2n": "test"})
    assert found == {"s1/bbaf2n": "test", "s1/lwae9s": None}


def test_the_random_draw_depends_on_clip_and_seed_alone(tmp_path):
    touch(*(tmp_path / "s1" / f"clip{number:04d}.mpg" for number in range(1000)))
    clips = find_clips(tmp_path)
    drawn = assign_splits(clips, None, seed=3)
    assert assign_splits(clips[500:], None, seed=3) == {clip.id: drawn[clip.id] for clip in clips[500:]}
    assert assign_splits(clips, None, seed=4) != drawn
    # four standard deviations of a binomial with p = 0.255
    assert abs(list(drawn.values()).count("test") - 255) < 4 * (1000 * 0.255 * 0.745) ** 0.5


@pytest.mark.skipif(not GRID.is_dir(), reason="the GRID sample is not beside the repository")
def test_the_public_lists_hold_255_test_sentences_per_talker():
    assigned = read_split_lists(GRID, "public")
    talkers = {clip.partition("/")[0] for clip in assigned}
    assert len(talkers) == 33
    # field research: 24,408 for training, 8,415 for testing
    assert len(assigned) == 24_408 + 8_415
    tests = [clip.partition("/")[0] for clip, split in assigned.items() if split == "test"]
    assert all(tests.count(talker) == 255 for talker in talkers)
    unseen = read_split_lists(GRID, "unseen")
    tested = {clip.partition("/")[0] for clip, split in unseen.items() if split == "test"}
    trained = {clip.partition("/")[0] for clip, split in unseen.items() if split == "train"}
    assert tested == {"s1", "s2", "s20", "s22"}
    assert len(trained) == 29
    assert not tested & trained
    assert sum(split == "test" for split in unseen.values()) == 3_986

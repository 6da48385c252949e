"""What a length rule did is summed, shown, and not made up where it is not recorded."""

import pytest

from lipbench.records.quality import LengthEffect, ProtocolFacts, changed_lengths, total_effect
from lipbench.reports.formatting import escape
from lipbench.reports.markdown.length_rule import length_note, length_table
from lipbench.reports.markdown.quality import metric_tables
from lipbench.reports.markdown.quality_notes import quality_notes
from lipbench.reports.tables.csv import quality_frame
from lipbench.reports.tables.labels import collect_names
from lipbench.reports.tables.quality import quality_tables


def of_lengths(make, name, effects):
    """Clips of 75 frames with these effects of a length rule."""
    clips = [
        clip.model_copy(update={"length": effect, "generated_frames": clip.frames if effect is None else generated})
        for clip, (generated, effect) in zip(make.clips(name, len(effects)), effects, strict=True)
    ]
    return make.quality(name, scores=clips)


def table_of(records):
    (table,) = quality_tables(records, collect_names(records))
    return table


LATE = [
    (79, LengthEffect(scored=75, preds_dropped=4)),
    (73, LengthEffect(scored=73, target_dropped=2)),
    (78, LengthEffect(scored=75, preds_dropped=3)),
    (75, None),
]


def test_clips_and_frames_are_counted_by_model(make):
    text = length_table(table_of([of_lengths(make, "hh_t2l", LATE), of_lengths(make, "dual_lip", [(75, None)] * 4)]))
    assert text is not None
    assert [column.title for column in text.columns] == [
        "Clips of another length", "Clips", "Length", "Generated frames left out", "Real frames left out",
    ]  # fmt: skip
    ours, rival = ([cell.plain for cell in row.cells] for row in text.rows)
    assert ours[:4] == [
        ("HH-T2L",),
        ("3 of 4", "2 longer, 1 shorter"),
        ("+1.7", "from −2 to +4"),  # (4 - 2 + 3) / 3
        ("2.33", "7 frames in all"),
    ]
    assert ours[4][1] == "2 frames in all"
    assert rival == [("DualLip",), ("0 of 4",), ("–",), ("–",), ("–",)]


def test_it_is_a_part_of_the_quality_table_and_of_its_csv(make):
    table = table_of([of_lengths(make, "hh_t2l", LATE), make.quality("first_frame", n=4)])
    assert metric_tables(table)[-1] == length_table(table)
    frame = quality_frame(table).set_index("system")
    assert frame.clips_of_another_length.to_dict() == {"hh_t2l": 3, "first_frame": 0}
    assert frame.length_preds_dropped.to_dict() == {"hh_t2l": 7, "first_frame": 0}
    assert any("the rule “truncate”" in note for note in quality_notes(table))


def test_frames_that_are_compared_again_have_columns_of_their_own(make):
    held = [(70, LengthEffect(scored=75, preds_repeated=5))] * 3
    text = length_table(table_of([of_lengths(make, "hh_t2l", held)]))
    assert text is not None
    assert [column.title for column in text.columns[3:]] == ["Generated frames compared again"]


def test_nothing_is_shown_where_nothing_differs(make):
    table = table_of([of_lengths(make, "hh_t2l", [(75, None)] * 4)])
    assert length_table(table) is None
    assert "no rule for unequal lengths was needed" in str(length_note(table))
    assert length_note(table_of([make.quality("hh_t2l", durations="true")])) is None


def test_an_older_record_does_not_tell_what_was_left_out(make):
    scores = [clip.model_copy(update={"length": None, "generated_frames": 80}) for clip in make.clips("hh_t2l", 4)]
    old = ProtocolFacts(name="paper", fingerprint="aa" * 32, summary="")
    records = [make.quality("hh_t2l", scores=scores, protocol=old), of_lengths(make, "dual_lip", LATE)]
    assert total_effect(scores) is None
    text = length_table(table_of(records))
    assert text is not None
    assert [cell.text for cell in text.rows[0].cells[3:]] == ["not recorded", "not recorded"]
    assert "its summary under Provenance" in str(length_note(table_of(records[:1])))


def test_warping_changes_clips_of_equal_length_too(make):
    warped = make.clips("hh_t2l", 1)[0].model_copy(
        update={"length": LengthEffect(scored=80, preds_repeated=5, target_repeated=5)}
    )
    assert changed_lengths([warped]) == [warped]
    effect = total_effect([warped, warped])
    assert effect is not None
    assert (effect.scored, effect.preds_repeated) == (160, 10)


@pytest.mark.parametrize("rule", ["<b>", "own|rule"])
def test_a_rule_that_is_not_known_is_named_as_it_is(make, rule):
    protocol = ProtocolFacts(name="own", fingerprint="aa" * 32, summary="", length=rule)
    scores = [clip.model_copy(update={"generated_frames": 80}) for clip in make.clips("hh_t2l", 4)]
    note = length_note(table_of([make.quality("hh_t2l", scores=scores, protocol=protocol)]))
    assert note is not None
    assert f"the rule “{escape(rule)}” of" in note
    assert rule not in note

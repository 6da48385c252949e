"""What must be said beneath a table so that its numbers are read for what they are."""

from __future__ import annotations

from lipbench.reports.formatting import escape, join_words, paper_number, size_text
from lipbench.reports.markdown.length_rule import length_note
from lipbench.reports.paper import QualityCondition, load_paper, uses_adversarial_loss, uses_ssim_loss
from lipbench.reports.tables.quality import QualityTable
from lipbench.statistics.intervals import MIN_CLUSTERS, TOO_SMALL


def incomparable_reason(frame_size: tuple[int, int] | None) -> str | None:
    """Why paper values cannot be compared in absolute terms, or None if frames have the paper's size."""
    paper = load_paper()
    if frame_size == paper.frame_size:
        return None
    here = f"{size_text(frame_size)} pixels here" if frame_size else "the frame size here is not recorded"
    return f"not comparable in absolute terms: {here}, {size_text(paper.frame_size)} in the paper"


def quality_notes(table: QualityTable) -> list[str]:
    """Notes under a quality table, as markdown."""
    notes = [*_paper_notes(table), *_window_notes(table), _interval_note(table)]
    if any(cell.tied for row in table.rows for cell in row.cells.values()):
        notes.append(
            "Bold: the best model. Tied: the paired test does not tell it from the best (Holm-corrected p of 0.05 or "
            "more, see the differences), which does not prove them equal."
        )
    untrained = [row.label for row in table.models if row.untrained]
    if untrained:
        notes.append(f"Untrained, so these numbers are of random weights: {escape(join_words(untrained))}.")
    if not table.same_clips:
        notes.append("The rows were scored on different sets of clips: differences between them are partly that.")
    lengths = length_note(table)
    notes += [] if lengths is None else [lengths]
    notes += _cut_off_notes(table)
    if not table.controls:
        notes.append("No control was measured in this condition: nothing shows what a motionless mouth would score.")
    ratios = [metric.title for metric in table.metrics if metric.higher_is_better is None]
    if ratios:
        notes.append(
            f"↔: 1 is best ({escape(join_words(ratios))}); neither more nor less is better, so no row is marked."
        )
    return notes


def _paper_notes(table: QualityTable) -> list[str]:
    condition = table.condition
    if condition is None or not table.shows_paper:
        return [_other_split(table)] if table.other_split else []
    beside = f"*Paper*: {condition.source}; its test set was {condition.test_set}."
    notes = [f"{beside} {condition.remark}" if condition.remark else beside, *_variants(table, condition)]
    notes.append(
        "In brackets behind a value of the paper: ours minus it. The paper does not state its metric protocol."
    )
    if condition.split_option is not None:
        option = table.split_option
        notes.append(
            f"The clips scored are the test split of a store prepared with split={escape(option)}."
            if option
            else "The record does not tell how the store was split: its test split may not be the paper's."
        )
    reason = incomparable_reason(table.frame_size)
    return [*notes, f"**Paper values are {reason}.**"] if reason else notes


def _window_notes(table: QualityTable) -> list[str]:
    """Around what the crops were cut, if the store's options tell: it moves every score (docs/corpora.md)."""
    stabilise = table.corpus.options.get("stabilise")
    note = {
        "clip": "Crops have one window per clip (stabilise=clip): every error includes the head's own way.",
        "frame": "Each crop is cut around its own mouth (stabilise=frame): scores are not comparable with those of one "
        "window per clip.",
    }.get(str(stabilise))
    return [] if note is None else [note]


def _cut_off_notes(table: QualityTable) -> list[str]:
    """Which models found no end to some clips: one such clip may decide a mean of lengths."""
    hit = [(row.label, sum(clip.cut_off for clip in row.scores), row.clips) for row in table.models]
    clip_texts = [f"{escape(label)} in {count} of {clips} clips" for label, count, clips in hit if count]
    return (
        [f"Without a stop token until the longest length that the model may make: {join_words(clip_texts)}."]
        if clip_texts
        else []
    )


def _other_split(table: QualityTable) -> str:
    """Why the paper's table of this corpus and mode does not stand beside ours."""
    paper_condition = load_paper().condition(table.corpus.name, table.durations)
    our_split = escape(table.corpus.split)
    if table.corpus.split == "test" and table.split_option:
        our_split += f" of a store prepared with split={escape(table.split_option)}"
    paper_split = f"test ({paper_condition.test_set})" if paper_condition else "test"
    return f"No value of the paper stands beside ours: its split is {paper_split}, this is {our_split}."


def _variants(table: QualityTable, condition: QualityCondition) -> list[str]:
    """Which of the paper's variants stand beside our rows and why, and the values of those that found no place."""
    if not any(row.variant for row in condition.rows):
        return _losses(table)
    labels_by_variant: dict[tuple[str, bool | None, bool], list[str]] = {}
    for row in table.models:
        if row.entry is not None:
            recipe = row.system.training.recipe if row.system and row.system.training else None
            labels_by_variant.setdefault(
                (row.entry.variant or "", uses_ssim_loss(recipe), uses_adversarial_loss(recipe)), []
            ).append(row.label)
    reason_by_match = {
        True: "trained with the SSIM loss, as its recipe says",
        False: "trained without the SSIM loss, as its recipe says",
        None: "the best by PSNR, SSIM and LMD, as the record does not tell which losses trained ours",
    }
    notes = [
        f"Beside {escape(join_words(labels))} stands the paper's {escape(variant)}: {reason_by_match[match_reason]}"
        f"{', with the discriminator' if adversarial else ''}."
        for (variant, match_reason, adversarial), labels in labels_by_variant.items()
    ]
    shown_variants = {variant for variant, _, _ in labels_by_variant}
    texts = []
    for row in condition.rows:
        values = [f"{m.title} {paper_number(row.values[m.name])}" for m in table.metrics if m.name in row.values]
        if row.variant not in shown_variants and values:
            texts.append(f"{row.variant}: {', '.join(values)}")
    return [*notes, f"{condition.source} also has {escape('; '.join(texts))}."] if texts else notes


def _losses(table: QualityTable) -> list[str]:
    """Which of several trainings of a system the paper's one row stands beside."""
    notes: list[str] = []
    for name in dict.fromkeys(row.name for row in table.models):
        rows = [row for row in table.models if row.name == name]
        matching_labels = [row.label for row in rows if row.papers_losses]
        other = [row.label for row in rows if row.papers_losses is False]
        labels_without_value = [row.label for row in rows if row.entry is None]
        if matching_labels and labels_without_value:
            notes.append(
                f"The paper's value stands beside {escape(join_words(matching_labels))} alone, trained with the SSIM "
                "loss and the "
                f"discriminator as its section 4.3 says; not beside {escape(join_words(labels_without_value))}, "
                "trained "
                "with other losses."
            )
        elif other:
            verb = "was" if len(other) == 1 else "were"
            notes.append(
                "The paper trains with the SSIM loss and the discriminator (its section 4.3), "
                f"{escape(join_words(other))} {verb} trained with other losses: its value is for orientation."
            )
    return notes


def _interval_note(table: QualityTable) -> str:
    means = [cell.mean for row in table.rows for cell in row.cells.values()]
    units = {mean.unit for mean in means}
    note = f"[ ]: 95 % bootstrap interval of the mean over clips, resampled by {join_words(sorted(units)) or 'clip'}"
    if units == {"clip"}:
        reason = "there is one speaker, so it" if table.speakers else "the speakers are not known; it"
        note += f" because {reason} says nothing about others"
    small = sorted({mean.reason for mean in means if mean.reason and mean.reason.startswith(TOO_SMALL)})
    if small:
        note += f"; not given for fewer than {MIN_CLUSTERS} ({join_words(small)})"
    return f"{note}."

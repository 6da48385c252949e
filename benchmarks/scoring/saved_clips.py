"""Saved clips of a run, grouped so that they can be scored together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lipbench import corpora
from lipbench.benchmarks.scoring.files import read_index
from lipbench.corpora.utterance import Corpus
from lipbench.errors import UserError
from lipbench.records.files import load_records
from lipbench.records.quality import Quality
from lipbench.records.record import Cell


class SavedResult(NamedTuple):
    """One system's clips, as `lipbench evaluate` left them."""

    cell: Cell
    result: Quality
    folder: Path
    """The clips; the run's folder before `result.generated`."""


class SystemGroup(NamedTuple):
    """Systems that were scored on the same clips of the same corpus."""

    systems: list[SavedResult]
    ids: list[str]
    controls: list[str]
    """Controls that the run scored on them, in the order of its records."""

    def corpus(self) -> Corpus:
        """The truth.

        Raises:
            UserError: it is not there, or has changed since.
        """
        cell, result, _ = self.systems[0]
        assert cell.corpus is not None
        corpus = corpora.create(cell.corpus, **cell.corpus_options)
        if corpus.fingerprint != result.corpus.fingerprint:
            raise UserError(
                f"{cell.corpus} is not what these clips were scored on: its fingerprint is {corpus.fingerprint[:12]}, "
                f"theirs {result.corpus.fingerprint[:12]}",
                remedy="Evaluate again on the corpus as it is now",
            )
        return corpus

    def sizes(self) -> list[tuple[tuple[int, int] | None, list[SavedResult]]]:
        """The systems by frame size: controls are scored at each."""
        systems_by_size: dict[tuple[int, int] | None, list[SavedResult]] = {}
        for saved_result in self.systems:
            systems_by_size.setdefault(saved_result.result.system.frame_size, []).append(saved_result)
        return list(systems_by_size.items())


def find_saved_results(run: Path) -> list[SystemGroup]:
    """Find the clips that a run kept.

    Records that share their clips (as scored twice) count once, the oldest of them.

    Args:
        run: its folder.

    Raises:
        UserError: there is no such run, it kept no clips, or not all of a set.
    """
    records = sorted(load_records(run), key=lambda record: record.created)
    results = [(record.cell, record.result) for record in records if isinstance(record.result, Quality)]
    saved_results: dict[str, SavedResult] = {}
    for cell, result in results:
        if result.generated is not None and cell.corpus is not None:
            saved_results.setdefault(result.generated, SavedResult(cell, result, run / result.generated))
    if not saved_results:
        raise UserError(f"no record of {run} has kept clips", remedy="Evaluate again with keep_clips=true")
    groups: dict[str, SystemGroup] = {}
    for saved_result in saved_results.values():
        ids = list(read_index(saved_result.folder))
        key = json.dumps([_clips_of(saved_result.cell, saved_result.result), ids])
        controls = [
            c.system
            for c, r in results
            if c.role == "control" and _clips_of(c, r) == _clips_of(saved_result.cell, saved_result.result)
        ]
        group = groups.setdefault(key, SystemGroup([], ids, []))
        group.systems.append(saved_result)
        group.controls.extend(name for name in dict.fromkeys(controls) if name not in group.controls)
    return list(groups.values())


def keys_without_clips(run: Path, groups: Sequence[SystemGroup]) -> list[str]:
    """Keys of the run's models whose clips were not kept, under any protocol."""
    saved_names = {saved_result.result.system.name for group in groups for saved_result in group.systems}
    return sorted(
        record.cell.key
        for record in load_records(run)
        if record.cell.kind == "quality" and record.cell.role == "model" and record.cell.system not in saved_names
    )


def _clips_of(cell: Cell, result: Quality) -> list[Any]:
    corpus = result.corpus
    return [cell.corpus, cell.corpus_options, corpus.fingerprint, corpus.split, cell.limit]

"""Alignments: who says which word or phone when, from the files of four aligners, behind one function.

Example:
    >>> alignment = read_alignment(Path("alignments/s1/bbaf2n.align"))  # doctest: +SKIP
    >>> [word.label for word in alignment.words if word.label]  # doctest: +SKIP
    ['bin', 'blue', 'at', 'f', 'two', 'now']
"""

from __future__ import annotations

from pathlib import Path

from lipbench.corpora.alignments.alignment import SILENCE, Alignment, AlignmentError, LabelInterval, read_text
from lipbench.corpora.alignments.grid import read_grid
from lipbench.corpora.alignments.mlf import parse_block, read_blocks

__all__ = ["SILENCE", "Alignment", "AlignmentError", "LabelInterval", "read_alignment"]


def read_alignment(path: Path, *, utterance: str | None = None, speaker: str | None = None) -> Alignment:
    """Read an alignment in whatever format it is: GRID ``.align``, P2FA or MFA TextGrid, HTK ``.mlf``.

    The content decides; the extension only tells ``.align`` files, which have no mark of their own.

    Args:
        path: the file.
        utterance: which one, for a file that holds many (``.mlf``): the end of the name that the file gives it, without
            extension, such as "01M/Clips/straightcam/sa1". None if there is only one.
        speaker: whose, for an MFA file that holds several speakers.

    Raises:
        AlignmentError: the file is missing, empty, no text, of no known format or damaged, does not hold the utterance
            or speaker asked for, or intervals overlap beyond repair. The message says where.
    """
    head = read_text(path).lstrip().partition("\n")[0]
    if head.startswith("#!MLF!#"):
        return _of_many(path, utterance)
    if "ooTextFile" in head or path.suffix.lower() == ".textgrid":
        return _of_textgrid(path, speaker)
    if path.suffix.lower() == ".align":
        return read_grid(path)
    raise AlignmentError(f"the alignment {path.name} is of no known format (.align, TextGrid of P2FA or MFA, .mlf)")


def _of_many(path: Path, utterance: str | None) -> Alignment:
    blocks = read_blocks(path)
    matching_blocks = [b for b in blocks if utterance is None or f"/{b.name}".endswith(f"/{utterance}")]
    if len(matching_blocks) != 1:
        hint = (
            "say which utterance" if utterance is None else f"'{utterance}' stands there {len(matching_blocks)} times"
        )
        raise AlignmentError(f"the alignment {path.name} holds {len(blocks)} utterances: {hint}")
    return parse_block(matching_blocks[0])


def _of_textgrid(path: Path, speaker: str | None) -> Alignment:
    from lipbench.corpora.alignments.mfa import from_mfa, is_mfa
    from lipbench.corpora.alignments.p2fa import from_p2fa, is_p2fa
    from lipbench.corpora.alignments.textgrid import read_tiers

    tiers = read_tiers(path)
    if is_mfa(tiers):
        return from_mfa(tiers, path.name, speaker=speaker)
    if is_p2fa(tiers):
        return from_p2fa(tiers, path.name)
    tier_names = ", ".join(tiers) or "none"
    raise AlignmentError(f"the alignment {path.name} has neither P2FA's nor MFA's tiers, but: {tier_names}")

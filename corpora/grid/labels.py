"""What a GRID clip says, and when: from its ``.align`` file, or from a TextGrid, checked against the file's code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lipbench.corpora.alignments import Alignment, AlignmentError, read_alignment
from lipbench.corpora.alignments.durations import Level, TokenTimes, align_tokens
from lipbench.corpora.grid.vocabulary import WORDS, sentence_of_code
from lipbench.corpora.tokens import PHONES

FPS = 25.0


@dataclass(frozen=True, kw_only=True)
class GridLabels:
    """The labels of one clip. Follows `lipbench.corpora.preparation.film.Labels`."""

    code: str
    """The file's name, which spells the sentence."""
    speaker: str
    alignment: Path
    """The ``.align`` file, or a TextGrid."""
    level: Level
    wanted: str | None = None
    """What was asked for and is not there, so that `alignment` must do: it is noted, and an error for phones, which an
    ``.align`` file has not."""

    def content(self) -> bytes:
        """The file's content; nothing if it is missing.

        Raises:
            OSError: it is there and cannot be read.
        """
        return self.alignment.read_bytes() if self.alignment.is_file() else b""

    def read(self) -> Alignment:
        """Read the file.

        Raises:
            AlignmentError: it is missing or cannot be used.
        """
        if self.level == "phones" and self.wanted is not None:
            raise AlignmentError(f"there is no {self.wanted}, and phones need one")
        return read_alignment(self.alignment, speaker=self.speaker)

    def align(self, alignment: Alignment, n_frames: int) -> TokenTimes:
        """Fit the words to a video of so many frames.

        Raises:
            AlignmentError: a word, or more than one frame of silence, lies beyond the video, or a token is no word of
                GRID or no phone of ARPABET where these are the tokens.
        """
        times = align_tokens(alignment, self.level, n_frames, fps=FPS)
        symbols = {"words": WORDS, "phones": PHONES}.get(self.level)
        strange = sorted(set(times.tokens) - set(symbols)) if symbols else []
        if strange and self.level == "phones":
            raise AlignmentError(f"'{strange[0][:40]}' is no ARPABET phone")
        if strange:
            raise AlignmentError(f"GRID has no word '{strange[0][:40]}'")
        return times

    def remarks(self, times: TokenTimes) -> tuple[str, ...]:
        """Whether the text is what the file's code spells, and which source replaced the requested one."""
        remarks = []
        expected = sentence_of_code(self.code)
        if expected is None:
            remarks.append(f"'{self.code}' is no GRID file code, so the transcript could not be checked against it")
        elif expected != times.text:
            remarks.append(f"the file code says '{expected}', the alignment '{times.text}'")
        if self.wanted is not None:
            remarks.append(f"there is no {self.wanted}: durations are from {self.alignment.name}")
        return tuple(remarks)

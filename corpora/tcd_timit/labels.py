"""What a TCD-TIMIT clip says, and when: phones from the corpus' own labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lipbench.corpora.alignments import SILENCE, Alignment, AlignmentError
from lipbench.corpora.alignments.durations import Slack, TokenTimes, align_tokens
from lipbench.corpora.alignments.mlf import LabelBlock, parse_block
from lipbench.corpora.tokens import PHONE_SILENCE

FPS = 30000 / 1001

SLACK = Slack(speech_s=0.25, silence_s=math.inf)
"""The labels are known to run past the end of some videos, and the corpus' own users cut them there
(TCDTIMITprocessing). A quarter of a second is three or four phones; more is another clip's labels, or half a video."""


@dataclass(frozen=True, kw_only=True)
class PhoneLabels:
    """The labels of one clip. Follows `lipbench.corpora.preparation.film.Labels`."""

    clip: str
    """Its id, for messages."""
    blocks: tuple[LabelBlock, ...]
    """None if the label files do not have it, several if they contradict one another."""

    def content(self) -> bytes:
        """The labels as the file has them."""
        return "\n".join(line for block in self.blocks for line in block.lines).encode()

    def read(self) -> Alignment:
        """Parse them.

        Raises:
            AlignmentError: there are none or several, they are beyond repair, or a phone is none of TCD-TIMIT's.
        """
        if not self.blocks:
            raise AlignmentError(f"no label file has labels of {self.clip}")
        block, *others = self.blocks
        if others:
            places = ", ".join(f"{block.file} line {block.first_line}" for block in self.blocks)
            raise AlignmentError(f"{self.clip} is labelled in different ways: {places}")
        alignment = parse_block(block)
        strange = sorted({phone.label for phone in alignment.phones if phone.label != SILENCE} - set(PHONES))
        if strange:
            raise AlignmentError(f"{self.clip} is labelled with {strange[0][:20]!r}, which is no phone of TCD-TIMIT")
        return alignment

    def align(self, alignment: Alignment, n_frames: int) -> TokenTimes:
        """Fit the phones to a video of so many frames.

        Raises:
            AlignmentError: speech lies too far beyond the video.
        """
        return align_tokens(alignment, "phones", n_frames, fps=FPS, slack=SLACK)

    def remarks(self, times: TokenTimes) -> tuple[str, ...]:
        """Nothing: there is no transcript to check against."""
        return ()


PHONES: tuple[str, ...] = (
    PHONE_SILENCE,
    "aa", "ae", "ah", "aw", "ay", "b", "ch", "d", "dh", "eh", "er", "ey", "f", "g", "hh", "ih", "iy", "jh", "k", "l",
    "m", "n", "ng", "ow", "oy", "p", "r", "s", "sh", "t", "th", "uh", "uw", "v", "w", "y", "z",
)  # fmt: skip
"""Silence and 37 phones: ARPABET without stress, "ao" and "zh" (pyVSR, ``tcdtimit/htkconfigs/phonemes_dict``)."""

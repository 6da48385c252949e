"""How the words of synthetic sentences are pronounced.

The first pronunciation of each in the CMU Pronouncing Dictionary (https://github.com/cmusphinx/cmudict), in lower case
and without stress; single letters, as GRID has them, are said by their names.
"""

from __future__ import annotations

# fmt: off
PRONUNCIATIONS: dict[str, str] = {
    "a": "ey", "about": "ah b aw t", "again": "ah g eh n", "apple": "ae p ah l", "at": "ae t", "b": "b iy",
    "baby": "b ey b iy", "before": "b ih f ao r", "bin": "b ih n", "blue": "b l uw", "bottom": "b aa t ah m",
    "by": "b ay", "c": "s iy", "cover": "k ah v er", "d": "d iy", "daughter": "d ao t er", "e": "iy", "eight": "ey t",
    "evening": "iy v n ih ng", "f": "eh f", "family": "f ae m ah l iy", "father": "f aa dh er", "five": "f ay v",
    "follow": "f aa l ow", "four": "f ao r", "g": "jh iy", "garden": "g aa r d ah n", "green": "g r iy n",
    "h": "ey ch", "happy": "hh ae p iy", "house": "hh aw s", "i": "ay", "in": "ih n", "island": "ay l ah n d",
    "j": "jh ey", "jump": "jh ah m p", "k": "k ey", "kitchen": "k ih ch ah n", "l": "eh l", "laugh": "l ae f",
    "lay": "l ey", "m": "eh m", "moment": "m ow m ah n t", "morning": "m ao r n ih ng", "mother": "m ah dh er",
    "n": "eh n", "never": "n eh v er", "nine": "n ay n", "now": "n aw", "o": "ow", "one": "w ah n",
    "open": "ow p ah n", "over": "ow v er", "p": "p iy", "paper": "p ey p er", "people": "p iy p ah l",
    "place": "p l ey s", "please": "p l iy z", "problem": "p r aa b l ah m", "q": "k y uw", "quiet": "k w ay ah t",
    "r": "aa r", "red": "r eh d", "river": "r ih v er", "s": "eh s", "school": "s k uw l", "set": "s eh t",
    "seven": "s eh v ah n", "shadow": "sh ae d ow", "simple": "s ih m p ah l", "six": "s ih k s", "soon": "s uw n",
    "summer": "s ah m er", "t": "t iy", "table": "t ey b ah l", "three": "th r iy", "thumb": "th ah m",
    "travel": "t r ae v ah l", "two": "t uw", "u": "y uw", "under": "ah n d er", "v": "v iy", "value": "v ae l y uw",
    "very": "v eh r iy", "voice": "v oy s", "water": "w ao t er", "weather": "w eh dh er", "white": "w ay t",
    "window": "w ih n d ow", "with": "w ih dh", "wolf": "w uh l f", "x": "eh k s", "y": "w ay", "yellow": "y eh l ow",
    "z": "z iy", "zebra": "z iy b r ah", "zero": "z ih r ow",
}
# fmt: on
"""Word to phones of `lipbench.corpora.tokens.PHONES`, separated by spaces."""

"""Numbers and foreign text as table cells."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from decimal import Decimal

from lipbench.statistics.intervals import Interval

NO_VALUE = "–"
"""A cell that has no value."""

MOST_DECIMALS = 6
"""More are noise to a reader; the CSV files have every digit."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&$!])")
BREAK = "\u200b"
"""A space of no width: it parts what code hosts would make a link or a call of. No escape of markdown does: they look
for addresses and names in what markdown has become."""
_AUTOLINK = re.compile(r"(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=@)(?=\w)|(?<=#)(?=\d)", re.IGNORECASE)
""""https://", "www.", "@name" and mail addresses, "#12"."""


def number(value: float, decimals: int) -> str:
    """A number with a true minus sign; ``∞`` where it is infinite, a dash where there is none.

    Example:
        >>> number(-0.125, 2)
        '−0.12'
    """
    if math.isnan(value):
        return NO_VALUE
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.{decimals}f}"
    return _typeset(text if float(text.replace(",", "")) != 0 else text.lstrip("-"))


def signed(value: float, decimals: int) -> str:
    """A difference, with its sign always shown.

    Example:
        >>> signed(0.5, 1)
        '+0.5'
    """
    text = number(value, decimals)
    return f"+{text}" if value > 0 and text != NO_VALUE else text


def paper_number(value: Decimal) -> str:
    """A number of the paper's in the digits that it prints, trailing zeros included.

    Example:
        >>> paper_number(Decimal("1.980"))
        '1.980'
    """
    return _typeset(f"{value:,f}")


def _typeset(text: str) -> str:
    """A formatted number with narrow spaces, which do not break a line, between thousands, and a true minus sign."""
    return text.replace(",", "\u202f").replace("-", "−")


def decimals_for(values: Iterable[float]) -> int:
    """Decimals that give a column three or four digits: 28.74 dB, but 0.875, and 0.0034 where nothing is larger.

    Args:
        values: the column; infinite ones and nan are passed over.
    """
    sizes = [abs(value) for value in values if math.isfinite(value)]
    largest = max(sizes, default=0.0)
    if 0 < largest < 0.1:
        return min(MOST_DECIMALS, 2 - math.floor(math.log10(largest)))
    return 0 if largest >= 1000 else 2 if largest >= 10 else 3


def decimals_within(value: float, interval: Interval | None, least: int) -> int:
    """Decimals that a value and its interval need to be told from zero and from one another.

    Half of the interval's width has at least one digit that counts; two where the value or an end would read as zero
    and is not. A value without an interval has one digit that counts at least.

    Args:
        value: finite.
        interval: its own.
        least: so many at least, as for the other numbers of a column.

    Returns:
        `least` where the value's interval is narrower than `MOST_DECIMALS` can show; else at most `MOST_DECIMALS`, or
        `least` if that is more.

    Example:
        >>> decimals_within(0.0004, Interval(low=0.0001, high=0.0007), 3)
        4
    """
    numbers = [value] if interval is None else [value, interval.low, interval.high]
    width = abs(value) if interval is None else (interval.high - interval.low) / 2
    if not 10.0**-MOST_DECIMALS <= width < math.inf:
        return least  # what is smaller is the noise of sums as a rule
    first = -math.floor(math.log10(float(f"{width:.1g}")))  # 0.0096 is 0.01
    decimals = max(least, first)
    vanishes = any(number and not float(f"{number:.{decimals}f}") for number in numbers)
    return max(decimals, min(first + 1, MOST_DECIMALS)) if vanishes else decimals


def milliseconds(seconds: float) -> str:
    """Seconds as milliseconds with three digits, without the unit.

    Example:
        >>> milliseconds(0.02284)
        '22.8'
    """
    value = float(f"{seconds * 1000:.3g}")  # rounded first: 9.999 has as many decimals as 10
    return number(seconds * 1000, 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2)


def ratio_text(ratio: float) -> str:
    """A ratio such as ``13.1×``.

    Example:
        >>> ratio_text(0.4339)
        '0.43×'
    """
    return f"{number(ratio, 1 if ratio >= 10 else 2)}×"


def significant_digits(value: float, digits: int = 2) -> str:
    """A small number with so many digits that count, never in exponent form.

    Example:
        >>> significant_digits(0.00731)
        '0.0073'
    """
    if value == 0 or not math.isfinite(value):
        return number(value, 0)
    rounded_value = float(f"{value:.{digits}g}")  # 0.0996 has as many decimals as 0.10
    return number(value, max(0, digits - 1 - math.floor(math.log10(abs(rounded_value)))))


def range_text(low: str, high: str) -> str:
    """An interval from its two formatted ends."""
    return f"[{low}, {high}]"


def interval_text(interval: Interval | None, decimals: int) -> str | None:
    """An interval as text, or None where there is none."""
    return None if interval is None else range_text(number(interval.low, decimals), number(interval.high, decimals))


def size_text(frame_size: tuple[int, int]) -> str:
    """Height and width, such as ``40x80``."""
    return f"{frame_size[0]}x{frame_size[1]}"


def escape(text: str) -> str:
    r"""Foreign text (a message, a title, a machine's name) so that markdown and HTML take it literally, on one line.

    Addresses, names after @ and numbers after # get a `BREAK`, so that code hosts neither link them nor call anybody.

    Example:
        >>> escape("a|b\nc")
        'a\\|b c'
    """
    return literal(text).strip()


def literal(text: str) -> str:
    """The same with the spaces at its ends, for a piece of a line."""
    # the narrow space of our own numbers stays: it does not break a line
    return _SPECIAL.sub(r"\\\1", _AUTOLINK.sub(BREAK, re.sub(r"[^\S\u202f]+", " ", text)))


def code(text: str) -> str:
    """Foreign text without spaces (a digest, a commit) as code; what could end the code or its cell is dropped."""
    cleaned = re.sub(r"[`|\s]", "", text)
    return f"`{cleaned}`"


def shorten(text: str, width: int) -> str:
    """Text of at most `width` signs; an ellipsis, after a whole word if there is one, says that something is left out.

    Example:
        >>> shorten("no answer after 60 s", 12), shorten("incomprehensible", 8)
        ('no answer …', 'incompr…')
    """
    flat = " ".join(text.split())
    if len(flat) <= width:
        return flat
    words = flat[: width - 1].rpartition(" ")[0]
    return f"{words} …" if words else f"{flat[: width - 1]}…"


def join_words(parts: Iterable[str]) -> str:
    """Words as a list: ``a``, ``a and b``, ``a, b and c``."""
    words = list(parts)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def count(n: int, noun: str) -> str:
    """A number of things: ``1 clip``, ``3 clips``."""
    return f"{n} {noun}{'' if n == 1 else 's'}"

"""The text front end: token symbols to the integers that an embedding takes, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lipbench.errors import UserError

PADDING = 0
"""The id of padding, in every vocabulary."""


class UnknownSymbolError(UserError):
    """A text holds symbols that a vocabulary has not."""


class Vocabulary:
    """A fixed list of symbols; symbol i has the id i + 1, since 0 is padding.

    Args:
        symbols: distinct symbols in a stable order. It travels with every checkpoint.

    Raises:
        ValueError: a symbol stands twice, or there is none.

    Example:
        >>> Vocabulary(["|", "a", "b"]).encode(["|", "b", "|"])
        [1, 3, 1]
    """

    def __init__(self, symbols: Iterable[str]) -> None:
        self.symbols = tuple(symbols)
        self._ids = {symbol: index + 1 for index, symbol in enumerate(self.symbols)}
        if not self.symbols or len(self._ids) != len(self.symbols):
            raise ValueError("a vocabulary needs symbols, each once")

    @property
    def size(self) -> int:
        """Number of ids, padding included: what an embedding must hold."""
        return len(self.symbols) + 1

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Turn symbols into ids.

        Raises:
            UserError: there is no token.
            UnknownSymbolError: some symbols are not in the vocabulary; they are named.
        """
        if not tokens:
            raise UserError("the text is empty", remedy="Give at least one word")
        unknown = sorted({token for token in tokens if token not in self._ids})
        if unknown:
            symbol_list = ", ".join(repr(symbol) for symbol in unknown)
            raise UnknownSymbolError(
                f"the model has never seen {symbol_list}", remedy=f"Write the text with these: {' '.join(self.symbols)}"
            )
        return [self._ids[token] for token in tokens]

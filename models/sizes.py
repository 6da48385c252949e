"""Checks that the models' configurations share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def check_sizes(config: Any, *, positive: Sequence[str], odd: Sequence[str] = (), shares: Sequence[str] = ()) -> None:
    """Check fields of a configuration.

    Args:
        config: holds the fields.
        positive: whole numbers, or tuples of them, that must be at least 1.
        odd: kernels.
        shares: probabilities in [0, 1).

    Raises:
        ValueError: a field is out of its range.
    """
    for name in positive:
        value = getattr(config, name)
        for number in value if isinstance(value, tuple) else (value,):
            if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                raise ValueError(f"{name} must be whole and at least 1, not {value}")
    for name in odd:
        if getattr(config, name) % 2 == 0:
            raise ValueError(f"{name} must be odd, not {getattr(config, name)}")
    for name in shares:
        if not 0 <= getattr(config, name) < 1:
            raise ValueError(f"{name} must be at least 0 and below 1, not {getattr(config, name)}")


def check_levels(config: Any) -> None:
    """Check that a configuration's picture and channels fit one another.

    Raises:
        ValueError: they do not.
    """
    levels = len(config.identity_channels)
    if levels < 1 or len(config.image_channels) != levels + 1:
        raise ValueError("image_channels needs one entry more than identity_channels, which needs one")
    if config.height % 2**levels or config.width % 2**levels:
        raise ValueError(f"frames of {config.height} x {config.width} cannot be halved {levels} times")

"""The error of a run whose numbers are none any more."""

from __future__ import annotations

from models.errors import UserError


def lost(what: str, step: int, *, found: str = "", rate: str = "learning_rate") -> UserError:
    """Say what is lost, since which step, and how to train on.

    The same recipe would come to the same end, and its folder refuses another: hence another name.

    Args:
        what: the beginning of a sentence, up to its verb and with it: "the loss is".
        step: counted from 0, as everywhere in the logs.
        found: the values, if they tell more.
        rate: the recipe's option to lower.
    """
    return UserError(
        f"{what} not a number any more at step {step}{f' ({found})' if found else ''}",
        remedy=f"The last checkpoint is kept: train again with a lower training.{rate} "
        "and another name=NAME (or another out=), as a folder keeps to its recipe",
    )

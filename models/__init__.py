"""Text-to-lip models by name.

Example:
    >>> from lipbench import models
    >>> models.names()
    ['dual_lip', 'hh_t2l', 'transformer_t2l']
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from lipbench.errors import UserError
from lipbench.registry import Registry

if TYPE_CHECKING:
    from lipbench.models.contract import LipModel


# The two rivals live in baselines/, but a name is only a string: nothing is imported before it is asked for.
MODELS: Registry[Any] = Registry(
    "model",
    {
        "hh_t2l": "lipbench.models.hh_t2l.model:HHT2L",
        "dual_lip": "lipbench.baselines.dual_lip.model:DualLip",
        "transformer_t2l": "lipbench.baselines.transformer_t2l.model:TransformerT2L",
    },
    group="lipbench.models",
)


def names() -> list[str]:
    """Names of all registered models, sorted. Imports neither torch nor any model."""
    return MODELS.names()


def create(name: str, preset: str = "small", **options: Any) -> LipModel:
    """Build a model.

    Args:
        name: a name from `names`, or ``path/to/file.py:Class`` for a class that is registered nowhere.
        preset: "paper" (80 x 160), "small" (40 x 80) or "tiny" (20 x 40, for tests). A class without `from_preset`
            has no presets and takes the options alone.
        options: changes to the preset, such as ``vocabulary_size=40``.

    Returns:
        The model, freshly initialised from torch's random state.

    Raises:
        UnknownNameError: there is no such model, preset or option.
        UserError: the options do not fit together, or the class is no model.
    """
    target = MODELS.get(name)
    if hasattr(target, "from_preset"):
        model = target.from_preset(preset, **options)
    else:
        try:
            model = target(**options)
        except TypeError as error:
            raise UserError(f"the model '{name}' cannot be built: {error}", remedy="Mend its options") from error
    if not callable(getattr(model, "generate", None)):
        raise UserError(f"'{name}' is no model: it has no method generate(request)", remedy="See models/contract.py")
    return model


def check(name: str, preset: str = "small", **options: Any) -> None:
    """Find a wrong name, preset or option before anything long begins.

    Raises:
        UnknownNameError: there is no such model, preset or option.
        UserError: the options do not fit together.
    """
    if hasattr(MODELS.get(name), "from_preset"):
        create(name, preset, **options)


def is_trainable(name: str) -> bool:
    """Whether a model can be trained: its class has a `forward` that takes a ``batch``, or a ``lesson`` as in 0.1.

    Args:
        name: a name from `names`, or ``path/to/file.py:Class``.

    Raises:
        UnknownNameError: there is no such model.
    """
    forward = getattr(MODELS.get(name), "forward", None)
    return callable(forward) and not {"batch", "lesson"}.isdisjoint(inspect.signature(forward).parameters)

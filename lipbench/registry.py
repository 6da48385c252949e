"""A lazy, typed table of names: listing imports nothing heavy, an unknown name suggests the nearest one.

Three ways in, in this order: the built-in table, entry points of installed packages (group ``lipbench.models`` and the
like), and ``path/to/file.py:Class`` for something that is registered nowhere.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

from lipbench.errors import UnknownNameError, UserError


def resolve_names(selection: Sequence[str], registry: Registry[Any]) -> list[str]:
    """The names asked for; "all" stands for every registered one. Imports none of the things named.

    Raises:
        UnknownNameError: one of them is not registered (a ``file.py:Class`` need not be).
    """
    if list(selection) == ["all"]:
        return registry.names()
    for name in selection:
        if not is_path(name):
            registry.origin(name)
    return list(selection)


T = TypeVar("T")


class Registry(Generic[T]):
    """Names of one kind of thing, each with the ``module:attribute`` that holds it.

    Args:
        kind: what the things are, for messages ("model", "metric").
        builtin: name to ``module:attribute``.
        group: entry-point group in which other packages may register more; None for none.

    Example:
        >>> Registry("shape", {"square": "builtins:float"}).names()
        ['square']
    """

    def __init__(self, kind: str, builtin: Mapping[str, str], *, group: str | None = None) -> None:
        self.kind = kind
        self._group = group
        self._targets: dict[str, str] = {}
        self._plugins_read = group is None
        for name, target in builtin.items():
            self.add(name, target)

    def add(self, name: str, target: str) -> None:
        """Register one more name.

        Args:
            name: the name to use on the command line.
            target: ``module:attribute``, imported on first use.

        Raises:
            UserError: the name is taken, or the target has no colon.
        """
        if ":" not in target:
            raise UserError(f"'{target}' is no target for the {self.kind} '{name}'", remedy="Write module:attribute")
        if name in self._targets:
            raise UserError(
                f"two {self.kind}s are named '{name}': {self._targets[name]} and {target}",
                remedy="Rename one of them",
            )
        self._targets[name] = target

    def names(self) -> list[str]:
        """All registered names, sorted. Imports none of the things named."""
        self._read_plugins()
        return sorted(self._targets)

    def origin(self, name: str) -> str:
        """The ``module:attribute`` behind a name.

        Raises:
            UnknownNameError: nothing has this name.
        """
        self._read_plugins()
        if name not in self._targets:
            raise UnknownNameError(self.kind, name, self._targets)
        return self._targets[name]

    def get(self, name: str) -> T:
        """Import and return the thing.

        Args:
            name: a registered name, or ``path/to/file.py:Class``.

        Raises:
            UnknownNameError: nothing has this name.
            UserError: the file, or the attribute in it, does not exist, or its import failed.
        """
        if is_path(name):
            path, _, attribute = name.rpartition(":")
            return self._attribute(_load_file(self.kind, Path(path)), attribute, name)
        target = self.origin(name)
        module_name, _, attribute = target.partition(":")
        try:
            module = importlib.import_module(module_name)
        except Exception as error:
            # a plug-in may fail in any way while it is imported
            raise UserError(
                f"the {self.kind} '{name}' ({target}) cannot be imported: {type(error).__name__}: {error}",
                remedy="Install what it needs, or remove the package that registers it",
            ) from error
        return self._attribute(module, attribute, name)

    def _attribute(self, module: ModuleType, attribute: str, name: str) -> T:
        target_object: Any = getattr(module, attribute, None)
        if target_object is None:
            raise UserError(
                f"the {self.kind} '{name}' is not there: {module.__name__} has no '{attribute}'",
                remedy="Name a class or function of that module after the colon",
            )
        return cast("T", target_object)

    def _read_plugins(self) -> None:
        if self._plugins_read:
            return
        plugins = entry_points(group=cast("str", self._group))
        for point in plugins:
            if self._targets.get(point.name) != point.value:  # a second try meets what the first one added
                self.add(point.name, point.value)
        self._plugins_read = True


def short_name(name: str) -> str:
    """What a thing is called in records and folders: its name, or the class of ``path/to/file.py:Class``.

    Example:
        >>> short_name("mine.py:Still"), short_name("hh_t2l")
        ('Still', 'hh_t2l')
    """
    return name.rpartition(":")[2]


def is_path(name: str) -> bool:
    """Whether a name is ``path/to/file.py:Class`` rather than a registered one."""
    return name.rpartition(":")[0].endswith(".py")


def _load_file(kind: str, path: Path) -> ModuleType:
    if not path.is_file():
        raise UserError(f"the {kind} file {path} does not exist", remedy="Give the path of a Python file")
    module_name = f"lipbench_file_{path.stem}_{abs(hash(path.resolve())):x}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path} cannot be read as Python", remedy="Give the path of a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    # as if it were run: it may import its neighbours
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[module_name]
        raise UserError(
            f"the {kind} file {path} fails on import: {type(error).__name__}: {error}",
            remedy="Run it with python to see where",
        ) from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module

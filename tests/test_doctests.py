"""The examples in docstrings hold."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import lipbench

PACKAGE = Path(lipbench.__file__).parent
ROOMS = [path for path in PACKAGE.iterdir() if path.is_dir() and path.name not in ("conf", "__pycache__")]
FILES = [*PACKAGE.glob("*.py"), *(file for room in ROOMS for file in room.rglob("*.py"))]
MODULES = sorted(
    ".".join(("lipbench", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for file in FILES
    if ">>> " in file.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    assert len(MODULES) > 5

"""One name for one thing: classes, modules, and what is said of them."""

from __future__ import annotations

import ast
import collections
import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lipbench
from lipbench.corpora.preparation.pool import run_jobs

PACKAGE = Path(lipbench.__file__).parent
CHECKOUT = PACKAGE.parent
ROOMS = sorted(path.name for path in PACKAGE.iterdir() if path.is_symlink())

TWICE = """
import json, os, sys
files = {}
for name, module in list(sys.modules.items()):
    file = getattr(module, "__file__", None)
    if file and os.path.realpath(file).startswith(CHECKOUT) and "site-packages" not in file and "/tests/" not in file:
        files.setdefault(os.path.realpath(file), set()).add(id(module))
twice = sorted(file for file, modules in files.items() if len(modules) > 1)
"""
"""Files that are loaded as more than one module, in `twice`; it wants CHECKOUT."""


def sources() -> list[tuple[Path, ast.Module]]:
    folders = [PACKAGE / name for name in (*ROOMS, "records", "statistics")]
    files = [*PACKAGE.glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))]
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in files]


def public(node: ast.AST) -> list[ast.ClassDef | ast.FunctionDef]:
    kinds = (ast.ClassDef, ast.FunctionDef)
    return [part for part in getattr(node, "body", []) if isinstance(part, kinds) and part.name[0] != "_"]


def test_no_public_class_name_is_defined_twice():
    places = collections.defaultdict(list)
    for path, tree in sources():
        for part in public(tree):
            if isinstance(part, ast.ClassDef):
                places[part.name].append(str(path.relative_to(PACKAGE)))
    assert len(places) > 200
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_every_public_name_says_what_it_is():
    silent = []
    for path, tree in sources():
        parts = [("module", tree), *((part.name, part) for part in public(tree))]
        parts += [(f"{p.name}.{m.name}", m) for p in public(tree) if isinstance(p, ast.ClassDef) for m in public(p)]
        silent += [f"{path.relative_to(PACKAGE)}: {name}" for name, part in parts if not ast.get_docstring(part)]
    assert silent == []


def twice_in(code: str, *, cwd: Path, path: str | None = None) -> list[str]:
    """Files with two names after some code has run in a process of its own."""
    script = f"CHECKOUT = {str(CHECKOUT)!r}\n{code}\n{TWICE}\nprint(json.dumps(twice))"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PYTHONPATH": path} if path else {}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=cwd, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_the_check_sees_a_module_of_two_names():
    twice = twice_in("import lipbench.errors, errors", cwd=CHECKOUT, path=f"{CHECKOUT}:{PACKAGE}")
    assert [Path(file).name for file in twice] == ["errors.py"]


def test_this_pytest_knows_each_module_by_one_name():
    scope: dict[str, object] = {"CHECKOUT": str(CHECKOUT)}
    exec(TWICE, scope)
    assert scope["twice"] == []


def test_the_benchmarks_pytest_knows_each_module_by_one_name(tmp_path):
    plugin = tmp_path / "twice_plugin.py"
    plugin.write_text(
        f"CHECKOUT = {str(CHECKOUT)!r}\ndef pytest_collection_finish(session):\n"
        + "".join(f"    {line}\n" for line in TWICE.splitlines())
        + "    print('TWICE', json.dumps(twice))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "benchmarks/", "benchmarks/internals", "--collect-only", "-q", "-s",
         "-p", "twice_plugin"],
        cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": f"{CHECKOUT}:{tmp_path}"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "TWICE []" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("where", ["checkout", "elsewhere"])
def test_the_command_line_knows_each_module_by_one_name(where, tmp_path):
    code = "from lipbench.benchmarks.cli.main import main; main(['list'])"
    assert twice_in(code, cwd=CHECKOUT if where == "checkout" else tmp_path, path=str(CHECKOUT)) == []


def test_the_start_of_an_older_gate_knows_each_module_by_one_name(tmp_path):
    # lipbench 0.1 starts a revision by this name
    code = "import runpy, sys; sys.argv = ['x', 'list']\n"
    code += "try: runpy.run_module('benchmarks.cli', run_name='__main__')\nexcept SystemExit: pass"
    assert [file for file in twice_in(code, cwd=tmp_path, path=str(CHECKOUT)) if not file.endswith("__init__.py")] == []


def test_a_spawned_worker_knows_each_module_by_one_name():
    code = f"(lambda scope: (exec({TWICE!r}, scope), scope['twice'])[1])({{'CHECKOUT': {str(CHECKOUT)!r}}})"
    ((_, twice),) = run_jobs(eval, [code], workers=1, start=gc.collect)
    assert twice == []


def test_a_checkout_without_links_says_so_in_one_line(tmp_path):
    package = tmp_path / "lipbench"
    package.mkdir()
    for file in PACKAGE.glob("*.py"):
        (package / file.name).write_bytes(file.read_bytes())
    for room in ROOMS:
        (package / room).write_text(f"../{room}")  # as git writes a link where it may not make one
    done = subprocess.run(
        [sys.executable, "-P", "-m", "lipbench", "list"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    (line,) = done.stderr.strip().splitlines()
    assert "without its links" in line
    assert "core.symlinks" in line

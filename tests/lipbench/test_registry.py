from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from lipbench import models
from lipbench import registry as registry_module
from lipbench.errors import UnknownNameError, UserError
from lipbench.registry import Registry

ROOT = Path(__file__).resolve().parents[2]


def test_names_are_sorted_and_a_name_gives_its_thing():
    shapes: Registry[type] = Registry("shape", {"text": "builtins:str", "number": "builtins:int"})
    assert shapes.names() == ["number", "text"]
    assert shapes.get("number") is int


def test_a_miss_says_what_was_meant():
    with pytest.raises(UnknownNameError, match="Did you mean 'hh_t2l'"):
        models.create("hh_t2", "tiny")


def test_a_duplicate_is_an_error_that_names_both():
    shapes: Registry[type] = Registry("shape", {"number": "builtins:int"})
    with pytest.raises(UserError, match="builtins:int and builtins:float"):
        shapes.add("number", "builtins:float")


def test_a_target_needs_a_colon():
    with pytest.raises(UserError, match="module:attribute"):
        Registry("shape", {"number": "int"})


def test_entry_points_of_other_packages_are_found(monkeypatch):
    point = EntryPoint(name="fraction", value="fractions:Fraction", group="lipbench.shapes")
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [point] if group == "lipbench.shapes" else [])
    shapes: Registry[type] = Registry("shape", {}, group="lipbench.shapes")
    assert shapes.names() == ["fraction"]
    assert shapes.get("fraction").__name__ == "Fraction"


def test_a_plug_in_that_cannot_be_imported_is_named(monkeypatch):
    point = EntryPoint(name="broken", value="no_such_package_here:Thing", group="lipbench.shapes")
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [point])
    shapes: Registry[type] = Registry("shape", {}, group="lipbench.shapes")
    with pytest.raises(UserError, match=r"'broken'.*no_such_package_here"):
        shapes.get("broken")


def test_a_plug_in_may_not_take_a_name_that_is_taken(monkeypatch):
    point = EntryPoint(name="number", value="fractions:Fraction", group="lipbench.shapes")
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [point])
    shapes: Registry[type] = Registry("shape", {"number": "builtins:int"}, group="lipbench.shapes")
    with pytest.raises(UserError, match="two shapes are named 'number'"):
        shapes.names()


MODEL_FILE = """
class Grey:
    frame_size = (4, 8)

    def __init__(self, level=0.5):
        self.level = level

    def generate(self, request):
        raise AssertionError("not called here")
"""


def test_a_model_may_be_given_as_a_file_and_class(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MODEL_FILE)
    assert models.create(f"{file}:Grey", level=0.25).level == 0.25  # pyright: ignore


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (None, "Grey", "does not exist"),
        ("x = (", "Grey", "fails on import: SyntaxError"),
        (MODEL_FILE, "Gray", "has no 'Gray'"),
        ("class Grey: pass", "Grey", "no method generate"),
        (MODEL_FILE, "Grey(colour)", "has no"),
    ],
)
def test_a_file_that_is_no_model_says_why(tmp_path, content, name, says):
    file = tmp_path / "mine.py"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UserError, match=says):
        models.create(f"{file}:{name}")


def test_options_of_a_class_without_presets_are_checked(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MODEL_FILE)
    with pytest.raises(UserError, match="colour"):
        models.create(f"{file}:Grey", colour=3)


def test_listing_imports_no_torch():
    code = (
        "import sys, lipbench.models, lipbench.corpora, lipbench.metrics, lipbench.benchmarks.cells.plan;"
        "import lipbench.benchmarks.cli.main, lipbench.benchmarks.config.requests;"
        "lipbench.benchmarks.cli.main.main(['list']);"
        "lipbench.models.names(), lipbench.corpora.names(), lipbench.metrics.names();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_model_file_may_import_its_neighbours(tmp_path):
    (tmp_path / "neighbour_of_mine.py").write_text("LEVEL = 0.75\n")
    file = tmp_path / "mine.py"
    file.write_text("from neighbour_of_mine import LEVEL\n" + MODEL_FILE.replace("level=0.5", "level=LEVEL"))
    before = list(sys.path)
    assert models.create(f"{file}:Grey").level == 0.75  # pyright: ignore
    assert sys.path == before


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("class Net:\n    def generate(self, request): ...", False),
        ("class Net:\n    def generate(self, request): ...\n    def forward(self, text, image): ...", False),
        ("class Net:\n    def generate(self, request): ...\n    def forward(self, batch): ...", True),
    ],
)
def test_a_model_that_answers_batches_can_be_trained(tmp_path, body, expected):
    file = tmp_path / f"net{expected}{len(body)}.py"
    file.write_text(body)
    assert models.is_trainable(f"{file}:Net") is expected


def test_a_second_listing_after_a_clash_still_says_so(monkeypatch):
    points = [
        EntryPoint(name="number", value="fractions:Fraction", group="lipbench.shapes"),
        EntryPoint(name="later", value="fractions:Fraction", group="lipbench.shapes"),
    ]
    monkeypatch.setattr(registry_module, "entry_points", lambda group: points)
    shapes: Registry[type] = Registry("shape", {"number": "builtins:int"}, group="lipbench.shapes")
    for _ in range(2):
        with pytest.raises(UserError, match="two shapes are named 'number'"):
            shapes.names()

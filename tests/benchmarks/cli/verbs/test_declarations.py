"""What every verb declares of itself, and that the command line knows it from there alone."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from lipbench.benchmarks.cli import verbs
from lipbench.benchmarks.cli.main import main
from lipbench.benchmarks.config.composition import CONF
from lipbench.benchmarks.config.requests import BenchRequest, GateRequest, Request, verbatim
from lipbench.errors import UserError

HEAVY = ("torch", "lightning", "hydra", "omegaconf", "pandas", "matplotlib", "scipy", "cv2", "dlib")
FOLDER = Path(verbs.__file__).parent
VERBS = verbs.verbs()


def test_each_module_of_the_folder_is_a_verb_with_its_defaults_in_conf():
    modules = {path.stem for path in FOLDER.iterdir() if not path.name.startswith("_")}
    assert set(VERBS) == modules == {file.stem for file in CONF.glob("*.yaml")}


@pytest.mark.parametrize("name", VERBS)
def test_a_declaration_is_complete(name):
    verb = VERBS[name]
    assert verb.summary
    assert not verb.summary.endswith(".")
    assert verb.examples
    assert all(line.startswith((f"lipbench {name}", "# ")) for line in verb.examples)
    options = {field.alias or option for option, field in verb.request.model_fields.items()}
    assert issubclass(verb.request, Request)
    assert {*verb.positional, *verb.flags.values()} <= options
    assert all(verb.request.model_fields[option].annotation is bool for option in verb.flags.values())
    assert inspect.getdoc(verb.run)
    assert verb.claims is not None or (verb.check is None and not verb.measures_time), "only a sweep asks for these"


def test_no_two_verbs_have_one_place_and_a_flag_means_the_same_everywhere():
    assert len({verb.place for verb in VERBS.values()}) == len(VERBS)
    flags = {(flag, option) for verb in VERBS.values() for flag, option in verb.flags.items()}
    assert len({flag for flag, _ in flags}) == len(flags)


def test_importing_every_verb_loads_nothing_heavy():
    code = (
        "import sys; from lipbench.benchmarks.cli import main, verbs; assert verbs.verbs(); main.main(['--help']);"
        f"print(*sys.modules.keys() & {set(HEAVY)}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []


def test_a_new_verb_is_a_module_and_a_file_in_conf(tmp_path, monkeypatch, capsys):
    (tmp_path / "hello.py").write_text(
        "from lipbench.benchmarks.cli.verb import Verb\n"
        "from lipbench.benchmarks.config.requests import Request, Text\n"
        "class Hello(Request):\n    to: Text\n"
        "def run(request):\n    print('hello', request.to)\n"
        "VERB = Verb(summary='greet', examples=('lipbench hello',), place=1, request=Hello, run=run,"
        " positional=('to',))\n"
    )
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "hello.yaml").write_text("to: ??? # whom\n")
    monkeypatch.setattr(verbs, "__path__", [str(tmp_path)])
    monkeypatch.setattr("lipbench.benchmarks.config.composition.CONF", conf)
    verbs.verbs.cache_clear()
    try:
        assert main(["hello", "you, all of you"]) == 0
        assert main(["hello", "--help"]) == 0
    finally:
        verbs.verbs.cache_clear()
    shown = capsys.readouterr().out
    assert shown.startswith("hello you, all of you\nlipbench hello: greet\n")
    assert "  to: ??? # whom" in shown


def test_paths_and_marked_texts_are_taken_as_they_are_written():
    assert verbatim(BenchRequest) == {"out", "corpus.store"}
    own = {"base", "head", "base_records", "head_records", "noise", "summary", "trends"}
    assert verbatim(GateRequest) == verbatim(BenchRequest) | own
    assert verbatim(VERBS["doctor"].request) == {"inception_weights", "runs", "json"}
    assert verbatim(VERBS["list"].request) == {"model"}
    assert verbatim(VERBS["generate"].request) >= {"text", "identity", "model", "name", "checkpoint", "out", "runs"}
    assert verbatim(VERBS["score"].request) >= {"run", "generated", "reference", "title", "features"}


def test_a_verb_that_does_not_exist_is_one_clear_error():
    with pytest.raises(UserError, match="Did you mean 'train'"):
        verbs.get("trian")

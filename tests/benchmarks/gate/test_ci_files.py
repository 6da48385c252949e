from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = {"github-actions.yml": "vendor.github-workflows", "gitlab-ci.yml": "vendor.gitlab-ci"}
ZIZMOR = Path(sys.executable).with_name("zizmor")


def lint(file: Path, schema: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "schema"), FILES.items())
def test_the_ci_files_are_valid(name, schema):
    done = lint(ROOT / "ci" / name, schema)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_sees_a_broken_file(tmp_path):
    broken = tmp_path / "broken.yml"
    broken.write_text((ROOT / "ci" / "github-actions.yml").read_text().replace("runs-on:", "runs-at:"))
    assert lint(broken, FILES["github-actions.yml"]).returncode != 0


def audit(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ZIZMOR, "--offline", "--no-progress", "--config", ROOT / "ci" / "zizmor.yml", file],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_workflow_has_nothing_that_a_linter_for_workflows_finds():
    done = audit(ROOT / "ci" / "github-actions.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("whole", "broken", "found"),
    [
        ("run: make setup", "run: echo ${{ github.event.pull_request.title }}", "template-injection"),
        ("          persist-credentials: false\n", "", "artipacked"),
        ("actions/checkout@v4", "someone/checkout@v4", "unpinned-uses"),
    ],
)
def test_that_linter_sees_what_a_copy_may_get_wrong(whole, broken, found, tmp_path):
    text = (ROOT / "ci" / "github-actions.yml").read_text()
    assert whole in text
    (tmp_path / "broken.yml").write_text(text.replace(whole, broken))
    done = audit(tmp_path / "broken.yml")
    assert done.returncode != 0
    assert found in done.stdout + done.stderr


@pytest.mark.parametrize("name", FILES)
def test_their_words_are_words_of_the_gate(name):
    from lipbench.benchmarks.config.composition import request
    from lipbench.benchmarks.config.requests import GateRequest

    text = (ROOT / "ci" / name).read_text()
    assert set(GateRequest.model_fields) >= {"base", "preset", "frames", "summary", "out"}
    for word in ("base=", "preset=tiny", "frames=[25,75,137]", "summary=", "out=runs/gate"):
        assert word in text
    request("gate", GateRequest, ["base=x", "preset=tiny", "frames=[25,75,137]", "summary=s", "out=runs/gate"])

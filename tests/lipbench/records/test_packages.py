"""The versions beside the numbers."""

from __future__ import annotations

import platform
from importlib import metadata

from lipbench.benchmarks.cells import environment
from lipbench.records.packages import MEASURING, RECORDED, installed_versions


def test_versions_are_those_installed_and_what_is_not_there_is_left_out():
    assert installed_versions(["numpy", "no-such-package"]) == {"numpy": metadata.version("numpy")}


def test_a_record_names_every_package_that_can_change_a_number():
    software = environment.software()
    assert software.python == platform.python_version()
    assert software.packages == installed_versions(RECORDED)
    assert set(installed_versions(MEASURING)) <= set(software.packages)
    assert {"torch", "numpy", "scipy"} <= set(software.packages)

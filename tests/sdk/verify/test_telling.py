"""How `bodega verify` tells what it found: as a command, as a page, as tests of an author."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bodega_sdk.testing.conformance.rules import RULES

pytestmark = pytest.mark.slow
HOUSE = Path(__file__).parents[3]


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ``bodega verify`` as an author would."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-m", "bodega", "verify", *arguments],
        env=environ, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def test_the_command_ends_with_1_and_tells_programs_what_it_found(reports: Any) -> None:
    done = run("careless", "--engine", "sqlite", "--rule", "V10", "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["clean"] is False
    assert {item["rule"] for item in told["findings"]} >= {"V102", "V104", "V108"}
    assert all(item["title"] and item["remedy"] for item in told["findings"])
    assert told["rules"] == [f"V10{number}" for number in range(1, 10)]


def test_the_command_ends_with_0_when_nothing_is_found(reports: Any) -> None:
    done = run("loyal", "--rule", "V10")
    assert done.returncode == 0, done.stdout
    assert re.fullmatch(r"loyal 1.0.0\nloyal: clean: 9 rules kept, \d+\.\d s\n", done.stdout)


@pytest.mark.parametrize("arguments", [(), ("loyal", "--rule", "V999"), ("loyal", "--engine", "x")])
def test_a_wrong_call_ends_with_2(reports: Any, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).returncode == 2


def test_all_rules_can_be_listed() -> None:
    lines = run("--list").stdout.splitlines()
    assert lines == [f"{rule.id}  {rule.title}" for rule in RULES.values()]


def test_the_page_tells_of_every_rule_under_the_same_title() -> None:
    page = " ".join((HOUSE / "docs" / "verify.md").read_text().split())
    told = dict(re.findall(r"\*\*(V\d{3}) (.+?)\.?\*\*", page))
    plain = {rule: text.replace("`", "").rstrip(".") for rule, text in told.items()}
    assert plain.keys() == RULES.keys()
    assert {rule.id: rule.title for rule in RULES.values()} == plain


def test_it_is_a_set_of_tests_for_authors(reports: Any, tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    (tmp_path / "pytest.ini").write_text("[pytest]\nbodega_verify = careless\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--bodega-verify-engine", "sqlite", "-k", "V10"],
        cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout
    assert "FAILED bodega verify careless::V104" in done.stdout
    assert "Mend: Raise both." in done.stdout
    assert "8 failed, 1 passed" in done.stdout

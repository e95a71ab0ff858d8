"""Operators at once, on the command line and through the API: one works, all others are told."""

import getpass
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bodega import errors
from bodega.database.connection import open_databases
from bodega.settings import read_settings
from bodega_sdk.testing.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
HERE = Path(__file__).parent
SAMPLES = HERE.parent / "sample_addons"
#: Six that need nothing of each other, and one that can be held in its migration.
SIX = ("notes", "ledger", "shelves", "growing", "chores", "ballroom")
RACES = 6
#: Runs a command line and stops it where a function is reached, until it is told to go on.
HELD = """
import importlib, sys
from bodega.cli import main

module, name, *arguments = sys.argv[1:]
place = importlib.import_module(module)
real = getattr(place, name)

def held(*args, **kwargs):
    print("held", flush=True)
    sys.stdin.readline()
    return real(*args, **kwargs)

setattr(place, name, held)
main(arguments)
"""
#: Under the lock of operators, before and inside the transaction of the change.
BEFORE, INSIDE = ("bodega.addons.journal", "recover"), ("bodega.addons.steps", "settle")
ADVICE = "wait until it is done and try again"


def _install(site: Path, *names: str) -> None:
    """Install sample addons, as pip would."""
    for name in names:
        shutil.copytree(SAMPLES / name, site, dirs_exist_ok=True)
        info = site / f"bodega_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: bodega-{name}\nVersion: 1\n")
        entry = f"[bodega.addons]\n{name} = bodega_sample_{name}.manifest\n"
        (info / "entry_points.txt").write_text(entry)


def told(verb: str, addon: str, pid: int | str) -> str:
    """Return what whoever comes too late is told."""
    holder = f"{verb} {addon} by {getpass.getuser()}@{socket.gethostname()} pid {pid}"
    return f"another operator is at work on this shop: {holder}; {ADVICE}"


@dataclass
class Operators:
    """Operators of one shop, and what they make of it."""

    shop: Deployment

    @contextmanager
    def at_work(self, step: tuple[str, str], verb: str, addon: str) -> Iterator[int]:
        """Hold a command line at a step during the block; it succeeds behind it."""
        with subprocess.Popen(
            [sys.executable, "-c", HELD, *step, "addons", verb, addon], env=self.shop.environ,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            try:
                assert process.stdout.readline() == "held\n"
                yield process.pid
            finally:
                _, error = process.communicate("\n" * 9, timeout=30)
        assert process.returncode == 0, error

    def begin(self, *commands: tuple[str, str]) -> list[tuple[int, str]]:
        """Run command lines at once; return the exit code and the last error of each."""
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "bodega", "addons", *command], env=self.shop.environ,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )
            for command in commands
        ]  # fmt: skip
        said = [process.communicate(timeout=60)[1] for process in processes]
        codes = [process.returncode for process in processes]
        return [(code, text.strip()) for code, text in zip(codes, said, strict=True)]

    def state(self) -> tuple[int, frozenset[str]]:
        """Return the generation and which addons are enabled."""
        databases = open_databases(read_settings(self.shop.environ))
        shop = databases.shop
        enabled = shop.execute_sql("SELECT name FROM bodega_addon WHERE enabled").fetchall()
        (generation,) = shop.execute_sql(
            "SELECT value FROM bodega_counter WHERE name = 'generation'"
        ).fetchone()
        databases.close()
        return generation, frozenset(name for (name,) in enabled)

    def serve(self) -> str:
        """Start the web server; return an administrator's token."""
        self.shop.start("serve", "--port", str(self.shop.port), "--workers", "2")
        self.shop.wait_until(lambda: self.shop.get("/health/ready")[0] == 200)
        return self.shop.log_in()

    def post(self, verb: str, addon: str, token: str) -> tuple[int, Any]:
        """Do a verb through the API."""
        return self.shop.call("POST", f"/api/v1/addons/{addon}/{verb}", {}, token)[:2]


@pytest.fixture
def operators(deployment: Deployment, tmp_path: Path) -> Operators:
    """Operators of a shop that has just been made."""
    _install(tmp_path / "site", *SIX, "patient")
    deployment.environ["PYTHONPATH"] += f":{tmp_path / 'site'}"
    deployment.environ["PATIENT_FOLDER"] = str(tmp_path)
    # PostgreSQL ends transactions that are idle for so long, and those that are held are.
    deployment.environ["BODEGA_JOB_LEASE"] = "30"
    deployment.environ["BODEGA_LOG_LEVEL"] = "warning"
    assert deployment.command("migrate").returncode == 0
    return Operators(deployment)


@pytest.mark.parametrize("step", [BEFORE, INSIDE], ids=["before", "inside"])
def test_while_one_is_at_work_five_others_are_told_who_it_is_and_succeed_behind_it(
    operators: Operators, step: tuple[str, str]
) -> None:
    generation, enabled = operators.state()
    others = [("enable", "notes"), *(("enable", name) for name in SIX[1:4]), ("disable", "imports")]
    with operators.at_work(step, "enable", "notes") as pid:
        expected = (errors.Busy.exit_code, f"Error: {told('enable', 'notes', pid)}")
        assert operators.begin(*others) == [expected] * 5
        assert operators.begin(("list",), ("enable", "ledger", "--plan")) == [(0, "")] * 2
        assert operators.state() == (generation, enabled)
    assert operators.state() == (generation + 1, enabled | {"notes"})
    assert operators.begin(("enable", "ledger")) == [(0, "")]
    assert operators.begin(("enable", "notes")) == [(0, "")]
    assert operators.state() == (generation + 2, enabled | {"notes", "ledger"})


def test_whoever_uninstalls_is_at_work_until_everything_is_gone(operators: Operators) -> None:
    assert operators.begin(("enable", "notes")) == [(0, "")]
    between = ("bodega.addons.removal", "wait_until_drained")
    with operators.at_work(between, "uninstall", "notes") as pid:
        ((code, said),) = operators.begin(("enable", "notes"))
        assert (code, said) == (4, f"Error: {told('uninstall', 'notes', pid)}")
    assert "notes" not in operators.state()[1]
    assert operators.begin(("enable", "notes")) == [(0, "")]


@pytest.fixture
def races(operators: Operators) -> Iterator[Any]:
    """Runs command lines that begin at the same moment."""
    with subprocess.Popen(
        [sys.executable, str(HERE / "racing_operators.py")], env=operators.shop.environ,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def run(*commands: tuple[str, ...]) -> list[dict[str, Any]]:
            stdin.write(json.dumps([["addons", *command] for command in commands]) + "\n")
            stdin.flush()
            found: list[dict[str, Any]] = json.loads(stdout.readline())
            return found

        yield run


def _won(commands: list[tuple[str, str]], ended: list[dict[str, Any]]) -> set[str]:
    """Return the addons of those who succeeded; check what the others were told, and by whom."""
    known = {told(*command, item["pid"]) for command, item in zip(commands, ended, strict=True)}
    for item in ended:
        assert "TWO AT WORK" not in item["text"]
        assert item["code"] in (0, errors.Busy.exit_code), item["text"]
        if item["code"]:
            just_finishing = re.sub(": .*;", ": just finishing;", told("", "", ""))
            said = item["text"].strip().removeprefix("Error: ")
            assert said in known | {just_finishing}
            assert not said.endswith(f"pid {item['pid']}; {ADVICE}"), "it is told of itself"
    return {addon for (_, addon), item in zip(commands, ended, strict=True) if not item["code"]}


@pytest.mark.parametrize("number", [2, 6])
@pytest.mark.parametrize("what", ["one addon", "different addons"])
def test_of_operators_that_begin_at_once_those_succeed_that_find_nobody_at_work(
    operators: Operators, races: Any, number: int, what: str
) -> None:
    names = SIX[:1] * number if what == "one addon" else SIX[:number]
    losers = 0
    for race in range(RACES):
        verb = ("enable", "disable")[race % 2]
        generation, enabled = operators.state()
        commands = [(verb, name) for name in names if (name in enabled) == (verb == "disable")]
        won = _won(commands, races(*commands))
        assert won, "nobody succeeded"
        losers += len(commands) - len(won)
        expected = enabled | won if verb == "enable" else enabled - won
        assert operators.state() == (generation + len(won), expected)
    assert losers, "they never met"

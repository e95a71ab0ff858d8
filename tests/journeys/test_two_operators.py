"""Operators at once, on the command line and through the API: one works, all others are told."""

import getpass
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
EDITION = ("accounts", "products", "imports")
HERE = Path(__file__).parent
SAMPLES = HERE.parent / "sample_addons"
#: Six that need nothing of each other, and one that can be held in its migration.
SIX = ("notes", "ledger", "shelves", "growing", "chores", "ballroom")
#: How many begin at once, race after race.
RACES = (2, 2, 6, 6)
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

    def post(self, verb: str, addon: str, token: str) -> tuple[int, Any, dict[str, str]]:
        """Do a verb through the API."""
        return self.shop.call("POST", f"/api/v1/addons/{addon}/{verb}", {}, token)

    def holding_worker(self, file: Path) -> int:
        """Return the process that a patient migration wrote down, a worker of the web server."""
        self.shop.wait_until(lambda: file.exists() and file.read_text())
        pid = int(file.read_text())
        parent = re.search(r"^PPid:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)
        assert parent is not None
        assert int(parent[1]) == self.shop.processes[-1].pid
        return pid


@pytest.fixture
def operators(deployment: Deployment, tmp_path: Path, install_samples: Any) -> Operators:
    """Operators of a shop that has just been made."""
    install_samples(tmp_path / "site", *SIX, "patient")
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
    holders = {item["pid"]: command for command, item in zip(commands, ended, strict=True)}
    for item in ended:
        assert "TWO AT WORK" not in item["text"]
        if item["code"]:
            _check_refusal(item, holders)
    return {holders[item["pid"]][1] for item in ended if not item["code"]}


def _check_refusal(item: dict[str, Any], holders: dict[int, tuple[str, str]]) -> None:
    """Check that one was told of another of the race, or came when its work was done."""
    said = item["text"].strip().removeprefix("Error: ")
    verb, addon = holders[item["pid"]]
    if item["code"] == errors.AddonError.exit_code:
        assert (verb, said.partition(";")[0]) == ("disable", f"addon {addon!r} is not enabled")
        return
    others = {told(*command, pid) for pid, command in holders.items() if pid != item["pid"]}
    assert item["code"] == errors.Busy.exit_code, said
    assert said in others | {re.sub(": .*;", ": just beginning or finishing;", told("", "", ""))}


@pytest.mark.parametrize("names", [SIX[:1] * 6, SIX], ids=["one addon", "different addons"])
def test_of_operators_that_begin_at_once_those_succeed_that_find_nobody_at_work(
    operators: Operators, races: Any, names: tuple[str, ...]
) -> None:
    met = False
    for race, number in enumerate(RACES):
        verb = ("enable", "disable")[race % 2]
        generation, enabled = operators.state()
        some = [name for name in names if (name in enabled) == (verb == "disable")][:number]
        ended = races(*((verb, name) for name in some))
        won = _won([(verb, name) for name in some], ended)
        assert won, "nobody succeeded"
        met = met or any(item["code"] == errors.Busy.exit_code for item in ended)
        assert operators.state() == (generation + len(won), enabled ^ won)
    assert met, "they were never at work at once"


def _refused(answer: tuple[int, Any, dict[str, str]], detail: str) -> bool:
    status, body, headers = answer
    media = headers["content-type"]
    return (status, media, body["type"], body["status"], body["detail"]) == (
        409, "application/problem+json", "/api/problems/conflict", 409, detail,
    )  # fmt: skip


@pytest.mark.parametrize("step", [BEFORE, INSIDE], ids=["before", "inside"])
def test_while_a_command_line_is_at_work_the_api_answers_who_it_is(
    operators: Operators, step: tuple[str, str]
) -> None:
    token = operators.serve()
    with operators.at_work(step, "enable", "notes") as pid:
        detail = told("enable", "notes", pid)
        for verb, addon in (("enable", "ledger"), ("enable", "notes"), ("disable", "imports")):
            assert _refused(operators.post(verb, addon, token), detail)
        assert operators.shop.get("/api/v1/products")[0] == 200
    status, body, _ = operators.post("enable", "ledger", token)
    assert (status, body["addons"]) == (200, ["ledger"])
    assert {"notes", "ledger"} <= operators.state()[1]


def test_while_a_request_is_at_work_others_and_command_lines_are_told_which_process_it_is(
    operators: Operators, tmp_path: Path
) -> None:
    token = operators.serve()
    generation, enabled = operators.state()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(operators.post, "enable", "patient", token)
        try:
            detail = told("enable", "patient", operators.holding_worker(tmp_path / "waits"))
            for addon in ("patient", "ledger"):
                assert _refused(operators.post("enable", addon, token), detail)
            assert operators.begin(("enable", "ledger")) == [(4, f"Error: {detail}")]
            assert operators.state() == (generation, enabled)
        finally:
            (tmp_path / "go").touch()
        status, body, _ = first.result(30)
    assert (status, body["addons"]) == (200, ["patient"])
    assert operators.state() == (generation + 1, enabled | {"patient"})
    assert operators.post("enable", "ledger", token)[0] == 200


def test_of_requests_that_come_at_once_those_succeed_that_find_nobody_at_work(
    operators: Operators,
) -> None:
    token = operators.serve()
    met = False
    with ThreadPoolExecutor(6) as pool:
        for race, number in enumerate((2, 2, 6, 6, 6, 6)):
            verb = ("enable", "disable")[race % 2]
            generation, enabled = operators.state()
            some = [name for name in SIX if (name in enabled) == (verb == "disable")][:number]
            answers = list(pool.map(operators.post, [verb] * 6, some, [token] * 6))
            won = {name for name, answer in zip(some, answers, strict=True) if answer[0] == 200}
            met = met or len(won) < len(some)
            assert won, answers
            assert {answer[0] for answer in answers} <= {200, 409}, answers
            assert all(ADVICE in body["detail"] for status, body, _ in answers if status == 409)
            assert operators.state() == (generation + len(won), enabled ^ won)
    assert met, "they were never at work at once"

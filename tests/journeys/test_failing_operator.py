"""An operator fails at every step: the shop is wholly before or wholly after, never between."""

import json
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bodega_sdk.testing import servers
from bodega_sdk.testing.deployment import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
HERE = Path(__file__).parent
SAMPLES = HERE.parent / "sample_addons"
LATER = """
def up(migrator, db):
    db.execute_sql("ALTER TABLE notes_note ADD COLUMN colour VARCHAR(20)")
    db.execute_sql("UPDATE notes_note SET colour = 'white'")
    db.execute_sql("CREATE INDEX notes_note_colour ON notes_note (colour)")
"""
#: Verb → the state it begins with, and its command.
VERBS: dict[str, tuple[str, list[str]]] = {
    "install": ("fresh", ["addons", "install", "walls"]),
    "enable": ("fresh", ["addons", "enable", "walls"]),
    "disable": ("enabled", ["addons", "disable", "notes", "--cascade"]),
    "upgrade": ("older", ["addons", "upgrade", "notes"]),
    "uninstall": ("enabled", ["addons", "uninstall", "notes", "--cascade"]),
    "purge": ("enabled", ["addons", "purge", "notes", "--cascade"]),
    "restore": ("emptied", ["addons", "restore", "ARCHIVE"]),
}
#: Module, name, before or after, the how manieth call.
Step = tuple[str, str, str, int]
ADDONS, COMMIT = "bodega.addons.", ("bodega.database.collections", "VersionedWrites.commit")
SETTLE, MIGRATE = (ADDONS + "steps", "settle"), (ADDONS + "steps", "migrate")
REMOVE, BEGIN = (ADDONS + "removal", "remove"), (ADDONS + "journal", "begin")
ONE_TRANSACTION = [
    (*SETTLE, "before", 1), (*SETTLE, "after", 1), (*COMMIT, "before", 1), (*COMMIT, "after", 1),
]  # fmt: skip
INSTALLING = [
    (ADDONS + "planning", "rehearse", "after", 1),
    (ADDONS + "steps", "take", "before", 1),
    (*MIGRATE, "after", 1),
    (*MIGRATE, "before", 2),
]
REMOVING = [
    (*BEGIN, "after", 1),
    (*COMMIT, "before", 1),
    (*COMMIT, "after", 1),
    (ADDONS + "removal", "wait_until_drained", "before", 1),
    (*REMOVE, "before", 1),
    (*REMOVE, "after", 2),
    (ADDONS + "journal", "reach_cleaning", "after", 1),
    (*SETTLE, "after", 2),
    (*COMMIT, "before", 2),
    (*COMMIT, "after", 2),
    (ADDONS + "journal", "_clean", "before", 1),
]
ARCHIVING = [
    (ADDONS + "journal", "note_archives", "before", 1),
    (ADDONS + "journal", "note_archives", "after", 1),
    (ADDONS + "archive", "dump_table", "before", 1),
    (ADDONS + "archive", "dump_table", "after", 2),
    (ADDONS + "archive", "_sync_folder", "before", 1),
]
STEPS: dict[str, list[Step]] = {
    "install": [INSTALLING[2], ONE_TRANSACTION[-1]],
    "enable": INSTALLING + ONE_TRANSACTION,
    "disable": ONE_TRANSACTION,
    "upgrade": [(*MIGRATE, "before", 1), (*MIGRATE, "after", 1), *ONE_TRANSACTION],
    "uninstall": REMOVING + ARCHIVING,
    "purge": REMOVING[5:],
    "restore": [(ADDONS + "archive", "load_archive", "after", 1), *ONE_TRANSACTION],
}
#: Steps at which the operator's process is killed.
KILLED = {
    "install": [INSTALLING[2]],
    "enable": [*INSTALLING[:3], *ONE_TRANSACTION[:2]],
    "disable": ONE_TRANSACTION[:1],
    "upgrade": [(*MIGRATE, "after", 1)],
    "uninstall": [
        REMOVING[0],
        REMOVING[3],
        ARCHIVING[1],
        *REMOVING[4:7],
        (ADDONS + "journal", "recover", "before", 2),
    ],
    "purge": [REMOVING[5], REMOVING[10]],
    "restore": [(ADDONS + "archive", "load_archive", "after", 1)],
}
#: Steps behind which the disk is full.
FULL_BEHIND = {
    "enable": ONE_TRANSACTION,
    "uninstall": [*REMOVING[5:8], *ARCHIVING],
    "restore": STEPS["restore"],
}
#: How many of the writes of each verb fail, spread from its first to its last.
WRITES = 3
LOOK = ["look"]


@dataclass
class Operators:
    """Runs commands of operators, each in a process of its own, each on a copy of a shop.

    Args:
        server_url: of the PostgreSQL server; empty for SQLite.
    """

    folder: Path
    server_url: str
    environ: dict[str, str]
    states: dict[str, "Copy"] = field(default_factory=dict)
    undisturbed: dict[str, tuple[Any, Any, int]] = field(default_factory=dict)
    _process: Any = None

    def ask(self, copy: "Copy", *commands: list[str], **how: Any) -> dict[str, Any]:
        """Run commands one after the other in one process; return what came of it."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, str(HERE / "forking_operator.py")], env=self.environ,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        request = {"commands": commands, "environ": copy.environ, "site": str(copy.site)} | how
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def new(self, site: Path) -> "Copy":
        """Return a place for a shop."""
        name = f"test_{uuid.uuid4().hex}"
        home = self.folder / name
        environ = {"BODEGA_HOME": str(home)}
        if self.server_url:
            environ["DATABASE_URL"] = servers.create_database(self.server_url, name)
        return Copy(name, home, site, environ)

    def copy(self, state: str) -> "Copy":
        """Return a copy of a shop in a state."""
        source = self.state(state)
        name = f"test_{uuid.uuid4().hex}"
        home = shutil.copytree(source.home, self.folder / name)
        environ = {"BODEGA_HOME": str(home)}
        if self.server_url:
            url = servers.create_database(self.server_url, name, template=source.name)
            environ["DATABASE_URL"] = url
        return Copy(name, home, source.site, environ)

    def drop(self, copy: "Copy") -> None:
        """Remove a copy."""
        shutil.rmtree(copy.home)
        if self.server_url:
            servers.drop_database(self.server_url, copy.name)

    def state(self, name: str) -> "Copy":
        """Return the shop that is in a state, made when it is first asked for."""
        if name not in self.states:
            self.states[name] = getattr(self, f"_{name}")()
        return self.states[name]

    def _fresh(self) -> "Copy":
        made = self.new(self.folder / "site")
        self.done(made, ["migrate"])
        return made

    def _enabled(self) -> "Copy":
        return self._on("fresh", ["addons", "enable", "walls"], ["fill"])

    def _older(self) -> "Copy":
        made = self._on("enabled")
        made.site = self.folder / "later"
        return made

    def _emptied(self) -> "Copy":
        removed = self._on("enabled", ["addons", "uninstall", "notes", "--cascade"])
        self.done(removed, ["addons", "enable", "notes"])
        return removed

    def _on(self, state: str, *commands: list[str]) -> "Copy":
        made = self.copy(state)
        for command in commands:
            self.done(made, command)
        return made

    def done(self, copy: "Copy", *commands: list[str]) -> Any:
        """Run commands that must succeed; return what was seen by those that look."""
        answer = self.ask(copy, *commands)
        assert set(answer["codes"]) <= {0}, answer["output"]
        assert len(answer["seen"]) == commands.count(LOOK), answer["output"]
        return answer["seen"]

    def whole(self, verb: str) -> tuple[Any, Any, int]:
        """Return the shop before a verb, after it, and how many writes that took."""
        if verb not in self.undisturbed:
            state, command = VERBS[verb]
            copy = self.copy(state)
            (before,) = self.done(copy, LOOK)
            writes = self.ask(copy, copy.filled_in(command))["writes"]
            (after,) = self.done(copy, LOOK)
            assert before != after
            self.undisturbed[verb] = (before, after, writes)
            self.drop(copy)
        return self.undisturbed[verb]

    def close(self) -> None:
        """End."""
        if self._process is not None:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait(20)
        for copy in self.states.values():
            self.drop(copy)


@dataclass
class Copy:
    """A shop that commands work on: its home, its database, the packages it sees."""

    name: str
    home: Path
    site: Path
    environ: dict[str, str]

    def filled_in(self, command: list[str]) -> list[str]:
        """Return a command that names this shop's archive."""
        archives = sorted(map(str, self.home.glob("archives/notes-*")))
        return [archives[0] if word == "ARCHIVE" else word for word in command]


@pytest.fixture(scope="module", params=["embedded", "distributed"])
def operators(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operators]:
    """Operators of shops on SQLite, or on PostgreSQL with Redis."""
    folder = tmp_path_factory.mktemp("operators")
    request.getfixturevalue("install_samples")(folder / "site", "notes", "pins", "walls")
    later = shutil.copytree(folder / "site", folder / "later") / "bodega_sample_notes"
    (later / "migrations" / "0002_colour.py").write_text(LATER)
    manifest = (later / "manifest.py").read_text()
    (later / "manifest.py").write_text(manifest.replace("1.2.0", "1.3.0"))
    (folder / "small.toml").write_text('addons = ["accounts", "products", "imports"]')
    environ = environment(folder / "nowhere") | {
        "BODEGA_LOG_LEVEL": "warning", "BODEGA_EDITION": str(folder / "small.toml")
    }  # fmt: skip
    server = ""
    if request.param == "distributed":
        server = request.getfixturevalue("postgres_server")
        environ["REDIS_URL"] = request.getfixturevalue("redis_server")
    made = Operators(folder, server, environ)
    yield made
    made.close()


@pytest.fixture
def copies(operators: Operators) -> Iterator[list[Copy]]:
    """The copies that a test made; they are removed behind it."""
    made: list[Copy] = []
    yield made
    for copy in made:
        operators.drop(copy)


def _fail(
    operators: Operators, copies: list[Copy], verb: str, **how: Any
) -> tuple[dict[str, Any], Any]:
    """Let a verb fail on a copy; check that the shop is whole and the verb can be done again."""
    before, after, _ = operators.whole(verb)
    state, command = VERBS[verb]
    copy = operators.copy(state)
    copies.append(copy)
    command = copy.filled_in(command)
    answer = operators.ask(copy, command, **how)
    assert answer.get("fired"), f"the step was not reached: {answer}"
    # Any command that opens the shop takes back or finishes what was left.
    listed = operators.ask(copy, ["addons", "list"], LOOK, command, LOOK)
    assert len(listed["seen"]) == 2, listed["output"]
    found, at_last = listed["seen"]
    assert found in (before, after), _difference(before, after, found)
    if answer["codes"] == [0]:
        assert found == after, "it said that it was done"
    if found == before:
        assert listed["codes"] == [0, 0], listed["output"]
    assert at_last == after, _difference(before, after, at_last)
    return answer, found


def _difference(before: Any, after: Any, found: Any) -> str:
    """Tell in what a shop is neither as before nor as after."""
    names = {*before, *after, *found}
    some = [n for n in names if found.get(n) not in (before.get(n), after.get(n))]
    some = some or [n for n in names if before.get(n) != after.get(n)]
    told = {n: (before.get(n), after.get(n), found.get(n)) for n in some}
    return f"before, after, found: {json.dumps(told, indent=1)[:6000]}"


def cases(steps: dict[str, list[Step]]) -> list[Any]:
    return [
        pytest.param(verb, step, id=f"{verb}-{step[1].rpartition('.')[2]}-{step[2]}-{step[3]}")
        for verb in steps
        for step in steps[verb]
    ]


@pytest.mark.parametrize(("verb", "step"), cases(STEPS))
def test_an_operator_that_loses_its_database_leaves_nothing_half_done(
    operators: Operators, copies: list[Copy], verb: str, step: Step
) -> None:
    _fail(operators, copies, verb, fault=(*step, "lost"))


@pytest.mark.parametrize(("verb", "step"), cases(KILLED))
def test_an_operator_that_is_killed_leaves_nothing_half_done(
    operators: Operators, copies: list[Copy], verb: str, step: Step
) -> None:
    answer, _ = _fail(operators, copies, verb, fault=(*step, "killed"))
    assert answer["codes"] == [-signal.SIGKILL]


@pytest.mark.parametrize(("verb", "step"), cases(FULL_BEHIND))
def test_an_operator_whose_disk_is_full_leaves_nothing_half_done(
    operators: Operators, copies: list[Copy], verb: str, step: Step
) -> None:
    # Of what PostgreSQL does, only an archive is written to the operator's disk.
    full = verb == "uninstall" or not operators.server_url
    _fail(operators, copies, verb, fault=(*step, "full" if full else "error"))


@pytest.mark.parametrize("part", range(WRITES))
@pytest.mark.parametrize("verb", VERBS)
def test_an_error_before_any_write_leaves_nothing_half_done(
    operators: Operators, copies: list[Copy], verb: str, part: int
) -> None:
    number = operators.whole(verb)[2]
    answer, _ = _fail(operators, copies, verb, write=1 + part * (number - 1) // (WRITES - 1))
    assert answer["codes"] != [0]
    assert "something failed" in answer["output"]


@pytest.mark.parametrize("step", [REMOVING[3], ARCHIVING[1]], ids=["draining", "archiving"])
def test_an_operator_that_lost_its_lock_to_another_does_nothing_more(
    operators: Operators, copies: list[Copy], step: Step
) -> None:
    # On SQLite the lock is a file's, which nobody can take away: there the database is lost.
    answer, found = _fail(operators, copies, "uninstall", fault=(*step, "unlocked"))
    assert answer["codes"] != [0]
    assert found == operators.whole("uninstall")[0]

"""The board tells whoever keeps answers that somebody writes, and never too late."""

import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import peewee
import pytest

from bodega.database.board import _PAIRS, Board, _place
from bodega.database.collections import VersionedWrites

#: Commits from two threads, as often as it is told.
WRITER = """
import sys, threading
from pathlib import Path
from bodega.database.board import Board
board, times = Board(Path(sys.argv[1])), int(sys.argv[2])
def commit():
    for _ in range(times):
        board.begin(["a", "b"])
        board.end(["a", "b"])
threads = [threading.Thread(target=commit) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
if sys.argv[3] == "dies":
    board.begin(["a"])
print("done", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "run" / "board"


def writer(file: Path, times: int, end: str) -> "subprocess.Popen[str]":
    made = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file), str(times), end],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return made


def done(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"


def test_a_mark_lasts_until_somebody_writes(file: Path) -> None:
    ours, theirs = Board(file), Board(file)
    before = ours.mark(["a", "b"])
    assert before is not None
    assert ours.mark(["a", "b"]) == before
    theirs.begin(["b", "c"])
    assert ours.mark(["a", "b"]) is None
    assert ours.mark(["a"]) == before[:1]
    theirs.end(["b", "c"])
    after = ours.mark(["a", "b"])
    assert after is not None
    assert after != before
    assert theirs.mark(["a", "b"]) == after


def test_two_who_write_at_once_are_both_waited_for(file: Path) -> None:
    board = Board(file)
    board.begin(["a"])
    board.begin(["a"])
    board.end(["a"])
    assert board.mark(["a"]) is None
    board.end(["a"])
    assert board.mark(["a"]) == (2,)


def test_tables_of_one_place_are_counted_once(file: Path) -> None:
    places: dict[int, str] = {}
    for number in range(20 * _PAIRS):
        if other := places.get(_place(f"t{number}")):
            break
        places[_place(f"t{number}")] = f"t{number}"
    pair = [other, f"t{number}"]
    board = Board(file)
    board.begin(pair)
    board.end(pair[:1])
    assert board.mark(pair) == (1, 1)


def test_processes_and_threads_lose_no_note(file: Path) -> None:
    board = Board(file)
    assert board.mark(["a"]) == (0,)
    writers = [writer(file, 2000, "ends") for _ in range(3)]
    for one in writers:
        done(one)
    assert board.mark(["a", "b"]) == (12_000, 12_000)
    for one in writers:
        one.communicate("\n", timeout=20)


def test_a_process_that_dies_while_it_commits_is_never_taken_for_done(file: Path) -> None:
    board = Board(file)
    assert board.mark(["a"]) == (0,)
    dying = writer(file, 1, "dies")
    done(dying)
    dying.kill()
    dying.communicate(timeout=20)
    assert board.mark(["a"]) is None
    assert board.mark(["b"]) == (2,)
    # Who comes later does not know better, until nobody is left who saw it.
    later = Board(file)
    assert later.mark(["a"]) is None
    del board, later
    assert Board(file).mark(["a"]) == (0,)


def test_where_there_can_be_no_board_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("no folder")
    board = Board(tmp_path / "run" / "board")
    board.begin(["a"])
    board.end(["a"])
    assert board.mark(["a"]) is None


class Committing:
    """A database whose commit may fail; it notes what the board says meanwhile."""

    error: Exception | None = None
    for_update = True
    seen: Any = None

    def commit(self) -> None:
        self.seen = self.board.mark(["a"])  # type: ignore[attr-defined]
        if self.error:
            raise self.error

    def execute_sql(self, *_: Any) -> None:
        """Raise the versions."""


class Database(VersionedWrites, Committing):
    param = "%s"


@pytest.mark.parametrize(
    ("error", "postgres", "ends"),
    [
        (None, True, True),
        (peewee.IntegrityError("deferred"), True, True),
        (KeyboardInterrupt(), True, True),
        (peewee.OperationalError("gone"), True, False),
        (peewee.InterfaceError("closed"), True, False),
        (peewee.OperationalError("locked"), False, True),
    ],
    ids=["well", "a constraint", "broken off", "gone", "closed", "a file that is locked"],
)
def test_a_commit_stands_between_two_notes(
    file: Path, error: Any, postgres: bool, ends: bool
) -> None:
    database = Database()
    database.board, database.error, database.for_update = Board(file), error, postgres
    database.touch("a")
    with pytest.raises(type(error)) if error else nullcontext():
        database.commit()
    assert database.seen is None
    assert database.board.mark(["a"]) == ((1,) if ends else None)
    # What changes nothing says nothing.
    database.error = None
    database.commit()
    assert database.board.mark(["b"]) == (0,)


def test_a_forked_process_has_a_board_of_its_own(file: Path) -> None:
    board = Board(file)
    board.mark(["a"])
    board._process = 0  # As it is behind a fork.
    first = board._turns
    board.begin(["a"])
    assert board._turns != first
    board.end(["a"])
    assert Board(file).mark(["a"]) == (1,)


def test_threads_that_open_it_at_once_open_it_once(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    usual: Callable[[Board], Any] = Board._opened
    monkeypatch.setattr(Board, "_opened", lambda board: (opened.append(1), usual(board))[1])
    board = Board(file)
    threads = [threading.Thread(target=board.mark, args=(["a"],)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert opened == [1]

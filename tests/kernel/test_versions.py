"""Versions are read once for all who asked before, and never before somebody asked."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bodega.database.versions import Versions


class Slow:
    """A database whose reading lasts until it is let go, and which notes what it saw."""

    for_update = True

    def __init__(self) -> None:
        self.committed = 0
        self.readings: list[threading.Event] = []
        self.failing = False

    def execute_sql(self, sql: str, params: Any) -> "Slow":
        assert "bodega_collection" in sql
        go = threading.Event()
        self._seen = self.committed
        self.readings.append(go)
        assert go.wait(10)
        if self.failing:
            raise OSError("gone")
        return self

    def fetchall(self) -> list[tuple[str, int]]:
        return [("things", self._seen)]

    def begun(self, number: int) -> threading.Event:
        """Wait until so many readings have begun; return what lets the last one end."""
        for _ in range(1000):
            if len(self.readings) >= number:
                return self.readings[number - 1]
            threading.Event().wait(0.01)
        raise AssertionError(f"{len(self.readings)} readings, expected {number}")


class Asking(threading.Thread):
    """Somebody who asks."""

    def __init__(self, versions: Versions) -> None:
        super().__init__(daemon=True)
        self._versions = versions
        self.found: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.found = self._versions.read()
        except OSError as error:
            self.found = error

    def answer(self) -> Any:
        self.join(10)
        return self.found


@pytest.fixture
def slow() -> Iterator[Slow]:
    """A slow database; nobody waits for it behind the test."""
    made = Slow()
    yield made
    for go in made.readings:
        go.set()


def test_who_asks_during_a_reading_gets_the_next_one_together(slow: Slow) -> None:
    versions = Versions(slow)
    first = Asking(versions)
    going = slow.begun(1)
    # It has seen what was there; this commit comes behind that.
    slow.committed = 1
    others = [Asking(versions) for _ in range(5)]
    threading.Event().wait(0.2)
    assert len(slow.readings) == 1
    going.set()
    assert first.answer() == {"things": 0}
    slow.begun(2).set()
    assert [one.answer() for one in others] == [{"things": 1}] * 5
    assert len(slow.readings) == 2


def test_one_behind_the_other_read_each(slow: Slow) -> None:
    versions = Versions(slow)
    for number in range(3):
        slow.committed = number
        one = Asking(versions)
        slow.begun(number + 1).set()
        assert one.answer() == {"things": number}


def test_a_reading_that_fails_is_nobody_elses(slow: Slow) -> None:
    versions = Versions(slow)
    first = Asking(versions)
    going = slow.begun(1)
    other = Asking(versions)
    threading.Event().wait(0.1)
    slow.failing = True
    going.set()
    assert isinstance(first.answer(), OSError)
    slow.begun(2)
    slow.failing = False
    slow.readings[1].set()
    assert other.answer() == {"things": 0}


def test_they_are_what_was_committed(things: Any) -> None:
    versions = things.shop.versions
    before = versions.read()
    data = {"name": "Lamp", "slug": "lamp", "code": "L", "size": 1}
    things.post("/api/v1/things", data).expect(201)
    after = versions.read()
    assert after["things_thing"] > before.get("things_thing", 0)
    assert all(type(version) is int for version in after.values())

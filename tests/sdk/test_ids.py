"""Ids: UUIDs of version 7, each greater than the one before, whoever makes them."""

import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

import bodega_sdk
from bodega_sdk import ids, uuid7


def test_an_id_is_a_uuid_of_version_7() -> None:
    made = uuid7()
    assert made.version == 7
    assert made.variant == uuid.RFC_4122


def test_an_id_begins_with_the_time_of_its_making(monkeypatch: pytest.MonkeyPatch) -> None:
    # A test that moved the clock on may have left ids that are ahead of it.
    monkeypatch.setattr(ids, "_last", 0)
    before = time.time_ns() // 1_000_000
    stamp = uuid7().int >> 80
    assert before <= stamp <= time.time_ns() // 1_000_000 + 50


def test_ids_made_one_after_the_other_are_in_order() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert [item.hex for item in made] == sorted(item.hex for item in made)


def test_ids_of_threads_are_unique_and_in_order_in_each() -> None:
    each: list[list[uuid.UUID]] = [[] for _ in range(8)]
    barrier = threading.Barrier(len(each))

    def make(found: list[uuid.UUID]) -> None:
        barrier.wait(10)
        found.extend(uuid7() for _ in range(3000))

    threads = [threading.Thread(target=make, args=(found,)) for found in each]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for found in each:
        assert found == sorted(found)
    together = [item for found in each for item in found]
    assert len(set(together)) == len(together) == 24_000
    # Not even the part before the random bits comes twice in one process.
    assert len({item.int >> 64 for item in together}) == len(together)


def test_ids_stay_in_order_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = uuid7()
    clock = SimpleNamespace(time_ns=lambda: time.time_ns() - 3_600_000_000_000)
    monkeypatch.setattr(ids, "time", clock)
    later = [uuid7() for _ in range(100)]
    assert [first, *later] == sorted([first, *later])


def test_ids_of_two_processes_differ() -> None:
    code = (
        f"import sys; sys.path[:0] = {[str(Path(bodega_sdk.__file__).parents[1])]!r}\n"
        "from bodega_sdk.ids import uuid7\n"
        "print(*[uuid7().hex for _ in range(2000)])"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    made = [process.communicate(timeout=60)[0].split() for process in running]
    assert [len(found) for found in made] == [2000, 2000]
    assert not set(made[0]) & set(made[1])

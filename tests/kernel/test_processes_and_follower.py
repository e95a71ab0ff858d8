"""Processes say that they live, and follow the generation within a second."""

import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import pytest
from falcon import testing

from bodega.addons import lifecycle
from bodega.follower import Follower
from bodega.http.gate import Gate
from bodega.processes import SILENCE, this_process


@pytest.fixture
def register(empty_shop: Any) -> Any:
    return empty_shop.register


def wait_until(condition: Any, seconds: float = 5) -> float:
    """Wait for a condition; return how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - began


def test_a_process_that_says_that_it_lives_is_listed(register: Any) -> None:
    process = this_process("web", 3)
    register.beat(process)
    assert register.living() == [process]
    register.beat(replace(process, generation=4, draining=2))
    (seen,) = register.living()
    assert (seen.generation, seen.draining) == (4, 2)
    assert str(seen) == f"web {process.pid} on {process.host}"


def test_a_process_that_leaves_is_gone(register: Any) -> None:
    process = this_process("worker", 1)
    register.beat(process)
    register.leave(process.id)
    assert register.living() == []


def test_a_process_that_fell_silent_is_gone(register: Any, empty_shop: Any) -> None:
    register.beat(replace(this_process("worker", 1), host="elsewhere"))
    long_ago = time.time() - SILENCE - 1
    empty_shop.databases.runtime.execute_sql(f"UPDATE bodega_process SET seen_at = {long_ago}")
    assert register.living() == []


def test_a_process_of_this_host_that_was_killed_is_gone_at_once(register: Any) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    register.beat(replace(this_process("worker", 1), pid=dead.pid))
    elsewhere = replace(this_process("worker", 1), pid=dead.pid, host="elsewhere")
    register.beat(elsewhere)
    assert register.living() == [elsewhere]


def test_a_change_waits_for_the_processes_and_names_those_that_lag(
    register: Any, empty_shop: Any
) -> None:
    quick, slow = replace(this_process("web", 9), host="a"), replace(this_process("web", 1))
    register.beat(quick)
    register.beat(slow)
    assert lifecycle.wait_for(empty_shop, 9, timeout=0) == [slow]

    def catch_up(_: float) -> None:
        register.beat(replace(slow, generation=9))

    assert lifecycle.wait_for(empty_shop, 9, timeout=5, sleep=catch_up) == []


def test_a_follower_is_listed_from_its_start_to_its_end(register: Any, empty_shop: Any) -> None:
    follower = Follower(empty_shop, "web")
    follower.start()
    (seen,) = register.living()
    assert (seen.kind, seen.generation) == ("web", empty_shop.assembly.generation)
    follower.stop()
    assert register.living() == []


def test_a_follower_swaps_within_a_second_and_says_so(
    register: Any, empty_shop: Any, site: Any
) -> None:
    swaps: list[int] = []
    follower = Follower(
        empty_shop, "web", swapped=lambda: swaps.append(empty_shop.assembly.generation)
    )
    follower.start()
    try:
        site.install("notes")
        generation = lifecycle.enable(empty_shop, "notes").generation
        took = wait_until(lambda: register.living()[0].generation == generation)
    finally:
        follower.stop()
    assert took < 1
    assert swaps == [generation]
    assert testing.simulate_get(Gate(empty_shop), "/api/v1/notes").status_code == 200


def test_a_follower_leaves_the_assembly_alone_while_nothing_changes(empty_shop: Any) -> None:
    before = empty_shop.current
    follower = Follower(empty_shop, "web")
    for _ in range(3):
        follower.step()
    assert empty_shop.current is before


def test_a_follower_outlives_a_state_that_cannot_be_read(
    empty_shop: Any, site: Any, register: Any
) -> None:
    follower = Follower(empty_shop, "web")
    follower.start()
    try:
        database = empty_shop.databases.shop
        database.execute_sql("ALTER TABLE bodega_addon RENAME TO bodega_addon_away")
        database.execute_sql("UPDATE bodega_counter SET value = value + 1")
        time.sleep(0.8)
        database.execute_sql("ALTER TABLE bodega_addon_away RENAME TO bodega_addon")
        wait_until(lambda: register.living()[0].generation == empty_shop.assembly.generation == 2)
    finally:
        follower.stop()


def test_a_request_in_flight_ends_on_the_assembly_that_it_began_with(
    notes_shop: Any, site: Any
) -> None:
    with notes_shop.lent() as session:
        lifecycle.disable(notes_shop, "notes")
        notes_shop.refresh()
        assert notes_shop.draining == 1
        assert session is not notes_shop.current
        assert testing.simulate_get(session.view, "/api/v1/notes").status_code == 200
        assert testing.simulate_get(Gate(notes_shop), "/api/v1/notes").status_code == 404
    assert notes_shop.draining == 0


def test_every_answer_says_which_generation_it_comes_from(notes_shop: Any) -> None:
    for expected in (notes_shop.assembly.generation, notes_shop.assembly.generation + 1):
        answer = testing.simulate_get(Gate(notes_shop), "/api/v1/nothing")
        assert answer.headers["X-Assembly-Generation"] == str(expected)
        if "notes" in {addon.name for addon in notes_shop.assembly.addons}:
            lifecycle.disable(notes_shop, "notes")
        notes_shop.refresh()


def test_a_streamed_answer_is_in_flight_until_it_is_closed(empty_shop: Any) -> None:
    session = empty_shop.current
    session.view = lambda environ, start: iter([b"one", b"two"])
    stream: Any = Gate(empty_shop)({}, lambda *_: None)
    assert session.in_flight == 1
    assert list(stream) == [b"one", b"two"]
    stream.close()
    stream.close()
    assert session.in_flight == 0


def test_an_answer_that_breaks_off_is_no_longer_in_flight(empty_shop: Any) -> None:
    session = empty_shop.current

    def broken(environ: Any, start: Any) -> Any:
        raise ConnectionResetError

    session.view = broken
    with pytest.raises(ConnectionResetError):
        Gate(empty_shop)({}, lambda *_: None)
    assert session.in_flight == 0

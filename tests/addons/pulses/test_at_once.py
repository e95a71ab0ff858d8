"""Points are written, and rollups made of them, by many at once."""

import struct
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_pulses import api, binary_copy, checking, rolling, storing
from bodega_pulses.models import Mark, Point, Rollup
from bodega_sdk import transaction
from bodega_sdk.runtime import bound

INT, BIGINT = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.tuples(INT, BIGINT, st.floats(allow_nan=False)), max_size=20))
def test_rows_of_numbers_are_packed_as_copy_reads_them(rows: list[tuple[int, int, float]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
    packed = binary_copy.packed("iqd", columns)
    row = struct.Struct("!hiiiqid").pack
    assert packed == b"".join(row(3, 4, one, 8, at, 8, value) for one, at, value in rows)
    found = binary_copy.unpacked("iqd", binary_copy.HEADER + packed + binary_copy.END)
    assert found == columns


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 5)), min_size=1, max_size=60
    ),
    st.booleans(),
    st.integers(1, 9),
    st.sampled_from([[7, 3, 7], [7, 3, 9]]),
)
def test_portions_hold_each_point_once_and_the_later_of_two(
    points: list[tuple[int, int, int]], ordered: bool, portion: int, numbers: list[int]
) -> None:
    if ordered:
        points.sort(key=lambda one: one[1])
    of, at, values = (list(column) for column in zip(*points, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storing, "_PORTION", portion)
        found = list(storing.portions(numbers, of, at, values))
    rows = [
        one for rows in found for one in zip(rows.series(), rows.at, rows.values, strict=True)
    ]  # fmt: skip
    assert len(rows) == len({row[:2] for row in rows})
    assert {row[:2]: row[2] for row in rows} == {(numbers[a], b): c for a, b, c in points}
    for one in found:
        for run in one.runs:
            assert one.at[run.first : run.behind] == sorted({*one.at[run.first : run.behind]})
        assert [run.first for run in one.runs] == [0, *(run.behind for run in one.runs[:-1])]


@given(st.lists(st.integers(0, 10**9), max_size=60))
def test_the_minutes_of_times_are_those_they_are_in(at: list[int]) -> None:
    found = list(rolling.minutes_of_times(sorted(at)))
    assert found == sorted({time // 60_000_000 for time in at})


def test_many_write_and_settle_at_once_and_rollups_are_right(
    shop: Any, lamp: UUID, sofa: UUID, today: datetime
) -> None:
    faults: list[BaseException] = []
    over = threading.Event()

    def run(work: Callable[[], None]) -> None:
        try:
            with bound(shop.current):
                work()
        except BaseException as error:
            faults.append(error)

    def write(seed: int) -> None:
        draw = Random(seed)
        for _ in range(12):
            times = [today + timedelta(seconds=draw.randrange(9000)) for _ in range(40)]
            products = (lamp, sofa) if seed % 2 else (sofa, lamp)
            api.record([api.Pulse(products[n % 2], at, n) for n, at in enumerate(times)])

    def settle() -> None:
        # SQLite's lock is not fair: whoever takes it again at once starves others.
        while not over.wait(0.02):
            rolling.settle()

    settlers = [threading.Thread(target=run, args=(settle,)) for _ in range(2)]
    writers = [threading.Thread(target=run, args=(lambda n=n: write(n),)) for n in range(3)]
    for thread in (*settlers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    for thread in settlers:
        thread.join()
    assert not faults
    assert list(checking.check()) == []
    assert not Mark.select().exists()
    assert Rollup.select().where(Rollup.size == 86_400).count() == 2
    assert Point.select().count() > 700


@pytest.mark.parametrize("engine", ["postgres"])
def test_who_writes_points_does_not_wait_for_a_settling(
    shop: Any, lamp: UUID, today: datetime
) -> None:
    api.record([api.Pulse(lamp, today, 1)])
    done = threading.Event()

    def write() -> None:
        with bound(shop.current):
            api.record([api.Pulse(lamp, today + timedelta(seconds=1), 2)])
        done.set()

    with transaction():
        rolling.hold([1])
        thread = threading.Thread(target=write)
        thread.start()
        assert done.wait(10)
    thread.join()
    assert Point.select().count() == 2


@pytest.mark.parametrize("engine", ["postgres"])
def test_of_two_who_settle_a_series_the_slower_does_not_write_what_was_true_before(
    shop: Any, lamp: UUID, today: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.record([api.Pulse(lamp, today, 1)])
    read, go_on = threading.Event(), threading.Event()
    write = rolling._write

    def slowly(size: int, of_series: Any) -> None:
        if not read.is_set():
            read.set()
            go_on.wait(10)
        write(size, of_series)

    def settle() -> None:
        with bound(shop.current):
            rolling.settle()

    monkeypatch.setattr(rolling, "_write", slowly)
    slow, quick = threading.Thread(target=settle), threading.Thread(target=settle)
    slow.start()
    assert read.wait(10)
    api.record([api.Pulse(lamp, today + timedelta(seconds=1), 2)])
    quick.start()
    # Were it not for the other, it would be done by then.
    quick.join(1)
    go_on.set()
    for thread in (slow, quick):
        thread.join()
    assert Rollup.select(Rollup.count).where(Rollup.size == 60).scalar() == 2
    assert list(checking.check()) == []

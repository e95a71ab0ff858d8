"""Two chunks of an import at a time: committed in their order, each row counted once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from bodega.database.tables import JobRow
from bodega_imports import importing, turns
from bodega_imports.models import Import
from bodega_products.models import Product
from bodega_sdk import database, now, transaction

PATH = "/api/v1/imports"
HEADER = "sku,name,price,is_active\n"
Outcomes = Callable[[Any, list[Any]], list[Any]]


@pytest.fixture(autouse=True)
def ten_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importing.setting
    monkeypatch.setattr(
        importing, "setting", lambda name: 10 if name == "imports.chunk_rows" else real(name)
    )


@pytest.fixture
def begun(admin: Any) -> Callable[[str], str]:
    """Begin an import; return its id."""

    def begin(text: str) -> str:
        headers = {"Content-Type": "text/csv"}
        found: str = admin.post(PATH, headers=headers, body=text.encode()).expect(202)["id"]
        return found

    return begin


def _rows(count: int) -> str:
    return HEADER + "".join(f"S-{n:03},Thing {n},{n}.00,true\n" for n in range(count))


def _first(chunk: list[Any]) -> int:
    """Return which of a file's rows a chunk begins with, from 0."""
    return int(chunk[0][0]) - 1


def _skus() -> set[str]:
    """Return what others see, by a connection of their own."""
    found: list[set[str]] = []

    def look() -> None:
        found.append({sku for (sku,) in Product.select(Product.sku).tuples()})
        database.obj.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return found[0]


def _instead(monkeypatch: pytest.MonkeyPatch, write: Callable[[Outcomes, Any, Any], Any]) -> None:
    """Let something stand in the place of what writes a chunk, and be given that."""
    real = importing._Importing._outcomes
    monkeypatch.setattr(
        importing._Importing, "_outcomes", lambda self, chunk: write(real, self, chunk)
    )


def _counts(run: str) -> tuple[str, int, int]:
    found = Import.get_by_id(run)
    return found.status, found.created, found.processed_rows


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_chunk_is_written_while_the_one_before_is_and_committed_behind_it(
    begun: Callable[[str], str], worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    second_is_written, seen = threading.Event(), []

    def write(real: Outcomes, self: Any, chunk: Any) -> Any:
        outcomes = real(self, chunk)
        if _first(chunk) == 0:
            assert second_is_written.wait(30)
            seen.append(_skus())
        elif _first(chunk) == 10:
            second_is_written.set()
        return outcomes

    _instead(monkeypatch, write)
    run = begun(_rows(35))
    worker.run()
    # When the second was written, others saw neither.
    assert seen == [set()]
    assert _counts(run) == ("completed", 35, 35)
    assert len(_skus()) == 35


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_what_follows_a_chunk_that_fails_is_not_committed(
    begun: Callable[[str], str], worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    second_is_written, failed = threading.Event(), []

    def write(real: Outcomes, self: Any, chunk: Any) -> Any:
        if _first(chunk) == 10 and not failed:
            assert second_is_written.wait(30)
            failed.append(True)
            raise RuntimeError("of the second chunk")
        outcomes = real(self, chunk)
        if _first(chunk) == 20:
            second_is_written.set()
        return outcomes

    _instead(monkeypatch, write)
    run = begun(_rows(35))
    worker.run()
    assert _skus() == {f"S-{n:03}" for n in range(10)}
    assert _counts(run) == ("running", 10, 10)
    JobRow.update(run_at=now()).where(JobRow.id == run).execute()
    worker.run()
    assert _counts(run) == ("completed", 35, 35)
    assert len(_skus()) == 35


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_chunk_gives_way_to_the_one_before_that_waits_for_it(
    begun: Callable[[str], str], worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one of them has locked, the one before it needs: PostgreSQL cannot see that ring."""
    monkeypatch.setattr(turns, "_PATIENCE", 0.3)
    with transaction():
        Product.create(
            sku="other", sku_key="other", name="Other", slug="other", price_minor=1, currency="USD"
        )
    other, held, times = Product.sku == "other", threading.Event(), []

    def write(real: Outcomes, self: Any, chunk: Any) -> Any:
        times.append(_first(chunk))
        if _first(chunk) == 0:
            assert held.wait(30)
        if _first(chunk) in (0, 10):
            Product.update(popularity=Product.popularity + 1).where(other).execute()
            held.set()
        return real(self, chunk)

    _instead(monkeypatch, write)
    run = begun(_rows(25))
    worker.run()
    assert _counts(run) == ("completed", 25, 25)
    assert sorted(times) == [0, 10, 10, 20]
    assert Product.get(other).popularity == 2


@pytest.mark.parametrize("slugs", [True, False])
def test_rows_that_can_take_from_one_another_are_written_one_after_the_other(
    slugs: bool, begun: Callable[[str], str], worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most, lock = [], [], threading.Lock()

    def write(real: Outcomes, self: Any, chunk: Any) -> Any:
        with lock:
            at_once.append(chunk)
            most.append(len(at_once))
        outcomes = real(self, chunk)
        with lock:
            at_once.remove(chunk)
        return outcomes

    _instead(monkeypatch, write)
    text = _rows(400)
    if slugs:
        lines = text.splitlines()
        text = "".join(f"{line},{word}\n" for line, word in zip(
            lines, ["slug", *(f"slug-{n}" for n in range(400))], strict=True
        ))  # fmt: skip
    run = begun(text)
    worker.run()
    assert _counts(run) == ("completed", 400, 400)
    by_turns = not slugs and bool(database.obj.for_update)
    assert (max(most) > 1) == by_turns

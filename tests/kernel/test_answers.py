"""Answers are given again only while nothing changed that they were made of."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from bodega import operator_settings
from bodega.addons import lifecycle
from bodega.http import answer_stores
from bodega.http.answer_stores import Kept, LocalStore, RedisStore
from bodega.http.caching import Stores
from bodega_sdk import transaction
from bodega_sdk.models import database
from bodega_sdk.runtime import runtime

THINGS = "/api/v1/things"
#: A language so long that nothing is kept for it: what the answer is without any keeping.
TRUTH = {"Accept-Language": "x" * 201}


class Spy:
    """Notes the statements on the shop's database, and acts before one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: list[str] = []
        self.act: tuple[int, Callable[[], Any]] | None = None
        self._thread = threading.get_ident()
        original = type(database.obj).execute_sql

        def noted(own: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == self._thread:
                self._note(sql)
            return original(own, sql, *args, **kwargs)

        monkeypatch.setattr(type(database.obj), "execute_sql", noted)

    def _note(self, sql: str) -> None:
        self.statements.append(sql)
        if self.act is not None and len(self.statements) > self.act[0]:
            act, self.act = self.act[1], None
            act()

    def count(self, work: Callable[[], Any]) -> int:
        """Return how many statements a piece of work takes."""
        self.statements.clear()
        work()
        return len(self.statements)


@pytest.fixture
def spy(things: Any, monkeypatch: pytest.MonkeyPatch) -> Spy:
    """A spy on the database."""
    return Spy(monkeypatch)


@pytest.fixture
def models(things: Any, site: Any) -> Any:
    """The models of things."""
    return site.module("things", "models")


@pytest.fixture
def lamp(things: Any) -> dict[str, Any]:
    """A thing."""
    data = {"name": "Lamp", "slug": "lamp", "code": "L", "size": 1}
    found: dict[str, Any] = things.post(THINGS, data).expect(201)
    return found


def outcomes(route: str = "/things") -> dict[str, int]:
    """Return how often answers of a route were given again, or not."""
    name, told = "bodega_http_kept_answers_total", ("hit", "miss", "stale")
    found = {key: REGISTRY.get_sample_value(name, {"route": route, "outcome": key}) for key in told}
    return {key: int(value or 0) for key, value in found.items()}


def test_a_list_is_made_once_and_given_again_for_one_statement(things: Any, spy: Spy) -> None:
    for number in range(5):
        data = {"name": f"T{number}", "slug": f"t{number}", "code": f"T{number}"}
        things.post(THINGS, data).expect(201)
    path = f"{THINGS}?page_size=3&include=parts"
    before = outcomes()
    assert spy.count(lambda: things.get(path).expect(200)) <= 4 + 1
    made = things.get(path)
    assert spy.count(lambda: things.get(path).expect(200)) == 1
    assert things.get(path).text == made.text == things.get(path, headers=TRUTH).text
    assert things.get(path).headers["ETag"] == things.get(path, headers=TRUTH).headers["ETag"]
    after = outcomes()
    assert (after["hit"] - before["hit"], after["miss"] - before["miss"]) == (4, 1)


def test_hits_and_misses_are_among_the_metrics(things: Any, lamp: Any) -> None:
    things.get(f"{THINGS}/lamp").expect(200)
    things.get(f"{THINGS}/lamp").expect(200)
    told = things.get("/metrics").text
    for outcome in ("hit", "miss"):
        assert (
            f'bodega_http_kept_answers_total{{outcome="{outcome}",route="/things/{{id}}"}}' in told
        )


def test_a_caller_who_has_the_answer_gets_none(things: Any, lamp: Any) -> None:
    for path in (THINGS, f"{THINGS}/lamp"):
        tag = things.get(path).headers["ETag"]
        for _ in range(2):
            answer = things.get(path, headers={"If-None-Match": tag})
            assert (answer.status_code, answer.text) == (304, "")
            assert answer.headers["ETag"] == tag
    things.patch(f"{THINGS}/lamp", {"size": 2}).expect(200)
    assert things.get(path, headers={"If-None-Match": tag}).expect(200)["size"] == 2
    assert things.request("HEAD", path).headers["ETag"] != tag


def update(models: Any, key: UUID) -> None:
    models.Thing.update(size=models.Thing.size + 1).where(models.Thing.id == key).execute()


def raw(models: Any, key: UUID) -> None:
    with transaction():
        database.execute_sql("UPDATE things_thing SET size = size + 1")
        runtime().touch("things_thing")


def extra(models: Any, key: UUID) -> None:
    (extension,) = runtime().extensions("things.thing")
    extension.model.write(key, stock=extension.model.read(key).stock + 1)


WRITES: dict[str, Callable[[Any, UUID], Any]] = {
    "an update": update,
    "raw SQL that says so": raw,
    "a companion": extra,
    "an include": lambda models, key: models.Part.create(thing=key, label="new"),
    "a delete": lambda models, key: models.Thing.delete().where(models.Thing.id == key).execute(),
}


@pytest.mark.parametrize("write", WRITES)
def test_after_a_write_the_answer_is_new(things: Any, lamp: Any, models: Any, write: str) -> None:
    paths = [f"{path}?include=parts" for path in (THINGS, f"{THINGS}/lamp", f"{THINGS}/largest")]

    def read(**headers: Any) -> list[Any]:
        answers = [things.get(path, **headers) for path in paths]
        return [item.text if item.status_code == 200 else item.status_code for item in answers]

    old = read()
    assert old == read()
    WRITES[write](models, UUID(lamp["id"]))
    new = read()
    assert new == read(headers=TRUTH)
    assert not set(new) & set(old)


def test_an_include_that_was_not_asked_for_makes_nothing_old(
    things: Any, lamp: Any, models: Any, spy: Spy
) -> None:
    things.get(f"{THINGS}/lamp").expect(200)
    models.Part.create(thing=UUID(lamp["id"]), label="new")
    assert spy.count(lambda: things.get(f"{THINGS}/lamp").expect(200)) == 1


def test_a_companion_that_goes_with_its_row_is_noticed(things: Any, lamp: Any, models: Any) -> None:
    things.patch(f"{THINGS}/lamp", {"extras": {"stock": 3}}).expect(200)
    path = f"{THINGS}?in_stock=true"
    assert things.get(path).expect(200)["count"] == 1
    models.Thing.get_by_id(UUID(lamp["id"])).delete_instance()
    assert things.get(path).expect(200)["count"] == 0


def test_what_is_written_in_a_transaction_is_seen_from_the_commit_on(
    things: Any, lamp: Any, models: Any, threads: Any
) -> None:
    def size() -> Any:
        return things.get(f"{THINGS}/lamp").expect(200)["size"]

    assert size() == 1
    with transaction():
        update(models, UUID(lamp["id"]))
        assert threads.run(size) == [1]
        # Whoever writes sees what it wrote, and keeps it for nobody.
        assert size() == 2
        assert threads.run(size) == [1]
    assert size() == 2


def test_each_caller_gets_what_it_may_see(things: Any) -> None:
    data = {"name": "Ghost", "slug": "ghost", "code": "G", "is_hidden": True}
    things.post(THINGS, data).expect(201)
    nobody = type(things)(things.gate, things.shop)
    callers = [things.as_admin(), things.as_user("vendor"), things, things.as_user(), nobody]
    for _ in range(2):
        assert [caller.get(THINGS).expect(200)["count"] for caller in callers] == [1, 0, 0, 0, 0]
        costs = ["cost" in caller.get(f"{THINGS}/ghost").text for caller in callers]
        assert costs == [True, False, False, False, False]
    things.as_admin().patch(f"{THINGS}/ghost", {"is_hidden": False}).expect(200)
    for _ in range(2):
        costs = ["cost" in caller.get(f"{THINGS}/ghost").text for caller in callers]
        assert costs == [True, True, False, False, False]


def test_what_is_about_the_callers_own_is_kept_for_each(things: Any) -> None:
    nobody = type(things)(things.gate, things.shop)
    for _ in range(2):
        for name in ("ada", "bob"):
            answer = things.as_user(subject=name).get("/api/v1/things-mine")
            assert answer.expect(200)["subject"] == name
            assert answer.headers["Content-Language"] == "de"
        nobody.get("/api/v1/things-mine").expect(401)


def test_languages_and_addresses_have_answers_of_their_own(things: Any, lamp: Any) -> None:
    before = outcomes()["miss"]
    for language in ("de", "fr", "de"):
        things.get(THINGS, headers={"Accept-Language": language}).expect(200)
    assert outcomes()["miss"] == before + 2
    path = f"{THINGS}?page_size=1&page=2"
    for host in ("a.example", "b.example", "a.example"):
        assert f"//{host}/" in things.get(path, headers={"Host": host}).expect(200)["previous"]


def test_a_query_is_the_same_in_any_order(things: Any, lamp: Any, spy: Spy) -> None:
    first = things.get(f"{THINGS}?size_min=1&page_size=5").expect(200)
    again = f"{THINGS}?page_size=5&size_min=1"
    assert spy.count(lambda: things.get(again).expect(200)) == 1
    assert things.get(again).expect(200) == first
    assert things.get(f"{THINGS}?page_size=5&size_min=2").expect(200)["count"] == 0


def test_refusals_are_not_kept(things: Any) -> None:
    things.get(f"{THINGS}/lamp").expect(404)
    things.get(f"{THINGS}?colour=red").expect(400)
    data = {"name": "Lamp", "slug": "lamp", "code": "L"}
    things.post(THINGS, data).expect(201)
    things.get(f"{THINGS}/lamp").expect(200)
    things.get(f"{THINGS}?colour=red").expect(400)


def test_what_was_made_of_tables_that_nobody_follows_is_made_anew(
    things: Any, lamp: Any, spy: Spy
) -> None:
    before = things.get("/api/v1/things-busy").expect(200)["jobs"]
    database.execute_sql("DELETE FROM bodega_job")
    assert things.get("/api/v1/things-busy").expect(200) == {"jobs": 0, "things": 1}
    assert before >= 0
    assert spy.count(lambda: things.get("/api/v1/things-busy").expect(200)) > 2


def test_a_setting_and_an_addon_that_goes_make_answers_anew(things: Any, lamp: Any) -> None:
    assert things.get(f"{THINGS}/lamp").expect(200)["unit"] == "m"
    operator_settings.change(things.shop, "things.unit", "cm")
    things.shop.refresh()
    assert things.get(f"{THINGS}/lamp").expect(200)["unit"] == "cm"
    lifecycle.apply(things.shop, "disable", "extras")
    things.shop.refresh()
    assert "extras" not in things.get(f"{THINGS}/lamp").expect(200)


def test_what_is_too_large_is_not_kept(
    things: Any, lamp: Any, spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega.http.caching.LARGEST", 10)
    assert things.get(f"{THINGS}/lamp").expect(200) == lamp
    assert spy.count(lambda: things.get(f"{THINGS}/lamp").expect(200)) > 1


# Where they are kept.


def kept(size: int) -> Kept:
    return Kept(b"x" * size, '"t"', {"a": 1})


def test_a_process_keeps_so_many_bytes_and_drops_what_nobody_asks_for() -> None:
    store = LocalStore(most=10_000)
    for name in "abcd":
        store.put(name, kept(1000))
        store.get("a")
    store.put("a", kept(1000))
    store.put("e", kept(1000))
    assert [name for name in "abcde" if store.get(name)] == ["a", "c", "d", "e"]
    store.put("f", kept(8999))
    assert len(store) == 1
    store.put("g", kept(20_000))
    assert len(store) == 0


def test_a_kept_answer_ends_after_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [0.0]
    monkeypatch.setattr(answer_stores.time, "monotonic", lambda: moment[0])
    store = LocalStore()
    store.put("a", kept(1))
    moment[0] = 3599
    assert store.get("a")
    moment[0] = 3601
    assert store.get("a") is None
    assert len(store) == 0


@pytest.fixture
def in_redis(things: Any, redis_server: str) -> Callable[[], None]:
    """Keep answers in Redis too; what it gives makes this process forget its own."""

    def forget() -> None:
        stores = Stores(redis_server, lambda: things.shop.shop_id)
        things.shop.current.answers._stores = stores

    forget()
    return forget


def test_in_redis_one_process_makes_what_others_give(
    things: Any, lamp: Any, models: Any, in_redis: Callable[[], None], spy: Spy
) -> None:
    made = things.get(f"{THINGS}/lamp").text
    in_redis()
    assert spy.count(lambda: things.get(f"{THINGS}/lamp").expect(200)) == 1
    assert things.get(f"{THINGS}/lamp").text == made
    update(models, UUID(lamp["id"]))
    in_redis()
    assert things.get(f"{THINGS}/lamp").expect(200)["size"] == 2


def test_redis_that_is_away_or_talks_nonsense_is_a_miss(
    things: Any, lamp: Any, redis_server: str
) -> None:
    for url in ("redis://127.0.0.1:1/0", redis_server):
        stores = Stores(url, lambda: "odd")
        things.shop.current.answers._stores = stores
        if url == redis_server:
            things.get(f"{THINGS}/lamp").expect(200)
            client = stores.all[1]._client
            for place in client.keys("bodega:odd:answers:*"):
                client.set(place, b"[1, 2")
            things.shop.current.answers._stores = Stores(url, lambda: "odd")
        for _ in range(3):
            assert things.get(f"{THINGS}/lamp").expect(200) == lamp


def test_two_answers_that_want_one_place_in_redis_are_not_mixed_up(
    redis_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_stores, "PLACES", 1)
    store = RedisStore(redis_server, "bodega:one")
    store.put("a", kept(1))
    assert store.get("a") == kept(1)
    store.put("b", kept(2))
    assert (store.get("a"), store.get("b")) == (None, kept(2))
    assert 0 < store._client.ttl("bodega:one:0") <= 3600


# Reads and writes in each other's way.

_PATHS = (THINGS, f"{THINGS}?in_stock=true&include=parts", f"{THINGS}/largest?fields=name,extras")
_STEP = st.tuples(
    st.sampled_from(_PATHS),
    st.sampled_from(("nothing", "add", "grow", "part", "stock", "drop", "undone", "two")),
    st.integers(0, 6),
    st.integers(0, 1),
    st.booleans(),
)


class Writer:
    """Writes in a thread of its own, as another process would."""

    def __init__(self, models: Any, threads: Any) -> None:
        self._models, self._threads = models, threads
        self._made = 0

    def do(self, what: str) -> None:
        """Do one thing and commit it."""
        self._threads.run(lambda: getattr(self, what)())

    def _any(self) -> Any:
        return self._models.Thing.select().order_by(self._models.Thing.size).first()

    def add(self) -> None:
        self._made += 1
        name = f"N{self._made}"
        self._models.Thing.create(name=name, slug=name, code=name, size=self._made)

    def grow(self) -> None:
        self._models.Thing.update(size=self._models.Thing.size + 1).execute()

    def part(self) -> None:
        if found := self._any():
            self._models.Part.create(thing=found.id, label="p")

    def stock(self) -> None:
        if found := self._any():
            extra(self._models, found.id)

    def drop(self) -> None:
        if found := self._any():
            found.delete_instance()

    def undone(self) -> None:
        with transaction() as _, database.atomic() as inner:
            self.grow()
            inner.rollback()

    def two(self) -> None:
        with transaction():
            self.add()
            self.stock()


def test_no_interleaving_of_writes_and_reads_gives_an_old_answer_after_the_commit(
    things: Any, models: Any, threads: Any, spy: Spy, redis_server: str, engine: str
) -> None:
    """Two processes read, one of them with Redis between; a write comes between any statements.

    Strangers are answered before Falcon is asked, those who say who they are behind it.
    """
    writer, nobody = Writer(models, threads), type(things)(things.gate, things.shop)
    name = f"interleaved {engine}"
    processes = [Stores(redis_server, lambda: name), Stores(redis_server, lambda: name)]

    def read(who: Any, path: str, process: int, act: Any = None) -> str:
        things.shop.current.answers._stores = processes[process]
        spy.statements.clear()
        spy.act = act
        text: str = who.get(path).text
        return text

    @given(st.lists(_STEP, min_size=1, max_size=8), st.booleans())
    @settings(
        max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
    )
    def interleaved(steps: list[Any], one_machine: bool) -> None:
        things.shop.current.answers._board = database.obj.board if one_machine else None
        for path, what, place, process, known in steps:
            who = things if known else nobody
            act = None if what == "nothing" else (place, lambda what=what: writer.do(what))
            read(who, path, process, act)
            if spy.act is not None:
                spy.act[1]()  # The read took fewer statements: the write comes behind it.
                spy.act = None
            truth = who.get(path, headers=TRUTH).text
            for reader in (process, 1 - process):
                assert read(who, path, reader) == truth
                assert read(who, path, reader) == truth

    interleaved()

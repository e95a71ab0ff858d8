"""What is given before Falcon is asked is what Falcon gives, and nothing else."""

import time
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import peewee
import pytest
import structlog
from falcon import testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from bodega.http import shortcut
from bodega.http.answer_stores import Kept
from bodega.http.caching import Seen
from bodega.perimeter import Quota
from bodega.settings import Settings
from bodega_sdk.testing.client import Client

Served = Callable[..., Client]
PRODUCTS, FEATURED = "/api/v1/products", "/api/v1/products/featured"
SITE, PROXY = "https://front.example", "10.0.0.1"
#: What is another one in each answer.
OWN = ("x-request-id", "ratelimit", "ratelimit-policy")

REQUESTS = st.fixed_dictionaries(
    {
        "path": st.sampled_from([PRODUCTS, FEATURED, f"{PRODUCTS}/", "/api/v1/categories"]),
        "query_string": st.sampled_from(["", "page_size=1", "page_size=2", "page_size=x"]),
        "host": st.sampled_from(["shop.example", "other.example"]),
        "scheme": st.sampled_from(["http", "https"]),
        "root_path": st.sampled_from(["", "/below"]),
        "remote_addr": st.sampled_from(["192.0.2.1", PROXY]),
        "method": st.sampled_from(["GET", "GET", "GET", "HEAD"]),
    }
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept-Language": st.sampled_from(["de", "en", "x" * 201]),
        "Origin": st.sampled_from([SITE, "https://evil.example"]),
        "X-Forwarded-Proto": st.sampled_from(["https", "http"]),
        "X-Forwarded-Host": st.sampled_from(["front.example"]),
        "If-None-Match": st.sampled_from(["*", '"x"', "right", 'W/"x", right']),
        "Authorization": st.sampled_from(["", "Bearer x", "right"]),
        "X-Request-ID": st.sampled_from(["mine", "bad id"]),
    },
)


class Asked:
    """An answer of a WSGI app."""

    def __init__(self, app: Any, environ: dict[str, Any]) -> None:
        def take(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            self.status = status
            self.headers = {name.lower(): value for name, value in headers}

        self.body = b"".join(app(dict(environ), take))

    @property
    def same(self) -> Any:
        """What does not differ between two answers to one request."""
        told = {name: value for name, value in self.headers.items() if name not in OWN}
        body = self.body.replace(self.headers["x-request-id"].encode(), b"")
        return self.status, told, body


class Counting:
    """Falcon's app, which notes how often it is asked."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.asked = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.asked += 1
        return self.app(environ, start_response)


@pytest.fixture
def falcon(served: Served) -> Callable[..., tuple[Client, Counting]]:
    """Serve with settings changed, and return Falcon's app behind it, which counts."""

    def serve(**changes: Any) -> tuple[Client, Counting]:
        client = served(**{"rate_limit": None, "rate_limit_anonymous": None} | changes)
        view: Any = client.shop.current.view
        view.app = counting = Counting(view.app)
        return client, counting

    return serve


def environ(request: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = testing.create_environ(headers=headers, **request)
    return made


SEQUENCE = st.lists(st.tuples(REQUESTS, HEADERS), min_size=2, max_size=12)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(SEQUENCE, st.booleans())
def test_it_is_what_falcon_gives(falcon: Any, sequence: Any, writes: bool) -> None:
    if not hasattr(falcon, "made"):
        networks = (ip_network(f"{PROXY}/32"),)
        falcon.made = falcon(cors_origins=(SITE,), trusted_proxies=networks)
        for number in range(3):
            _product(falcon.made[0], f"first {number}")
    client, counting = falcon.made
    view = client.shop.current.view
    for place, (request, headers) in enumerate(sequence * 2):
        if writes and place == len(sequence):
            _product(client, f"p{counting.asked}")
        headers = _right(headers, client, counting.app, request)
        sent = environ(request, headers)
        assert Asked(view, sent).same == Asked(counting.app, sent).same


def _product(client: Client, name: str) -> None:
    data = {"name": name, "sku": name, "price": "1.00", "is_featured": True}
    client.as_admin().post(PRODUCTS, data).expect(201)


def _right(headers: dict[str, str], client: Client, app: Any, request: Any) -> dict[str, str]:
    """Return headers with a tag and a token that are right in the place of these words."""
    made = dict(headers)
    if "right" in made.get("If-None-Match", ""):
        tag = Asked(app, environ(request, {})).headers.get("etag", "none")
        made["If-None-Match"] = made["If-None-Match"].replace("right", tag)
    if made.get("Authorization") == "right":
        made["Authorization"] = f"Bearer {client.as_user().token}"
    return made


#: What may make another answer of a request for the products.
DIFFERENCES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a query": ({"query_string": "page_size=2"}, {}),
    "a host": ({"host": "other.example"}, {}),
    "a scheme": ({"scheme": "https"}, {}),
    "a path before it": ({"root_path": "/below"}, {}),
    "another path": ({"path": FEATURED}, {}),
    "a language": ({}, {"Accept-Language": "de"}),
    "a site": ({}, {"Origin": SITE}),
    "another site": ({}, {"Origin": "https://evil.example"}),
    "a host behind a proxy": ({"remote_addr": PROXY}, {"X-Forwarded-Host": "front.example"}),
    "a scheme behind a proxy": ({"remote_addr": PROXY}, {"X-Forwarded-Proto": "https"}),
    "a host that a stranger says": ({}, {"X-Forwarded-Host": "front.example"}),
    "a token": ({}, {"Authorization": "right"}),
    "no token": ({}, {"Authorization": "Bearer x"}),
    "half a token": ({}, {"Authorization": ""}),
    "an answer that is known": ({}, {"If-None-Match": "right"}),
    "another method": ({"method": "HEAD"}, {}),
}


@pytest.mark.parametrize("turned", [False, True], ids=["behind it", "before it"])
@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_differs_has_an_answer_of_its_own(falcon: Any, name: str, turned: bool) -> None:
    client, counting = falcon(
        cors_origins=(SITE,), trusted_proxies=(ip_network(f"{PROXY}/32"),), hsts=60
    )
    for number in range(3):
        _product(client, f"p{number}")
    key = client.get(f"{PRODUCTS}/p1").expect(200)["id"]
    german = {"name": "Lampe", "description": "Hell"}
    client.as_admin().put(f"{PRODUCTS}/{key}/translations/de", german).expect(200)
    # With a link to the next page, which says how the shop was reached.
    usual = {
        "path": PRODUCTS, "query_string": "page_size=1", "remote_addr": "192.0.2.1",
        "host": "shop.example", "port": 8000,
    }  # fmt: skip
    request, headers = DIFFERENCES[name]
    pair = [
        (usual | {"remote_addr": request.get("remote_addr", "192.0.2.1")}, {}),
        (usual | request, headers),
    ]
    if "stranger" in name:
        # A proxy says the same of another request, and is believed.
        pair[0] = (usual | {"remote_addr": PROXY}, headers)
    for wanted, sent in (pair[::-1] if turned else pair) * 3:
        whole = environ(wanted, _right(sent, client, counting.app, wanted))
        assert Asked(client.gate, whole).same == Asked(counting.app, whole).same


def test_the_second_time_falcon_is_not_asked(falcon: Any) -> None:
    client, counting = falcon()
    first = _ask(client, PRODUCTS)
    assert counting.asked == 1
    again = _ask(client, PRODUCTS)
    assert counting.asked == 1
    assert again.same == first.same
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    mine = _ask(client, PRODUCTS, {"X-Request-ID": "mine"})
    assert mine.headers["x-request-id"] == "mine"
    known = _ask(client, PRODUCTS, {"If-None-Match": first.headers["etag"]})
    assert (known.status, known.body) == ("304 Not Modified", b"")
    assert "content-type" not in known.headers
    assert counting.asked == 1


def _ask(client: Client, path: str, headers: dict[str, str] | None = None) -> Asked:
    path, _, query = path.partition("?")
    return Asked(client.gate, environ({"path": path, "query_string": query}, headers or {}))


def test_on_one_machine_the_database_is_asked_each_second(
    falcon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, counting = falcon()
    reads: list[int] = []
    kind = type(client.shop.versions)
    usual = kind.read
    monkeypatch.setattr(kind, "read", lambda own: (reads.append(1), usual(own))[1])
    first = _ask(client, PRODUCTS)
    reads.clear()
    assert {_ask(client, PRODUCTS).body for _ in range(20)} == {first.body}
    assert len(reads) <= 2
    # Whatever the board was not told of.
    database = client.shop.databases.shop
    monkeypatch.setattr(database, "board", None)
    _product(client, "unheard of")
    assert _ask(client, PRODUCTS).body == first.body
    time.sleep(1.05)
    assert _ask(client, PRODUCTS).body != first.body
    assert counting.asked == 3


def test_what_was_seen_of_one_answer_says_nothing_of_another() -> None:
    seen, mark = Seen(), (1,)
    one, other = (Kept(b"", "tag", {"products_product": 1}) for _ in range(2))
    assert not seen.holds(one, mark, 10.0)
    seen.note(one, mark, 10.0)
    assert seen.holds(one, mark, 10.5)
    assert not seen.holds(other, mark, 10.5)
    assert not seen.holds(one, (2,), 10.5)
    assert not seen.holds(one, mark, 11.5)


def test_of_several_machines_the_database_is_asked_each_time(falcon: Any) -> None:
    client, counting = falcon()
    client.shop.current.answers._board = None
    first = _ask(client, PRODUCTS)
    client.shop.databases.shop.board = None
    assert _ask(client, PRODUCTS).body == first.body
    _product(client, "unheard of")
    assert _ask(client, PRODUCTS).body != first.body
    assert counting.asked == 3


@pytest.mark.parametrize(
    ("url", "machines", "one"),
    [
        ("", "several", True),
        ("postgresql://x/y", "several", False),
        ("postgresql://x/y", "one", True),
    ],
)
def test_when_processes_share_a_board(url: str, machines: str, one: bool) -> None:
    told = Settings(Path("shop"), database_url=url, machines=machines)
    assert told.is_on_one_machine is one


def test_after_a_write_falcon_is_asked_once(falcon: Any) -> None:
    client, counting = falcon()
    for number in range(3):
        _product(client, f"p{number}")
        before = counting.asked
        for _ in range(3):
            found = _ask(client, PRODUCTS)
            assert found.body.startswith(f'{{"count":{number + 1},'.encode())
        assert counting.asked == before + 1


def test_inside_a_transaction_nothing_is_given_again(falcon: Any) -> None:
    client, counting = falcon()
    _ask(client, PRODUCTS)
    with client.shop.transaction():
        _ask(client, PRODUCTS)
    assert counting.asked == 2


def test_requests_are_counted_and_refused(falcon: Any) -> None:
    client, counting = falcon(rate_limit_anonymous=Quota(4, 60))
    found = [_ask(client, PRODUCTS) for _ in range(6)]
    assert [item.status[:3] for item in found] == ["200"] * 4 + ["429"] * 2
    assert [item.headers["ratelimit"][:14] for item in found[:4]] == [
        f'"default";r={left}' + ";" for left in (3, 2, 1, 0)
    ]
    assert {item.headers["ratelimit-policy"] for item in found} == {'"default";q=4;w=60'}
    # The first one, and those that were refused.
    assert counting.asked == 3


def test_requests_are_in_metrics_and_log(falcon: Any) -> None:
    client, counting = falcon()

    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0

    def told() -> list[float]:
        route = PRODUCTS
        return [
            value("bodega_http_requests_total", method="GET", route=route, status="200"),
            value("bodega_http_requests_total", method="GET", route=route, status="304"),
            value("bodega_http_request_seconds_count", method="GET", route=route),
            value("bodega_http_kept_answers_total", route="/products", outcome="hit"),
            value("bodega_http_kept_answers_total", route="/products", outcome="miss"),
        ]

    tag = _ask(client, PRODUCTS).headers["etag"]
    before = told()
    with structlog.testing.capture_logs() as lines:
        _ask(client, PRODUCTS)
        _ask(client, PRODUCTS, {"If-None-Match": tag, "X-Request-ID": "mine"})
    assert [after - was for after, was in zip(told(), before, strict=True)] == [1, 1, 2, 2, 0]
    assert [(item["event"], item["path"], item["status"]) for item in lines] == [
        ("request", PRODUCTS, 200), ("request", PRODUCTS, 304),
    ]  # fmt: skip
    assert lines[1]["request_id"] == "mine"
    assert counting.asked == 1


def test_a_database_that_is_away_is_told_as_ever(falcon: Any, monkeypatch: Any) -> None:
    client, counting = falcon()
    _ask(client, PRODUCTS)

    def away(*_: Any) -> Any:
        raise peewee.OperationalError("away")

    monkeypatch.setattr(type(client.shop.versions), "read", away)
    assert _ask(client, PRODUCTS).status.startswith("503 ")
    assert counting.asked == 2


def test_what_is_remembered_is_bounded(falcon: Any, monkeypatch: Any) -> None:
    client, counting = falcon()
    view = client.shop.current.view
    monkeypatch.setattr(shortcut, "_MOST", 5)
    for number in range(1, 12):
        _ask(client, f"{PRODUCTS}?page={number}")
        assert len(view._remembered) <= 5
    _ask(client, PRODUCTS + "?" + "page_size=3&" * 200 + "page_size=3")
    assert all(len(asked[2] or "") < 2000 for asked in view._remembered)
    assert counting.asked == 12

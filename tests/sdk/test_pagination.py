"""Pages: every row once, in order, by number or by cursor, whatever happens meanwhile."""

import base64
import itertools
import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodega_products import search_index
from bodega_products.models import Product
from bodega_sdk import now, transaction, uuid7

PATH = "/api/v1/products"


def add(name: str, price: int) -> None:
    made = Product.create(
        name=name, slug=name, sku=name, sku_key=name.casefold(), price_minor=price, currency="USD",
        search_text=name,
    )  # fmt: skip
    search_index.keep([made.id])


@pytest.fixture
def stock(shop: Any) -> list[str]:
    """Names of 23 products, many of one price and one moment."""
    names, stamp = [f"p{number:02}" for number in range(23)], now()
    rows = [
        {
            "id": uuid7(), "created_at": stamp, "updated_at": stamp, "name": name, "slug": name,
            "sku": name, "sku_key": name, "price_minor": 100 * (number // 10), "currency": "USD",
        }
        for number, name in enumerate(names)
    ]  # fmt: skip
    with transaction():
        Product.insert_many(rows).execute()
    return names


def page(client: Any, query: str) -> dict[str, Any]:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [item["name"] for item in found["results"]]


def query_of(link: str) -> str:
    parts = urlsplit(link)
    assert parts.path == PATH
    assert parts.scheme == "http"
    return parts.query


def walk(client: Any, query: str) -> list[str]:
    """Follow ``next`` to the end."""
    seen: list[str] = []
    found = page(client, query)
    for _ in range(100):
        seen += names(found)
        if found["next"] is None:
            return seen
        found = page(client, query_of(found["next"]))
    raise AssertionError("there is no end")


def test_a_page_has_an_envelope_with_the_exact_count(client: Any, stock: list[str]) -> None:
    found = page(client, "page_size=10&ordering=name")
    assert found.keys() == {"count", "next", "previous", "results"}
    assert (found["count"], names(found)) == (23, stock[:10])
    assert found["previous"] is None
    second = page(client, query_of(found["next"]))
    assert names(second) == stock[10:20]
    third = page(client, query_of(second["next"]))
    assert names(third) == stock[20:]
    assert third["next"] is None
    assert names(page(client, query_of(third["previous"]))) == stock[10:20]


def test_a_page_that_is_exactly_full_has_no_next(client: Any, stock: list[str]) -> None:
    assert page(client, "page_size=23")["next"] is None
    assert page(client, "page_size=23&cursor=")["next"] is None
    assert page(client, "page_size=22")["next"] is not None


def test_a_page_beyond_the_last_is_empty(client: Any, stock: list[str]) -> None:
    found = page(client, "page=4&page_size=10")
    assert (found["results"], found["count"], found["next"]) == ([], 23, None)


def test_an_empty_list_is_a_page_too(client: Any) -> None:
    for query in ("", "cursor="):
        assert page(client, query) == {"count": 0, "next": None, "previous": None, "results": []}


@pytest.mark.parametrize("ordering", ["price", "-price", "created_at", "-created_at", "name"])
@pytest.mark.parametrize("start", ["", "&cursor="])
def test_every_row_comes_once_though_many_are_alike(
    client: Any, stock: list[str], ordering: str, start: str
) -> None:
    seen = walk(client, f"page_size=4&ordering={ordering}{start}")
    assert sorted(seen) == stock
    prices = [stock.index(name) // 10 for name in seen]
    if "price" in ordering:
        assert prices == sorted(prices, reverse=ordering.startswith("-"))


def test_descending_is_ascending_turned_round(client: Any, stock: list[str]) -> None:
    for name in ("price", "name", "created_at"):
        up = walk(client, f"page_size=5&ordering={name}&cursor=")
        assert walk(client, f"page_size=5&ordering=-{name}&cursor=") == up[::-1]


def test_a_cursor_is_not_moved_by_rows_that_come_and_go(client: Any, stock: list[str]) -> None:
    first = page(client, "page_size=5&ordering=name&cursor=")
    add("a new first", 1)
    Product.delete().where(Product.name == stock[4]).execute()
    assert names(page(client, query_of(first["next"]))) == stock[5:10]


#: A product of a price that comes, or which of those there are goes, between two pages.
CHANGES = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 3)), st.tuples(st.just("delete"), st.integers(0, 30))
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    prices=st.lists(st.integers(0, 3), max_size=12),
    ordering=st.sampled_from(["price", "-price", "name", "-created_at", "popularity"]),
    size=st.integers(1, 4),
    meanwhile=st.lists(st.lists(CHANGES, max_size=3), max_size=8),
)
def test_whoever_follows_a_cursor_sees_what_was_there_all_the_time_once(
    shop: Any, client: Any, prices: list[int], ordering: str, size: int, meanwhile: list[Any]
) -> None:
    Product.delete().execute()
    numbers = itertools.count()
    for price in prices:
        add(f"p{next(numbers):03}", price)
    stays, seen = {row.name for row in Product.select()}, []
    query, changes = f"page_size={size}&ordering={ordering}&cursor=", iter(meanwhile)
    while query:
        found = page(client, query)
        seen += found["results"]
        assert len({item["name"] for item in seen}) == len(seen)
        for kind, number in next(changes, ()):
            there = list(Product.select().order_by(Product.name))
            if kind == "add":
                add(f"p{next(numbers):03}", number)
            elif there:
                gone = there[number % len(there)]
                stays.discard(gone.name)
                gone.delete_instance()
        query = query_of(found["next"]) if found["next"] else ""
    assert stays <= {item["name"] for item in seen}
    key = ordering.removeprefix("-")
    values = [Decimal(item[key]) if key == "price" else item[key] for item in seen]
    assert values == sorted(values, reverse=ordering.startswith("-"))


@pytest.mark.parametrize("ordering", ["name", "-price", "created_at"])
def test_a_page_far_behind_is_that_part_of_the_whole_list(
    client: Any, stock: list[str], ordering: str
) -> None:
    whole = names(page(client, f"page_size=50&ordering={ordering}"))
    parts = [names(page(client, f"page_size=5&page={n}&ordering={ordering}")) for n in range(1, 7)]
    assert [name for part in parts for name in part] == whole
    assert sorted(whole) == stock


def test_links_keep_filters_and_speak_of_the_host_that_was_asked(
    client: Any, stock: list[str]
) -> None:
    answer = client.get(
        f"{PATH}?price_min=1&featured=false&page_size=5&cursor=", host="shop.example"
    )
    link = urlsplit(answer.json["next"])
    assert (link.netloc, link.path) == ("shop.example", PATH)
    query = parse_qs(link.query)
    assert (query["price_min"], query["featured"], query["page_size"]) == (["1"], ["false"], ["5"])


def test_links_carry_awkward_letters_whole(client: Any, shop: Any) -> None:
    for number in range(3):
        add(f"c&a=b + u%20 {number}", 1)
    seen = walk(client, "page_size=1&cursor=&search=c%26a%3Db+%2B+%C3%BC%2520")
    assert len(seen) == 3


NO_PAGES = (
    "page=0", "page=-1", "page=x", "page=", "page=100001", "page_size=0", "page_size=201",
    "page=1&page=2", "cursor=x", "cursor=%00", "cursor=e30=", "page=1&cursor=",
    "ordering=nobody", "ordering=", "ordering=--price", "offset=3", "ordering=id",
)  # fmt: skip


def test_what_makes_no_page_is_refused_by_name(client: Any) -> None:
    for query in NO_PAGES:
        answer = client.get(f"{PATH}?{query}")
        assert answer.status_code == 400, f"{query}: {answer.text}"
        named = answer.json["errors"][0]["field"]
        assert named in {part.partition("=")[0] for part in query.split("&")}, query


def test_a_cursor_of_another_ordering_is_refused(client: Any, stock: list[str]) -> None:
    link = page(client, "page_size=5&ordering=name&cursor=")["next"]
    for other in ("-name", "price"):
        query = query_of(link).replace("ordering=name", f"ordering={other}")
        answer = client.get(f"{PATH}?{query}")
        assert answer.status_code == 400
        assert "same ordering" in answer.json["errors"][0]["message"]


MADE_UP: tuple[Any, ...] = (None, "x", [], {}, True, 1.5, "a\0b", 10**30, -(2**70))


@pytest.mark.parametrize("ordering", ["price", "name", "created_at"])
def test_a_cursor_that_somebody_made_up_breaks_nothing(
    client: Any, stock: list[str], ordering: str
) -> None:
    field = {"price": "price_minor"}.get(ordering, ordering)
    for value in MADE_UP:
        place = json.dumps([field, False, value, uuid7().hex])
        cursor = base64.urlsafe_b64encode(place.encode()).decode()
        answer = client.get(f"{PATH}?ordering={ordering}&cursor={cursor}")
        assert answer.status_code in (200, 400), f"{value!r}: {answer.text}"

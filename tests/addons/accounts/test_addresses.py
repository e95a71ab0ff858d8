"""Addresses: one's own, and one default for each kind."""

from collections import Counter
from functools import partial
from typing import Any

import pytest

from bodega_accounts import addresses
from bodega_accounts.models import Address

PATH = "/api/v1/addresses"
HOME = {"name": "Vera", "line1": "Main Street 1", "city": "Berlin", "country": "DE"}


def make(person: Any, **more: Any) -> Any:
    return person.api.post(PATH, HOME | more).expect(201)


def defaults(person: Any) -> list[str]:
    """Return the kinds of the addresses that are a default."""
    found = person.api.get(f"{PATH}?page_size=200").expect(200)["results"]
    return sorted(item["kind"] for item in found if item["is_default"])


def test_an_address_is_made_read_changed_and_deleted(vera: Any) -> None:
    made = make(vera, kind="billing", postal_code="10115", phone="+49 30 1")
    path = f"{PATH}/{made['id']}"
    assert vera.api.get(path).json == made
    assert made["is_default"] is True
    assert vera.api.patch(path, {"city": "Köln"}).json["city"] == "Köln"
    replaced = vera.api.put(path, HOME | {"line1": "Other Street 2"}).expect(200)
    assert (replaced["city"], replaced["phone"], replaced["kind"]) == ("Berlin", "", "both")
    vera.api.delete(path).expect(204)
    assert vera.api.get(path).status_code == 404


def test_the_first_of_a_kind_is_its_default_and_a_newer_default_takes_over(vera: Any) -> None:
    shipping, second = make(vera, kind="shipping"), make(vera, kind="shipping")
    billing = make(vera, kind="billing")
    assert [item["is_default"] for item in (shipping, second, billing)] == [True, False, True]
    vera.api.patch(f"{PATH}/{second['id']}", {"is_default": True}).expect(200)
    assert vera.api.get(f"{PATH}/{shipping['id']}").json["is_default"] is False
    assert defaults(vera) == ["billing", "shipping"]
    make(vera, kind="both", is_default=True)
    assert defaults(vera) == ["both"]
    make(vera, kind="shipping", is_default=True)
    assert defaults(vera) == ["shipping"]


def test_of_many_defaults_at_once_one_stays(vera: Any, at_once: Any) -> None:
    rows = [make(vera) for _ in range(3)]
    adding = partial(vera.api.post, PATH, HOME | {"is_default": True})
    changing = [
        partial(vera.api.patch, f"{PATH}/{row['id']}", {"is_default": True}) for row in rows
    ]
    for _ in range(4):
        answers = at_once(*[adding] * 3, *changing)
        assert Counter(item.status_code for item in answers) == {201: 3, 200: 3}
        assert defaults(vera) == ["both"]


def test_somebody_elses_addresses_are_not_there(vera: Any, signed_up: Any, admin: Any) -> None:
    ada, made = signed_up("ada"), make(vera)
    path = f"{PATH}/{made['id']}"
    for stranger in (ada.api, admin):
        assert stranger.get(PATH).json["count"] == 0
        for answer in (
            stranger.get(path), stranger.patch(path, {"city": "x"}), stranger.put(path, HOME),
            stranger.delete(path),
        ):  # fmt: skip
            assert answer.status_code == 404
    assert ada.client.get(PATH).status_code == 401
    make(ada, is_default=True)
    assert vera.api.get(path).json == made


def test_addresses_are_found_by_their_kind(vera: Any) -> None:
    for kind in ("shipping", "billing", "both", "both"):
        make(vera, kind=kind)
    for kind, number in (("shipping", 1), ("billing", 1), ("both", 2)):
        assert vera.api.get(f"{PATH}?kind={kind}").json["count"] == number
    assert vera.api.get(f"{PATH}?kind=home").status_code == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""), ("name", " "), ("line1", "x" * 201), ("city", None), ("country", "de"),
        ("country", "DEU"), ("country", "D1"), ("country", "DE\n"), ("country", "ДЕ"),
        ("kind", "home"), ("is_default", "yes"), ("phone", "call me"), ("postal_code", "1" * 21),
        ("line2", "a\0b"), ("account", "x"), ("id", "x"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_by_name(vera: Any, name: str, value: Any) -> None:
    answer = vera.api.post(PATH, HOME | {name: value})
    assert [item["field"] for item in answer.expect(422)["errors"]] == [name]


def test_there_are_so_many_and_no_more(vera: Any, at_once: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(addresses, "MOST", 4)
    answers = at_once(*[partial(vera.api.post, PATH, HOME)] * 8)
    assert Counter(item.status_code for item in answers) == {201: 4, 409: 4}


def test_addresses_go_with_their_account(vera: Any, admin: Any) -> None:
    make(vera)
    admin.delete(f"/api/v1/users/{vera.id}").expect(204)
    assert not Address.select().count()

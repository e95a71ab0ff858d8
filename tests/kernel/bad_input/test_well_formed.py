"""What is well-formed and still cannot be."""

import json
import threading
from typing import Any

import pytest
from tests.kernel.bad_input.attacks import JSON, Answer, Attack, Target, faults
from tests.kernel.bad_input.bodies import as_json
from tests.kernel.bad_input.catalogue import PASSWORD

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow


def test_what_the_catalogue_cannot_hold_is_refused(target: Target) -> None:
    product, chair = f"/api/v1/products/{target.ids['/products']}", {"name": "x", "price": "1"}
    cases: list[tuple[str, str, dict[str, Any], str]] = [
        ("POST", "/api/v1/products", chair | {"sku": "l-1"}, "sku"),
        ("POST", "/api/v1/products", chair | {"sku": " L-1 "}, "sku"),
        ("POST", "/api/v1/products", chair | {"sku": "N", "slug": "lamp"}, "slug"),
        ("POST", "/api/v1/products", chair | {"sku": "N", "category": "no"}, "category"),
        ("POST", "/api/v1/categories", {"name": "x", "slug": "lamps"}, "slug"),
        ("POST", "/api/v1/users", {"email": "VERA@example.com", "password": PASSWORD}, "email"),
        ("PATCH", product, {"sku": "c-1"}, "sku"),
        ("PATCH", product, {"slug": "chair"}, "slug"),
        ("PATCH", product, {"currency": "JPY"}, "currency"),
        ("PATCH", product, {"currency": "JPY", "price": "29.5"}, "price"),
        ("PATCH", product, {"currency": "KWD", "price": "29.9999"}, "price"),
        ("PATCH", product, {"compare_at_price": "1.001"}, "compare_at_price"),
        ("PATCH", product, {"price": "99999999999999999"}, "price"),
    ]
    target.survive(
        Attack(method, path, body=as_json(body), headers=JSON, names=name)
        for method, path, body, name in cases
    )


def test_a_setting_takes_no_value_of_another_type_or_size(target: Target) -> None:
    values: tuple[Any, ...] = (
        0, -1, 10**30, True, 1.5, "5", "x" * 999_999, "\0", [], {}, None, {"value": 1},
    )  # fmt: skip
    target.survive(
        Attack("PUT", "/api/v1/settings/imports.largest_mb", body=as_json({"value": value}),
               headers=JSON, names="value")
        for value in values
    )  # fmt: skip


def test_a_currency_and_a_price_change_together(admin: Any, target: Target) -> None:
    path = f"/api/v1/products/{target.ids['/products']}"
    assert admin.patch(path, {"currency": "JPY", "price": "2999"}).json["price"] == "2999"
    assert admin.patch(path, {"currency": "KWD", "price": "9.995"}).json["price"] == "9.995"


def test_a_category_that_products_are_in_can_be_deleted(admin: Any, target: Target) -> None:
    assert admin.delete(f"/api/v1/categories/{target.ids['/categories']}").status_code == 204
    product = admin.get(f"/api/v1/products/{target.ids['/products']}").json
    assert product["category"] is None
    assert product["name"] == "Lamp"


def test_the_next_link_keeps_what_was_asked_for(admin: Any, target: Target) -> None:
    for number in range(3):
        admin.post(
            "/api/v1/products", {"name": f"A&B #{number} é+", "sku": f"{number}", "price": "1"}
        )
    for query in ("page_size=1&search=a%26b%20%C3%A9%2B", "page_size=1&cursor=&search=a%26b%20%23"):
        seen, link = 0, f"http://x/api/v1/products?{query}"
        while link:
            page = admin.get(link[link.index("/api") :]).json
            seen, link = seen + len(page["results"]), page["next"]
        assert seen == page["count"] > 0, query


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/api/v1/products", {"name": "x", "sku": "R-1", "price": "1"}, "sku"),
        ("/api/v1/categories", {"name": "x", "slug": "raced"}, "slug"),
        ("/api/v1/users", {"email": "raced@example.com", "password": PASSWORD}, "email"),
    ],
)
def test_of_two_that_make_the_same_at_once_one_is_refused(
    target: Target, path: str, body: dict[str, Any], name: str
) -> None:
    for number in range(5):
        value = str(body[name]).replace("raced", f"raced{number}").replace("R-1", f"R-{number}")
        attack = Attack("POST", path, body=json.dumps(body | {name: value}).encode(), headers=JSON)
        answers = _at_once(target, [attack] * 2)
        assert sorted(answer.status for answer in answers) == [201, 409]
        refused = max(answers, key=lambda answer: answer.status)
        assert not list(faults(refused))
        assert target.send(Attack("GET", path, "page_size=200")).body.count(value.encode()) >= 1


def _at_once(target: Target, attacks: list[Attack]) -> list[Answer]:
    answers: list[Answer] = []
    barrier = threading.Barrier(len(attacks))

    def send(attack: Attack) -> None:
        barrier.wait()
        answers.append(target.send(attack))
        target.shop.databases.close()

    threads = [threading.Thread(target=send, args=(attack,)) for attack in attacks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers

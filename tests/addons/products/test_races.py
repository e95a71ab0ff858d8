"""Two who write at the same moment: nothing is lost, and nobody waits for the other in a ring.

The first holds a product in a transaction; the second comes and waits for it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from bodega_products import catalogue, facts, skus, tagging
from bodega_products.models import Product
from bodega_sdk import transaction

PRODUCTS, CATEGORIES, TAGS = "/api/v1/products", "/api/v1/categories", "/api/v1/tags"


def make(who: Any, sku: str, **members: Any) -> UUID:
    data = {"name": "Brass lamp", "sku": sku, "price": "10.00"} | members
    return UUID(who.post(PRODUCTS, json=data).expect(201)["id"])


@contextmanager
def meanwhile(key: UUID, other: Callable[[], Any]) -> Iterator[tuple[Product, list[Any]]]:
    """Hold a product while somebody else does something; what that returned is known at the end."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(other()))
    with transaction():
        held = Product.find(key, lock=True)
        assert held is not None
        thread.start()
        time.sleep(0.5)  # The other one stands at the lock by now.
        yield held, found
    thread.join(30)
    assert found, "the other one has no answer"


def test_what_was_deleted_meanwhile_is_not_deleted_again(admin: Any) -> None:
    key = make(admin, "L-1", slug="lamp")
    body = {"ids": [str(key)]}
    with meanwhile(key, lambda: admin.post(f"{PRODUCTS}/bulk/delete", json=body)) as (held, found):
        catalogue.delete_products([held])
    assert found[0].expect(200) == {"count": 0, "missing": [str(key)]}
    assert Product.get_by_id(key).kept_slug == "lamp"
    assert admin.post(f"{PRODUCTS}/{key}/restore").expect(200)["slug"] == "lamp"


def test_a_tag_that_is_renamed_meanwhile_does_not_come_back(admin: Any) -> None:
    key = make(admin, "L-1", tags=["Sale"])
    other = meanwhile(key, lambda: admin.patch(f"{TAGS}/sale", json={"name": "Summer"}))
    with other as (held, found):
        catalogue.change_product(held, {"tags": ["Winter"]})
    assert found[0].status_code == 200
    assert admin.get(f"{PRODUCTS}/{key}").expect(200)["tags"] == ["Winter"]


def test_a_tag_is_deleted_while_its_products_are_written(admin: Any) -> None:
    key = make(admin, "L-1", tags=["Sale", "New"])
    with meanwhile(key, lambda: admin.delete(f"{TAGS}/sale")) as (held, found):
        catalogue.change_product(held, {"tags": ["New", "Winter"]})
    assert found[0].status_code == 204
    assert admin.get(f"{PRODUCTS}/{key}").expect(200)["tags"] == ["New", "Winter"]


def test_a_category_is_deleted_while_its_products_are_written(admin: Any) -> None:
    for slug in ("lamps", "garden"):
        admin.post(CATEGORIES, json={"name": slug, "slug": slug}).expect(201)
    stays, moves = (make(admin, sku, category="lamps") for sku in ("stays", "moves"))
    with meanwhile(moves, lambda: admin.delete(f"{CATEGORIES}/lamps")) as (held, found):
        catalogue.change_product(held, {"name": "Brass vase", "category": "garden"})
    assert found[0].status_code == 204
    shown = {key: admin.get(f"{PRODUCTS}/{key}").expect(200) for key in (stays, moves)}
    assert [shown[key]["category"] for key in (stays, moves)] == [None, "garden"]
    assert shown[moves]["name"] == "Brass vase"


def test_a_tag_that_is_renamed_while_a_product_gets_it_has_its_new_name_there(admin: Any) -> None:
    key = make(admin, "L-1")
    admin.post(TAGS, json={"name": "Sale"}).expect(201)
    other = meanwhile(key, lambda: None)
    with other as (held, _):
        (tag,) = tagging.named(["sale"])
        renamed: list[Any] = []
        thread = threading.Thread(
            target=lambda: renamed.append(admin.patch(f"{TAGS}/sale", json={"name": "SALE"}))
        )
        thread.start()
        time.sleep(0.5)
        Product.update(tag_names=[tag.name]).where(Product.id == held.id).execute()
        tagging.link(held.id, [tag])
    thread.join(30)
    assert renamed[0].status_code == 200
    assert admin.get(f"{PRODUCTS}/{key}").expect(200)["tags"] == ["SALE"]


def test_a_category_is_renamed_while_many_of_its_products_are_written(admin: Any) -> None:
    admin.post(CATEGORIES, json={"name": "Lamps", "slug": "lamps"}).expect(201)
    first, second = (make(admin, sku, category="lamps") for sku in ("a", "b"))
    renamed: list[Any] = []
    rename = partial(admin.patch, f"{CATEGORIES}/lamps", json={"name": "Lights"})
    thread = threading.Thread(target=lambda: renamed.append(rename()))
    with transaction():
        facts.hold([first, second])
        catalogue.change_product(Product.find(second), {"name": "Brass"})
        thread.start()
        time.sleep(0.5)
        catalogue.change_product(Product.find(first), {"name": "Brass"})
    thread.join(30)
    assert renamed[0].status_code == 200


def test_many_at_once_with_the_same_words_in_other_orders_wait_in_no_ring(admin: Any) -> None:
    def rows(letter: str, numbers: list[int]) -> list[dict[str, Any]]:
        return [
            {"sku": f"{letter}{place:03}", "name": f"Thing {number}", "price": "1",
             "tags": [f"Tag {number}"]}
            for place, number in enumerate(numbers)
        ]  # fmt: skip

    numbers = list(range(60))
    sent = {"a": rows("a", numbers), "b": rows("b", numbers[::-1])}
    made = at_once(
        *(
            partial(admin.post, f"{PRODUCTS}/bulk", json={"products": some})
            for some in sent.values()
        )
    )
    assert [answer.expect(200)["created"] for answer in made] == [60, 60]
    assert [row["index"] for row in made[0].json["rows"]] == numbers
    assert Product.get(sku="b000").tag_names == ["Tag 59"]


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_who_gives_a_variant_its_sku_does_not_keep_others_from_theirs(admin: Any) -> None:
    shirt = make(admin, "shirt")
    found: list[Any] = []

    def write(sku: str) -> None:
        body = {"product": str(shirt), "sku": sku, "options": {"Size": sku}}
        found.append(admin.post("/api/v1/variants", json=body).status_code)

    with transaction():
        # As a bulk request or an import does, for seconds.
        skus.hold(["a", "b"], of_variants=False)
        waiting, free = (threading.Thread(target=write, args=(sku,)) for sku in ("a", "c"))
        waiting.start()
        free.start()
        free.join(5)
        assert (found, waiting.is_alive()) == ([201], True)
    waiting.join(30)
    assert found == [201, 201]


def test_a_tag_of_a_product_that_is_refused_is_not_left_over(admin: Any) -> None:
    rows = [{"sku": "a", "name": "A", "price": "1", "tags": ["New"]}, {"tags": ["Odd"]}]
    done = admin.post(f"{PRODUCTS}/bulk", json={"products": rows, "atomic": False}).expect(200)
    assert (done["created"], done["refused"]) == (1, 1)
    assert [tag["name"] for tag in admin.get(TAGS).expect(200)["results"]] == ["New"]


def at_once(*functions: Callable[[], Any]) -> list[Any]:
    """Call functions at the same moment; return what they did, in no order."""
    found: list[Any] = []
    barrier = threading.Barrier(len(functions))

    def run(function: Callable[[], Any]) -> None:
        barrier.wait(10)
        found.append(function())

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def test_products_of_one_name_that_come_at_once_have_a_slug_each(admin: Any) -> None:
    for turn in range(4):
        wanted = [{"name": f"Lamp {turn}", "sku": f"{turn}-{n}", "price": "1"} for n in range(3)]
        made = at_once(*(partial(admin.post, PRODUCTS, json=body) for body in wanted))
        slugs = {answer.expect(201)["slug"] for answer in made}
        assert slugs == {f"lamp-{turn}", f"lamp-{turn}-2", f"lamp-{turn}-3"}


def test_a_slug_goes_to_a_product_or_a_translation_and_not_to_both(admin: Any) -> None:
    lamp, vase = make(admin, "L-1"), make(admin, "V-1", name="Vase")
    for turn in range(4):
        slug = f"both-{turn}"
        text = f"{PRODUCTS}/{vase}/translations/de"
        made = at_once(
            partial(admin.patch, f"{PRODUCTS}/{lamp}", json={"slug": slug}),
            partial(admin.put, text, json={"slug": slug}),
        )
        assert sorted(answer.status_code for answer in made) == [200, 409]
        admin.put(text, json={"name": "Vase"}).expect(200)

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

from bodega_products import catalogue
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

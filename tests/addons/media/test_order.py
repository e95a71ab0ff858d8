"""Order, the primary picture, whose pictures they are, and how products show them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bodega_media.api import Details, add
from bodega_media.models import Image as Row
from bodega_media.models import ProductMedia
from bodega_sdk import newest_offset, read_log, uuid7
from bodega_sdk.errors import Conflict, InvalidInput
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.queries import query_counter

IMAGES, PRODUCTS = "/api/v1/media/images", "/api/v1/products"
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
Uploaded = Callable[..., dict[str, Any]]


def order(client: Client, product: str) -> list[tuple[str, int, bool]]:
    """Return a product's pictures: id, position, whether it is the primary."""
    params = {"product": product, "ordering": "position"}
    found = client.get(IMAGES, params=params).expect(200)["results"]
    return [(item["id"], item["position"], item["is_primary"]) for item in found]


def primary(client: Client, product: str) -> Any:
    """Return what a product shows of its pictures."""
    return client.get(f"{PRODUCTS}/{product}").expect(200)["media"]


def test_the_first_public_picture_is_the_primary_until_another_one_is(
    client: Client, staff: Client, product: str, uploaded: Uploaded
) -> None:
    assert primary(client, product) == {"primary": None, "count": 0}
    hidden = uploaded(is_private="true")
    assert primary(client, product) == {"primary": None, "count": 0}
    first, second = uploaded(alt="The lamp"), uploaded()
    ids = [hidden["id"], first["id"], second["id"]]
    assert order(staff, product) == [(ids[0], 0, False), (ids[1], 1, True), (ids[2], 2, False)]
    shown = primary(client, product)
    assert (shown["primary"]["id"], shown["count"]) == (first["id"], 2)
    assert shown["primary"]["url"] == first["url"]
    assert shown["primary"]["sizes"] == first["sizes"]
    assert (shown["primary"]["alt"], shown["primary"]["width"]) == ("The lamp", 64)
    third = uploaded(is_primary="true")
    assert [item[2] for item in order(staff, product)] == [False, False, False, True]
    assert primary(client, product)["primary"]["id"] == third["id"]


def test_a_picture_is_changed_and_the_product_shows_it(
    client: Client, staff: Client, product: str, uploaded: Uploaded
) -> None:
    one, two = uploaded(), uploaded()
    answer = staff.get(f"{IMAGES}/{two['id']}")
    matching = {"If-Match": answer.headers["ETag"]}
    changed = staff.patch(
        f"{IMAGES}/{two['id']}", {"is_primary": True, "alt": "Lit"}, headers=matching
    ).expect(200)
    assert (changed["is_primary"], changed["alt"]) == (True, "Lit")
    stale = staff.patch(f"{IMAGES}/{two['id']}", {"alt": "Off"}, headers=matching)
    assert stale.status_code == 412
    assert primary(client, product)["primary"]["alt"] == "Lit"
    # The primary cannot be none, and a private one cannot be it.
    for body in ({"is_primary": False}, {"is_primary": True, "is_private": True}):
        problem = staff.patch(f"{IMAGES}/{two['id']}", body).expect(422)
        assert problem["errors"][0]["field"] == "is_primary"
    hidden = staff.patch(f"{IMAGES}/{two['id']}", {"is_private": True}).expect(200)
    assert (hidden["is_primary"], hidden["url"]) == (False, None)
    assert primary(client, product)["primary"]["id"] == one["id"]


def test_pictures_are_put_into_an_order(
    files: Any, staff: Client, product: str, uploaded: Uploaded
) -> None:
    ids = [uploaded()["id"] for _ in range(4)]
    wanted = [ids[2], ids[0], ids[3], ids[1]]
    body = {"product": product, "images": wanted}
    found = staff.post(f"{IMAGES}/reorder", body).expect(200)["results"]
    assert [item["id"] for item in found] == wanted
    assert [item["position"] for item in found] == [0, 1, 2, 3]
    # Which one is shown in lists is another question.
    assert [item["id"] for item in found if item["is_primary"]] == [ids[0]]
    other = uploaded(product=files.make_product(staff))["id"]
    for bad in (ids[:3], [*ids, other], [*ids[:3], other], [*ids, ids[0]], []):
        problem = staff.post(f"{IMAGES}/reorder", body | {"images": bad}).expect(422)
        assert problem["errors"][0]["field"] == "images"
    staff.delete(f"{IMAGES}/{ids[0]}").expect(204)
    assert order(staff, product) == [(ids[2], 0, True), (ids[3], 1, False), (ids[1], 2, False)]


def test_of_twenty_uploads_at_once_one_is_the_primary(
    files: Any, staff: Client, product: str, crowd: Any
) -> None:
    pictures = [files.png() for _ in range(20)]
    calls = [
        lambda data=data, wish=bool(number % 2): files.upload(
            staff, product, data, is_primary=str(wish).lower()
        )
        for number, data in enumerate(pictures)
    ]
    assert [answer.status_code for answer in crowd.call(*calls)] == [201] * 20
    rows = list(Row.select().order_by(Row.position))
    assert [row.position for row in rows] == list(range(20))
    [chosen] = [row for row in rows if row.is_primary]
    told = ProductMedia.get()
    assert (told.image, told.stored, told.count) == (chosen.id, chosen.key, 20)


def test_changes_at_once_leave_one_primary_and_a_whole_order(
    files: Any, client: Client, staff: Client, product: str, uploaded: Uploaded, crowd: Any
) -> None:
    ids = [uploaded()["id"] for _ in range(6)]
    one = {"is_primary": True}
    calls = [lambda key=key: staff.patch(f"{IMAGES}/{key}", one) for key in ids[:4]]
    calls += [lambda key=key: staff.delete(f"{IMAGES}/{key}") for key in ids[4:]]
    calls += [lambda: files.upload(staff, product, files.png()) for _ in range(3)]
    calls += [lambda: staff.put(f"{PRODUCTS}/{product}", staff.get(f"{PRODUCTS}/{product}").json)]
    answers = crowd.call(*calls)
    assert {item.status_code for item in answers[:9]} == {200, 201, 204}, answers
    rows = list(Row.select().order_by(Row.position))
    assert [row.position for row in rows] == list(range(7))
    assert sum(row.is_primary for row in rows) == 1
    shown = primary(client, product)
    assert shown["primary"]["id"] == str(next(row.id for row in rows if row.is_primary))
    assert shown["count"] == 7


def test_a_product_that_is_written_keeps_its_pictures(
    client: Client, staff: Client, product: str, uploaded: Uploaded
) -> None:
    uploaded()
    before = primary(client, product)
    whole = {"name": "Another lamp", "sku": "L-2", "price": "5.00", "media": {}}
    staff.put(f"{PRODUCTS}/{product}", whole).expect(200)
    staff.patch(f"{PRODUCTS}/{product}", {"media": {}, "name": "A lamp"}).expect(200)
    assert primary(client, product) == before
    problem = staff.patch(f"{PRODUCTS}/{product}", {"media": {"count": 7}}).expect(422)
    assert problem["errors"][0]["field"].startswith("media")


def test_lists_of_products_include_pictures_by_one_query_and_the_primary_by_none(
    files: Any, client: Client, staff: Client, uploaded: Uploaded
) -> None:
    products = [files.make_product(staff) for _ in range(4)]
    for product in products[:3]:
        uploaded(product=product)
        uploaded(product=product, is_private="true")
    with query_counter() as plain:
        found = client.get(PRODUCTS).expect(200)["results"]
    assert sorted(item["media"]["count"] for item in found) == [0, 0, 1, 1, 1]
    with query_counter() as included:
        found = client.get(PRODUCTS, params={"include": "images"}).expect(200)["results"]
    assert sorted(len(item["images"]) for item in found) == [0, 0, 1, 1, 1]
    assert len(included) <= len(plain) + 1
    assert not any("media_image" in text for text in plain)
    one = client.get(f"{PRODUCTS}/{products[0]}", params={"include": "images"}).expect(200)
    [picture] = one["images"]
    assert picture["url"] == one["media"]["primary"]["url"]
    # Who looks after it sees the private one too.
    seen = staff.get(f"{PRODUCTS}/{products[0]}", params={"include": "images"}).expect(200)
    assert len(seen["images"]) == 2
    filled = client.get(PRODUCTS, params={"media.count__gte": 1}).expect(200)
    assert filled["count"] == 3


def test_vendors_look_after_the_pictures_of_their_own_products(
    files: Any, vendor_of: Any, staff: Client, client: Client
) -> None:
    acme, bolt = vendor_of("Acme"), vendor_of("Bolt")
    ours, shops = files.make_product(acme), files.make_product(staff)
    made = files.upload(acme, ours, files.png(), is_private="true").expect(201)
    where = f"{IMAGES}/{made['id']}"
    assert files.upload(bolt, ours, files.png()).expect(403)["detail"].endswith("yours to change.")
    assert files.upload(acme, shops, files.png()).status_code == 403
    assert files.upload(client, ours, files.png()).status_code == 401
    assert files.upload(client.as_user(), ours, files.png()).status_code == 403
    for answer in (
        bolt.get(where), bolt.patch(where, {"alt": "Mine"}), bolt.delete(where),
        bolt.post(f"{where}/links", {}),
    ):  # fmt: skip
        assert answer.status_code == 404
    order = {"product": ours, "images": [made["id"]]}
    assert bolt.post(f"{IMAGES}/reorder", order).status_code == 403
    assert bolt.get(IMAGES).expect(200)["count"] == 0
    colleague = vendor_of("Acme")
    assert colleague.get(IMAGES).expect(200)["count"] == 1
    assert colleague.patch(where, {"alt": "Ours"}).expect(200)["alt"] == "Ours"
    colleague.post(f"{where}/links", {}).expect(201)
    colleague.delete(where).expect(204)
    assert client.get(IMAGES).status_code == 401


def test_pictures_go_along_when_a_product_changes_hands(
    files: Any, vendor_of: Any, staff: Client, jobs: Any
) -> None:
    acme, bolt = vendor_of("Acme"), vendor_of("Bolt")
    product, theirs = files.make_product(acme), files.make_product(bolt)
    made = files.upload(acme, product, files.png()).expect(201)
    owner = staff.get(f"{PRODUCTS}/{theirs}").expect(200)["organization"]
    staff.patch(f"{PRODUCTS}/{product}", {"organization": owner}).expect(200)
    # Before anybody has heard of it.
    (picture,) = acme.get(f"{IMAGES}?product={product}").expect(200)["results"]
    assert acme.patch(f"{IMAGES}/{picture['id']}", {"alt": "Mine"}).status_code == 403
    assert acme.delete(f"{IMAGES}/{picture['id']}").status_code == 403
    jobs.run_all()
    assert acme.get(f"{IMAGES}/{made['id']}").status_code == 404
    assert bolt.get(f"{IMAGES}/{made['id']}").status_code == 200


@ONE_ENGINE
def test_a_product_has_so_many_pictures_and_no_more(
    files: Any, staff: Client, product: str, uploaded: Uploaded, setting: Any
) -> None:
    setting("pictures_per_product", 2)
    uploaded()
    uploaded()
    problem = files.upload(staff, product, files.png()).expect(409)
    assert "remove one first" in problem["detail"]


def test_events_tell_of_pictures_that_come_and_go(
    shop: Any, staff: Client, product: str, uploaded: Uploaded, jobs: Any
) -> None:
    start = newest_offset()
    made = uploaded(alt="Lit")
    staff.delete(f"{IMAGES}/{made['id']}").expect(204)
    staff.delete(f"{IMAGES}/{made['id']}").expect(404)
    jobs.run_all()
    added, removed = read_log(start, names=("media.*",))
    assert (added.name, removed.name) == ("media.image_added", "media.image_removed")
    assert added.key == removed.key == product
    assert added.data["id"] == removed.data["id"] == made["id"]
    assert (added.data["alt"], added.data["is_primary"]) == ("Lit", True)


def test_a_product_that_ends_while_its_picture_comes_is_named(
    files: Any, tmp_path: Path, staff: Client
) -> None:
    file = tmp_path / "lamp"
    file.write_bytes(files.png())
    with pytest.raises(InvalidInput, match="There is no product with this id"):
        add(file, Details(uuid7()))
    assert not Row.select().exists()


def test_a_product_that_goes_elsewhere_while_its_picture_comes_is_left_alone(
    files: Any, tmp_path: Path, staff: Client, vendor_of: Any
) -> None:
    file, ours = tmp_path / "lamp", files.make_product(vendor_of("Acme"))
    file.write_bytes(files.png())
    whose = UUID(staff.get(f"{PRODUCTS}/{ours}").expect(200)["organization"])
    with pytest.raises(Conflict, match="somebody else's"):
        add(file, Details(UUID(ours), uuid7()))
    assert add(file, Details(UUID(ours))).organization == whose
    staff.delete(f"{PRODUCTS}/{ours}").expect(204)
    with pytest.raises(InvalidInput, match="There is no product with this id"):
        add(file, Details(UUID(ours), whose))

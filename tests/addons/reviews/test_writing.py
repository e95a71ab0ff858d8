"""Writing reviews: one each, by whom, and what becomes of them when they are changed."""

from typing import Any
from uuid import UUID

import pytest

from bodega.addons import lifecycle
from bodega.database.tables import AuditRow, EventRow
from bodega_accounts.accounts import delete_account
from bodega_products.catalogue import delete_products
from bodega_products.models import Product
from bodega_reviews.models import Review
from bodega_reviews.writing import initials
from bodega_sdk import transaction, uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing.queries import query_counter

REVIEWS = "/api/v1/reviews"
ORDERS = """
from uuid import UUID

bought = set()


@hookimpl
def has_purchased(user: UUID, products: tuple[UUID, ...]) -> frozenset[UUID]:
    return frozenset(product for product in products if (user, product) in bought)
"""


def events() -> list[str]:
    """The names of the events of reviews."""
    mine = EventRow.select().where(EventRow.name.startswith("review."))
    return [row.name for row in mine.order_by(EventRow.id)]


def test_a_review_waits_for_approval_and_only_its_author_and_moderators_see_it(
    vera: Any, otto: Any, staff: Any, client: Any, lamp: str
) -> None:
    made = vera.review(lamp)
    assert (made["status"], made["verified"], made["helpful"]) == ("pending", False, 0)
    path = f"{REVIEWS}/{made['id']}"
    for one in (vera.client, staff.client):
        assert one.get(path).expect(200)["title"] == "Good"
        assert one.get(f"{REVIEWS}?product={lamp}").expect(200)["count"] == 1
    for other in (otto.client, client):
        other.get(path).expect(404)
        assert other.get(f"{REVIEWS}?product={lamp}").expect(200)["results"] == []
    assert events() == ["review.created"]


def test_an_approved_review_is_seen_by_all_without_saying_whose_account_it_is(
    vera: Any, otto: Any, client: Any, lamp: str, approve: Any
) -> None:
    made = approve(vera.review(lamp))
    for other in (otto.client, client):
        shown = other.get(f"{REVIEWS}/{made['id']}").expect(200)
        assert (shown["status"], shown["author"]) == ("approved", "V. B.")
        assert {"account", "reports"}.isdisjoint(shown)
    assert made["account"] == vera.id
    assert approve(made)["updated_at"]
    assert events() == ["review.created", "review.approved"]


def test_without_moderation_a_review_is_shown_at_once(
    vera: Any, client: Any, lamp: str, set_to: Any
) -> None:
    set_to("moderation", False)
    made = vera.review(lamp)
    assert client.get(f"{REVIEWS}/{made['id']}").expect(200)["status"] == "approved"
    assert events() == ["review.created", "review.approved"]


def test_a_second_review_of_a_product_is_refused_naming_the_first(
    vera: Any, otto: Any, lamp: str
) -> None:
    first = vera.review(lamp)
    again = vera.client.post(REVIEWS, {"product": lamp, "rating": 1}).expect(409)
    assert again["review"] == first["id"]
    assert first["id"] in again["detail"]
    assert again["errors"][0]["field"] == "product"
    otto.review(lamp)


def test_of_eight_reviews_sent_at_once_one_is_written(vera: Any, lamp: str, at_once: Any) -> None:
    body = {"product": lamp, "rating": 3}
    answers = at_once(*[lambda: vera.client.post(REVIEWS, body)] * 8)
    assert sorted(item.status_code for item in answers) == [201] + [409] * 7
    made = next(item.json["id"] for item in answers if item.status_code == 201)
    assert {item.json["review"] for item in answers if item.status_code == 409} == {made}
    assert Review.select().count() == 1


def test_a_product_that_is_not_there_or_not_sold_cannot_be_reviewed(
    vera: Any, make_product: Any, admin: Any
) -> None:
    gone = make_product("Gone")
    admin.delete(f"/api/v1/products/{gone}").expect(204)
    for product in (str(uuid7()), gone, make_product("Hidden", is_active=False)):
        refused = vera.client.post(REVIEWS, {"product": product, "rating": 3}).expect(422)
        assert refused["errors"][0]["field"] == "product"


def test_stars_are_whole_and_from_one_to_five(vera: Any, lamp: str) -> None:
    for stars in (0, 6, 3.5, "3", None, True):
        refused = vera.client.post(REVIEWS, {"product": lamp, "rating": stars}).expect(422)
        assert refused["errors"][0]["field"] == "rating"


def test_nobody_who_is_not_logged_in_writes(client: Any, lamp: str) -> None:
    client.post(REVIEWS, {"product": lamp, "rating": 3}).expect(401)


def test_somebody_without_an_account_is_told_so(client: Any, lamp: str) -> None:
    client.as_user().post(REVIEWS, {"product": lamp, "rating": 3}).expect(403)


@pytest.fixture
def orders(shop: Any, addon: Any) -> Any:
    """An addon that knows what was bought."""
    addon("sales", ORDERS, ("accounts", "reviews"))
    with bound(shop.current):
        import bodega_test_sales.plugin as plugin

        yield plugin


def test_who_has_bought_a_product_is_marked_as_verified(
    vera: Any, otto: Any, lamp: str, orders: Any
) -> None:
    orders.bought.add((UUID(vera.id), UUID(lamp)))
    assert vera.review(lamp)["verified"] is True
    late = otto.review(lamp)
    assert late["verified"] is False
    orders.bought.add((UUID(otto.id), UUID(lamp)))
    changed = otto.client.patch(f"{REVIEWS}/{late['id']}", {"rating": 5}).expect(200)
    assert changed["verified"] is True


def test_only_buyers_may_review_where_the_shop_says_so(
    vera: Any, otto: Any, lamp: str, orders: Any, set_to: Any
) -> None:
    orders.bought.add((UUID(vera.id), UUID(lamp)))
    set_to("only_buyers_may_review", True)
    vera.review(lamp)
    refused = otto.client.post(REVIEWS, {"product": lamp, "rating": 1}).expect(403)
    assert refused["errors"][0]["field"] == "product"


def test_a_changed_review_waits_again(vera: Any, client: Any, lamp: str, approve: Any) -> None:
    made = approve(vera.review(lamp))
    path = f"{REVIEWS}/{made['id']}"
    changed = vera.client.patch(path, {"text": "It broke.", "rating": 1}).expect(200)
    assert (changed["status"], changed["title"], changed["rating"]) == ("pending", "Good", 1)
    client.get(path).expect(404)
    refused = vera.client.patch(path, {"product": str(uuid7())}).expect(422)
    assert refused["errors"][0]["field"] == "product"
    assert events() == ["review.created", "review.approved", "review.changed"]


def test_only_its_author_changes_a_review_and_moderators_can_delete_it(
    vera: Any, otto: Any, staff: Any, lamp: str, approve: Any
) -> None:
    path = f"{REVIEWS}/{approve(vera.review(lamp))['id']}"
    for other in (otto.client, staff.client):
        other.patch(path, {"rating": 1}).expect(403)
        other.put(path, {"product": lamp, "rating": 1}).expect(403)
    otto.client.delete(path).expect(403)
    staff.client.delete(path).expect(204)
    acts = [(row.action, row.target) for row in AuditRow.select().order_by(AuditRow.seq)]
    assert acts[-2:] == [
        ("review.approved", f"review:{path[-36:]}"),
        ("review.deleted", f"review:{path[-36:]}"),
    ]
    assert vera.client.get(path).expect(404)
    assert events()[-1] == "review.deleted"


def test_a_rejected_review_tells_its_author_why(
    vera: Any, otto: Any, staff: Any, lamp: str, approve: Any
) -> None:
    made = approve(vera.review(lamp))
    path = f"{REVIEWS}/{made['id']}"
    otto.client.post(f"{path}/reject", {"reason": "No."}).expect(403)
    staff.client.post(f"{path}/reject", {}).expect(422)
    staff.client.post(f"{path}/reject", {"reason": "It is an ad."}).expect(200)
    assert vera.client.get(path).expect(200)["reason"] == "It is an ad."
    otto.client.get(path).expect(404)
    assert events()[-1] == "review.rejected"
    mended = vera.client.patch(path, {"text": "Sorry."}).expect(200)
    assert (mended["status"], mended["reason"]) == ("pending", "")


def test_a_change_of_an_old_version_is_refused(vera: Any, lamp: str) -> None:
    made = vera.review(lamp)
    path = f"{REVIEWS}/{made['id']}"
    tag = vera.client.get(path).headers["etag"]
    vera.client.patch(path, {"rating": 1}, headers={"If-Match": tag}).expect(200)
    vera.client.patch(path, {"rating": 2}, headers={"If-Match": tag}).expect(412)


def test_one_sees_what_became_of_one_s_own_reviews(
    vera: Any, otto: Any, make_product: Any, approve: Any
) -> None:
    approve(vera.review(make_product("A")))
    vera.review(make_product("B"))
    otto.review(make_product("C"))
    mine = vera.client.get(f"{REVIEWS}/mine").expect(200)
    assert [item["status"] for item in mine["results"]] == ["pending", "approved"]
    assert vera.client.get(f"{REVIEWS}/mine?status=approved").expect(200)["count"] == 1
    profile = vera.client.get("/api/v1/auth/me").expect(200)
    assert profile["links"]["reviews"] == f"{REVIEWS}/mine"


def test_an_author_is_called_as_they_chose_or_by_their_initials(
    vera: Any, otto: Any, make_product: Any
) -> None:
    assert initials("Ada King  Countess of Lovelace") == "A. K. C."
    assert initials("émile zola") == "É. Z."
    assert initials("") == ""
    made = vera.review(make_product("A"), author=" Sunny ")
    assert made["author"] == "Sunny"
    back = vera.client.patch(f"{REVIEWS}/{made['id']}", {"author": None}).expect(200)
    assert back["author"] == "V. B."
    assert otto.review(make_product("B"), author="")["author"] == "O."


def test_an_author_whose_account_is_gone_is_named_no_more(
    vera: Any, client: Any, lamp: str, approve: Any, jobs: Any
) -> None:
    made = approve(vera.review(lamp, author="Sunny"))
    with transaction():
        delete_account(vera.account)
    shown = client.get(f"{REVIEWS}/{made['id']}").expect(200)
    assert (shown["author"], shown["text"]) == ("", "It works.")
    jobs.run_all()
    row = Review.get_by_id(made["id"])
    assert (row.author, row.account, row.rating) == ("", None, 4)


def test_reviews_of_a_deleted_product_are_shown_to_moderators_only(
    vera: Any, otto: Any, staff: Any, admin: Any, lamp: str, approve: Any, jobs: Any
) -> None:
    made = approve(vera.review(lamp))
    admin.delete(f"/api/v1/products/{lamp}").expect(204)
    jobs.run_all()
    assert otto.client.get(f"{REVIEWS}?product={lamp}").expect(200)["count"] == 0
    assert vera.client.get(f"{REVIEWS}/mine").expect(200)["count"] == 1
    assert staff.client.get(f"{REVIEWS}/{made['id']}").expect(200)["rating"] == 4
    admin.post(f"/api/v1/products/{lamp}/restore").expect(200)
    jobs.run_all()
    assert otto.client.get(f"{REVIEWS}?product={lamp}").expect(200)["count"] == 1


def test_reviews_of_a_product_that_is_not_sold_are_shown_to_their_authors_and_moderators(
    vera: Any, otto: Any, staff: Any, admin: Any, client: Any, lamp: str, approve: Any
) -> None:
    made, product = approve(vera.review(lamp)), f"/api/v1/products/{lamp}"
    summary, item = f"{REVIEWS}/summary?product={lamp}", f"{REVIEWS}/{made['id']}"
    admin.patch(product, {"is_active": False}).expect(200)
    for somebody in (otto.client, client):
        assert somebody.get(f"{REVIEWS}?product={lamp}").expect(200)["count"] == 0
        assert somebody.get(item).status_code == somebody.get(summary).status_code == 404
    assert otto.client.post(f"{item}/helpful").status_code == 404
    assert vera.client.get(item).expect(200)["rating"] == 4
    assert staff.client.get(item).expect(200)["rating"] == 4
    assert staff.client.get(summary).expect(200)["count"] == 1
    admin.patch(product, {"is_active": True}).expect(200)
    assert client.get(f"{REVIEWS}?product={lamp}").expect(200)["count"] == 1
    assert client.get(summary).expect(200)["count"] == 1


def test_reviews_of_products_deleted_together_are_withdrawn(
    vera: Any, client: Any, make_product: Any, approve: Any, jobs: Any
) -> None:
    made = [make_product(name) for name in "AB"]
    for product in made:
        approve(vera.review(product))
    with transaction():
        delete_products(Product.select())
    jobs.run_all()
    assert client.get(REVIEWS).expect(200)["count"] == 0


def test_reviews_are_found_by_stars_purchase_and_status_and_ordered(
    person: Any, staff: Any, client: Any, lamp: str, approve: Any
) -> None:
    for number, stars in enumerate((3, 5, 5, 1)):
        approve(person(f"p{number}").review(lamp, rating=stars))
    person("late").review(lamp, rating=2)
    assert client.get(f"{REVIEWS}?product={lamp}&rating=5").expect(200)["count"] == 2
    assert client.get(f"{REVIEWS}?verified=true").expect(200)["count"] == 0
    assert client.get(f"{REVIEWS}?status=pending").expect(200)["count"] == 0
    assert staff.client.get(f"{REVIEWS}?status=pending").expect(200)["count"] == 1
    found = client.get(f"{REVIEWS}?ordering=-rating&page_size=3").expect(200)["results"]
    assert [item["rating"] for item in found] == [5, 5, 3]
    client.get(f"{REVIEWS}?rating=6").expect(400)


def test_a_list_takes_as_few_queries_however_long_it_is(
    person: Any, client: Any, lamp: str, approve: Any
) -> None:
    for number in range(5):
        approve(person(f"p{number}").review(lamp))
    for query in (f"?product={lamp}", "?ordering=-helpful&rating=4", "?cursor="):
        with query_counter() as queries:
            assert client.get(f"{REVIEWS}{query}").expect(200)["count"] == 5
        assert len(queries) <= 4, queries


def test_without_the_addon_there_is_nothing_of_it(
    shop: Any, admin: Any, lamp: str, vera: Any, approve: Any
) -> None:
    before = admin.get(f"/api/v1/products/{lamp}").expect(200)
    approve(vera.review(lamp))
    lifecycle.disable(shop, "reviews")
    shop.refresh()
    with bound(shop.current):
        after = admin.get(f"/api/v1/products/{lamp}").expect(200)
        assert after == {name: value for name, value in before.items() if name != "reviews"}
        admin.get(REVIEWS).expect(404)
        admin.get("/api/v1/products?reviews.rating__gte=1").expect(400)
        assert "reviews" not in admin.get("/api/schema").text
    lifecycle.enable(shop, "reviews")
    shop.refresh()
    with bound(shop.current):
        assert admin.get(f"/api/v1/products/{lamp}").expect(200)["reviews"]["count"] == 1

"""Ratings of products: right after every change, whoever else writes, and made anew."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from bodega_reviews import api, ratings
from bodega_reviews.models import Rating, Review
from bodega_sdk import uuid7

REVIEWS = "/api/v1/reviews"
PRODUCTS = "/api/v1/products"


@pytest.fixture
def rating_of(client: Any) -> Callable[[str], Any]:
    """What a product shows of its reviews."""
    return lambda product: client.get(f"{PRODUCTS}/{product}").expect(200)["reviews"]


def test_only_approved_reviews_count_with_the_stars_they_have_now(
    vera: Any, otto: Any, staff: Any, lamp: str, approve: Any, rating_of: Any
) -> None:
    assert rating_of(lamp) == {"rating": None, "count": 0}
    first, second = vera.review(lamp, rating=5), otto.review(lamp, rating=2)
    assert rating_of(lamp)["count"] == 0
    approve(first)
    approve(second)
    assert rating_of(lamp) == {"rating": "3.50", "count": 2}
    vera.client.patch(f"{REVIEWS}/{first['id']}", {"rating": 1}).expect(200)
    assert rating_of(lamp) == {"rating": "2.00", "count": 1}
    approve(first)
    assert rating_of(lamp) == {"rating": "1.50", "count": 2}
    staff.client.post(f"{REVIEWS}/{second['id']}/reject", {"reason": "No."}).expect(200)
    assert rating_of(lamp) == {"rating": "1.00", "count": 1}
    vera.client.delete(f"{REVIEWS}/{first['id']}").expect(204)
    assert rating_of(lamp) == {"rating": None, "count": 0}


def test_a_rating_has_two_decimals(person: Any, lamp: str, approve: Any, rating_of: Any) -> None:
    for number, stars in enumerate((5, 5, 4)):
        approve(person(f"p{number}").review(lamp, rating=stars))
    assert rating_of(lamp) == {"rating": "4.67", "count": 3}
    facts = api.ratings_of([Review.get().product])
    assert [(str(item.rating), item.count) for item in facts.values()] == [("4.67", 3)]


def test_products_are_found_and_ordered_by_their_rating(
    person: Any, client: Any, make_product: Any, approve: Any
) -> None:
    stars = {"A": (5, 4), "B": (3,), "C": ()}
    for name, given in stars.items():
        product = make_product(name)
        for number in given:
            approve(person(uuid7().hex).review(product, rating=number))

    def names(query: str) -> list[str]:
        found = client.get(f"{PRODUCTS}?{query}").expect(200)["results"]
        return [item["name"] for item in found]

    assert names("reviews.rating__gte=4") == ["A"]
    assert names("rating_min=4.5") == ["A"]
    assert names("rating_min=4.51") == []
    assert sorted(names("rating_min=0")) == ["A", "B", "C"]
    assert sorted(names("reviews.count__lte=0")) == ["C"]
    assert names("ordering=-reviews.rating") == ["A", "B", "C"]
    assert names("ordering=reviews.count") == ["C", "B", "A"]
    page = client.get(f"{PRODUCTS}?ordering=-reviews.rating&cursor=&page_size=1").expect(200)
    rest = client.get(page["next"].partition("://")[2].partition("/")[2].join(("/", "")))
    assert [item["name"] for item in rest.expect(200)["results"]] == ["B"]


def test_nobody_writes_a_rating(admin: Any, vera: Any, lamp: str, approve: Any) -> None:
    approve(vera.review(lamp, rating=5))
    for body in ({}, {"rating": "5.00"}, {"count": 7}):
        refused = admin.patch(f"{PRODUCTS}/{lamp}", {"reviews": body}).expect(422)
        assert refused["errors"][0]["field"].startswith("reviews")
    assert admin.get(f"{PRODUCTS}/{lamp}").expect(200)["reviews"]["count"] == 1


def test_a_summary_counts_the_stars(
    person: Any, client: Any, lamp: str, make_product: Any, approve: Any
) -> None:
    for number, stars in enumerate((5, 5, 4, 1)):
        approve(person(f"p{number}").review(lamp, rating=stars))
    approve(person("other").review(make_product("Chair"), rating=2))
    person("waiting").review(lamp, rating=3)
    assert client.get(f"{REVIEWS}/summary?product={lamp}").expect(200) == {
        "product": lamp,
        "rating": "3.75",
        "count": 4,
        "histogram": {"one": 1, "two": 0, "three": 0, "four": 1, "five": 2},
    }
    whole = client.get(f"{REVIEWS}/summary").expect(200)
    assert (whole["product"], whole["rating"], whole["count"]) == (None, "3.40", 5)
    empty = client.get(f"{REVIEWS}/summary?product={make_product('New')}").expect(200)
    assert (empty["rating"], empty["count"]) == (None, 0)
    client.get(f"{REVIEWS}/summary?product={uuid7()}").expect(404)


def counted(product: Any) -> list[int]:
    """How many approved reviews of a product give so many stars."""
    rows = Review.select().where((Review.product == product) & (Review.status == "approved"))
    stars = [row.rating for row in rows]
    return [stars.count(number) for number in range(1, 6)]


def test_ratings_are_right_whatever_eight_threads_do_at_once(
    person: Any, staff: Any, make_product: Any, at_once: Any
) -> None:
    products = [make_product(name) for name in "AB"]
    people = [person(f"p{number}") for number in range(8)]
    reviews = [(one, one.review(product, rating=3)) for one in people for product in products]

    def act(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(25):
            author, made = chance.choice(reviews)
            path = f"{REVIEWS}/{made['id']}"
            verb = chance.choice(("approve", "approve", "reject", "change", "delete", "write"))
            if verb == "change":
                author.client.patch(path, {"rating": chance.randint(1, 5)})
            elif verb == "delete" and chance.random() < 0.1:
                author.client.delete(path)
            elif verb == "write":
                body = {"product": made["product"], "rating": chance.randint(1, 5)}
                author.client.post(REVIEWS, body)
            else:
                staff.client.post(f"{path}/{verb}", {"reason": "x"} if verb == "reject" else None)

    at_once(*[lambda seed=seed: act(seed) for seed in range(8)])
    for product in products:
        assert list(Rating.read(product).stars) == counted(product)
    assert ratings.recount() == 0


def test_the_command_recounts_what_is_wrong(
    vera: Any, lamp: str, approve: Any, run: Any, rating_of: Any
) -> None:
    made = approve(vera.review(lamp, rating=5))
    Rating.update(one=7, count=8).execute()
    Review.update(helpful=9, reports=9).execute()
    told = run("reviews", "recount")
    assert told == "Ratings that were wrong: 1. Reviews with wrong votes or reports: 1.\n"
    assert rating_of(lamp) == {"rating": "5.00", "count": 1}
    assert Review.get_by_id(made["id"]).helpful == 0
    assert "wrong: 0." in run("reviews", "recount")


def test_a_recount_beside_writers_leaves_everything_right(
    person: Any, staff: Any, lamp: str, at_once: Any
) -> None:
    made = [person(f"p{number}").review(lamp, rating=number % 5 + 1) for number in range(10)]

    def approve_all() -> None:
        for item in made:
            staff.client.post(f"{REVIEWS}/{item['id']}/approve").expect(200)

    def reject_some() -> None:
        for item in made[::2]:
            staff.client.post(f"{REVIEWS}/{item['id']}/reject", {"reason": "x"}).expect(200)

    def recount() -> None:
        for _ in range(10):
            ratings.recount()

    at_once(approve_all, reject_some, *[_bound(staff, recount)] * 2)
    assert list(Rating.read(lamp).stars) == counted(lamp)


def _bound(staff: Any, function: Callable[[], None]) -> Callable[[], None]:
    from bodega_sdk.runtime import bound

    def run() -> None:
        with bound(staff.client.shop.current):
            function()

    return run

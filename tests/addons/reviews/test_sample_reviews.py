"""Sample reviews: of the sample products, made after them and removed before them."""

from typing import Any

from bodega_reviews import ratings
from bodega_reviews.models import Rating, Review


def test_sample_products_have_reviews_that_count(run: Any, client: Any) -> None:
    told = run("sample-data", "--count", "20")
    assert told.index("products:") < told.index("reviews:")
    number = Review.select().count()
    assert f"{number} reviews" in told
    found = client.get("/api/v1/products?page_size=200").expect(200)["results"]
    assert sum(item["reviews"]["count"] for item in found) == number > 20
    assert ratings.recount() == 0
    assert "Nothing to do" in run("sample-data", "--count", "20")
    assert Review.select().count() == number


def test_removing_samples_leaves_the_reviews_that_people_wrote(
    run: Any, vera: Any, lamp: str, approve: Any, client: Any
) -> None:
    mine = approve(vera.review(lamp))
    run("sample-data", "--count", "20", "--beside-real-data")
    run("sample-data", "--remove")
    assert [str(row.id) for row in Review.select()] == [mine["id"]]
    assert [str(row.id) for row in Rating.select()] == [lamp]


def test_a_shop_with_reviews_of_people_is_not_a_shop_to_try_out(
    run: Any, vera: Any, lamp: str
) -> None:
    vera.review(lamp)
    run("sample-data", code=1)
    assert Review.select().count() == 1

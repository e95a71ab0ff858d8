"""Sample reviews of the sample products: made of parts, by nobody."""

from random import Random
from uuid import UUID

from bodega_products import api as products
from bodega_reviews import ratings
from bodega_reviews.models import Review
from bodega_sdk import SampleData, SampleRun, sample_id
from bodega_sdk.bulk import portions

_KIND = "reviews.review"
#: Of one product at most; numbers of reviews are of ten for each product.
_MOST = 5
_PLACES = 10
_KEYS = 500
#: Of the ids that ``sample_id`` makes.
_VERSION = 5
_OPENINGS = {
    1: ("Not for me", "Sent back"), 2: ("Less than I hoped", "So-so"), 3: ("Does its job", "Fine"),
    4: ("Good value", "Glad I chose it"), 5: ("Exactly right", "Would buy it again"),
}  # fmt: skip
_SENTENCES = (
    "It came well packed.", "The colour is as shown.", "My second one by now.",
    "It feels sturdy.", "Setting it up took five minutes.", "A little smaller than I thought.",
    "I use it every day.", "A present, and it was welcome.",
)  # fmt: skip


def declared() -> list[SampleData]:
    """Return what makes them, and takes them away."""
    return [SampleData(_make, _remove, _others)]


def _make(run: SampleRun) -> None:
    wanted = [sample_id("products.product", number) for number in range(run.count)]
    there = products.products_of(wanted)
    known = _known()
    for number, product in enumerate(wanted):
        if product in there:
            _review(run, number, product, known)
        run.progress(number + 1, run.count)
    ratings.recount(there)


def _review(run: SampleRun, number: int, product: UUID, known: set[UUID]) -> None:
    chance = run.draw(f"{_KIND} {number}")
    for place in range(chance.randint(0, _MOST)):
        key, row = sample_id(_KIND, number * _PLACES + place), _row(chance)
        if key in known:
            run.found("reviews")
        else:
            Review.create(id=key, product=product, status="approved", **row)
            run.made("reviews")


def _row(chance: Random) -> dict[str, object]:
    stars = chance.choice((1, 2, 3, 4, 4, 4, 5, 5, 5, 5))
    text = " ".join(chance.sample(_SENTENCES, chance.randint(1, 3)))
    return {"rating": stars, "title": chance.choice(_OPENINGS[stars]), "text": text}


def _known() -> set[UUID]:
    """Return the sample reviews that are there: nobody wrote them, and their ids say so."""
    nobodys = Review.select(Review.id).where(Review.account.is_null()).tuples()
    # What people write has ids of version 7; those of samples are names of their numbers.
    return {key for (key,) in nobodys if key.version == _VERSION}


def _remove(run: SampleRun) -> None:
    known = sorted(_known())
    of = {key for (key,) in Review.select(Review.product).where(
        Review.account.is_null()).distinct().tuples()}  # fmt: skip
    for some in portions(known, _KEYS):
        Review.delete().where(Review.id.in_(list(some))).execute()
    run.made("reviews", len(known))
    ratings.recount(of)


def _others() -> int:
    written: int = Review.select().where(Review.account.is_null(False)).count()
    return written

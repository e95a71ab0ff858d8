"""The rating of a product: kept with each change of a review, under a lock of its own.

Whoever changes what counts of a review holds the review first and then the rating, and
moves it in the same transaction; so it is right whoever else is at work.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import peewee

from bodega_reviews.models import STARS, Rating, Report, Review, Vote
from bodega_sdk import transaction
from bodega_sdk.bulk import portions

_NAMES = ("one", "two", "three", "four", "five")
_CENT = Decimal("0.01")
#: Rows of one transaction of a recount.
_PORTION = 200


def move(product: UUID, before: int | None, after: int | None) -> None:
    """Count a review out of its product's rating, and in again with other stars.

    Args:
        before: the stars it was counted with; None when it was not.
        after: those it is counted with now; None when it is not.
    """
    if before == after:
        return
    held = Rating.hold(product)
    counts = list(held.stars)
    for stars, step in ((before, -1), (after, 1)):
        if stars is not None:
            counts[stars - 1] += step
    _keep(product, counts)


def _keep(product: UUID, counts: Sequence[int]) -> None:
    count = sum(counts)
    total = sum(stars * number for stars, number in zip(STARS, counts, strict=True))
    rating = (Decimal(total) / count).quantize(_CENT) if count else Decimal(0)
    values = dict(zip(_NAMES, counts, strict=True))
    Rating.write(product, rating=rating, count=count, **values)


def recount(products: Iterable[UUID] | None = None) -> int:
    """Make ratings anew of the approved reviews; return how many were wrong.

    Others may write meanwhile: each product's rating is held while its reviews are counted.

    Args:
        products: of all when None.
    """
    wanted = sorted(_all() if products is None else set(products))
    return sum(_recount(some) for some in portions(wanted, _PORTION))


def _all() -> set[UUID]:
    rated, reviewed = Rating.select(Rating.id), Review.select(Review.product).distinct()
    return {key for query in (rated, reviewed) for (key,) in query.tuples()}


def _recount(products: Iterable[UUID]) -> int:
    wrong = 0
    with transaction():
        for product in products:
            held = Rating.hold(product)
            counts = _counted(product)
            if list(held.stars) != counts:
                _keep(product, counts)
                wrong += 1
    return wrong


def _counted(product: UUID) -> list[int]:
    own = (Review.product == product) & (Review.status == "approved")
    query = Review.select(Review.rating, peewee.fn.COUNT(Review.id)).where(own)
    found = dict(query.group_by(Review.rating).tuples())
    return [int(found.get(stars, 0)) for stars in STARS]


def recount_votes() -> int:
    """Count anew how many found reviews helpful or reported them; return how many were wrong."""
    wrong = 0
    keys = [key for (key,) in Review.select(Review.id).order_by(Review.id).tuples()]
    for some in portions(keys, _PORTION):
        with transaction():
            wrong += sum(_recount_votes(key) for key in some)
    return wrong


def _recount_votes(key: UUID) -> bool:
    review = Review.find(key, lock=True)
    if review is None:
        return False
    helpful, reports = _number_of(Vote, key), _number_of(Report, key)
    if (review.helpful, review.reports) == (helpful, reports):
        return False
    Review.update(helpful=helpful, reports=reports).where(Review.id == key).execute()
    return True


def _number_of(model: Any, review: UUID) -> int:
    number: int = model.select().where(model.review == review).count()
    return number


def summary(product: UUID | None) -> Rating:
    """Return the rating of a product, or of all of them together."""
    if product is not None:
        return Rating.read(product)
    sums = [peewee.fn.COALESCE(peewee.fn.SUM(getattr(Rating, name)), 0) for name in _NAMES]
    counts = [int(number) for number in Rating.select(*sums).tuples().get()]
    count = sum(counts)
    total = sum(stars * number for stars, number in zip(STARS, counts, strict=True))
    rating = (Decimal(total) / count).quantize(_CENT) if count else Decimal(0)
    return Rating(rating=rating, count=count, **dict(zip(_NAMES, counts, strict=True)))

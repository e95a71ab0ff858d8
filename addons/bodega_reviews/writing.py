"""Writing, changing and deleting reviews. Call these in a transaction."""

from typing import Any
from uuid import UUID

import peewee

from bodega_accounts import api as accounts
from bodega_products import api as products
from bodega_reviews import events, ratings
from bodega_reviews.hookspecs import has_purchased
from bodega_reviews.models import Report, Review
from bodega_sdk import audit, now, setting, transaction
from bodega_sdk.errors import Conflict, FieldError, InvalidInput, PermissionDenied, invalid

_MOST_INITIALS = 3


def write(account: UUID, data: dict[str, Any]) -> Review:
    """Write somebody's review of a product.

    Raises:
        InvalidInput: there is no such product.
        PermissionDenied: only those who bought it may.
        Conflict: they have reviewed it already.
    """
    person = _person(account)
    _refuse_unknown(data["product"])
    verified = _is_verified(account, data["product"])
    author = data.pop("author") or initials(person.name)
    review = _insert(account, data | {"author": author, "verified": verified})
    events.publish(events.review_created, review)
    _shown(review, None)
    return review


def _person(account: UUID) -> accounts.Person:
    found = accounts.people([account]).get(account)
    if found is None:
        raise PermissionDenied("You have no account here, so you cannot write reviews.")
    return found


def _refuse_unknown(product: UUID) -> None:
    found = products.products_of([product]).get(product)
    if found is None or not found.is_active:
        raise invalid("product", "There is no product with this id.", str(product))


def _is_verified(account: UUID, product: UUID) -> bool:
    """Whether somebody has bought a product, so that they may say so.

    Raises:
        PermissionDenied: they have not, and only then may they review it.
    """
    verified = product in (has_purchased(account, (product,)) or ())
    if not verified and setting("reviews.only_buyers_may_review"):
        raise PermissionDenied(
            "Only those who bought a product may review it.",
            [FieldError("product", "You have not bought it.", str(product))],
        )
    return verified


def initials(name: str) -> str:
    """Return the initials of a name: ``A. L.`` of ``Ada Lovelace``."""
    return " ".join(f"{word[0].upper()}." for word in name.split()[:_MOST_INITIALS])


def _insert(account: UUID, data: dict[str, Any]) -> Review:
    status = "pending" if setting("reviews.moderation") else "approved"
    try:
        # A savepoint, so that we can look what is there.
        with transaction():
            made: Review = Review.create(**data | {"account": account, "status": status})
    except peewee.IntegrityError:
        raise _refusal(account, data["product"]) from None
    return made


def _refusal(account: UUID, product: UUID) -> Conflict | InvalidInput:
    mine = (Review.account == account) & (Review.product == product)
    first = Review.get_or_none(mine)
    if first is None:
        return invalid("product", "It was deleted just now.", str(product))
    return Conflict(
        f"You have reviewed this product already; change /reviews/{first.id} instead.",
        [FieldError("product", f"Your review of it is {first.id}.", str(product))],
        extra={"review": str(first.id)},
    )


def change(review: Review, data: dict[str, Any]) -> Review:
    """Change a review as its author; it waits to be approved again.

    Raises:
        InvalidInput: it would be of another product.
        PermissionDenied: only those who bought the product may.
    """
    if data.pop("product", review.product) != review.product:
        raise invalid("product", "A review stays with its product; write another one.")
    before, status = _stars(review), review.status
    if "author" in data:
        data["author"] = data["author"] or initials(_person(review.account).name)
    review.verified = _is_verified(review.account, review.product)
    review.status = "pending" if setting("reviews.moderation") else "approved"
    review.reason, review.updated_at = "", now()
    for name, value in data.items():
        setattr(review, name, value)
    _save(review)
    events.publish(events.review_changed, review, status_before=status)
    _shown(review, before)
    return review


def _save(review: Review) -> None:
    # These columns only: votes and reports have their own.
    names = ("rating", "title", "text", "author", "verified", "status", "reason", "updated_at")
    values = {name: getattr(review, name) for name in names}
    Review.update(values).where(Review.id == review.id).execute()


def _stars(review: Review) -> int | None:
    return int(review.rating) if review.counted else None


def _shown(review: Review, before: int | None) -> None:
    """Move the rating, and say that a review became visible."""
    after = _stars(review)
    ratings.move(review.product, before, after)
    if before is None and after is not None:
        events.publish(events.review_approved, review)


def delete(review: Review) -> None:
    """Delete a review with its votes and reports."""
    events.publish(events.review_deleted, review)
    ratings.move(review.product, _stars(review), None)
    review.delete_instance()


def decide(review: Review, status: str, reason: str = "") -> Review:
    """Approve or reject a review; what was reported of it is settled. Nothing twice.

    Args:
        status: ``approved`` or ``rejected``.
        reason: for its author.
    """
    if (review.status, review.reason, review.reports) == (status, reason, 0):
        return review
    before, told = _stars(review), review.status != status or review.reason != reason
    review.status, review.reason = status, reason
    _save(review)
    settle(review)
    _shown(review, before)
    if told and status == "rejected":
        events.publish(events.review_rejected, review, reason=reason)
    audit(f"review.{status}", f"review:{review.id}", reason=reason)
    return review


def settle(review: Review) -> None:
    """Forget what was reported of a review."""
    Report.delete().where(Report.review == review.id).execute()
    Review.update(reports=0).where(Review.id == review.id).execute()
    review.reports = 0

"""The events of reviews; their key is the review's id."""

from typing import Any

from bodega_reviews.models import Review
from bodega_sdk import Event

_FIELDS = {
    "id": "UUID",
    "product": "UUID",
    "account": "UUID of its author, or null",
    "rating": "1 to 5",
    "title": "text",
    "status": "pending, approved or rejected",
    "verified": "whether its author has bought the product",
}
review_created = Event("review.created", "A review was written.", _FIELDS)
review_changed = Event(
    "review.changed", "A review was changed by its author.",
    _FIELDS | {"status_before": "pending, approved or rejected"},
)  # fmt: skip
review_approved = Event("review.approved", "A review became visible to all.", _FIELDS)
review_rejected = Event(
    "review.rejected", "A review was refused.", _FIELDS | {"reason": "why, for its author"}
)
review_deleted = Event("review.deleted", "A review was deleted.", _FIELDS)
review_reported = Event(
    "review.reported",
    "Somebody thinks a review should not be there.",
    {
        "id": "UUID",
        "product": "UUID",
        "title": "text",
        "reason": "spam, offensive, off_topic or other",
        "reports": "how often it was reported since somebody decided about it",
    },
)
ALL = (
    review_created, review_changed, review_approved, review_rejected, review_deleted,
    review_reported,
)  # fmt: skip


def publish(event: Event, review: Review, **more: Any) -> None:
    """Publish an event about one review."""
    data = {name: getattr(review, name) for name in _FIELDS}
    event.publish(str(review.id), data | more)

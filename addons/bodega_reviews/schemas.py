"""What reviews look like outside."""

from typing import Any

from bodega_reviews.models import STATUSES
from bodega_sdk.schemas import (
    Amount,
    Boolean,
    Integer,
    Nested,
    Schema,
    String,
    Timestamp,
    Uuid,
    validate,
)

#: Why somebody can think that a review should not be there.
REASONS = ("spam", "offensive", "off_topic", "other")
_FOR_MODERATORS = {"permission": "reviews.moderate"}


class ReviewSchema(Schema):
    """What somebody says of a product."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Name an author only as long as there is one."""
        return super().get_attribute(obj, "byline" if attr == "author" else attr, default)

    id = Uuid(dump_only=True)
    product = Uuid(required=True)
    rating = Integer(required=True, minimum=1, maximum=5)
    title = String(max_length=200, strip=True, load_default="")
    text = String(max_length=10_000, strip=True, load_default="")
    author = String(
        max_length=60, strip=True, allow_none=True, load_default=None,
        metadata={"description": "As they want to be called; their initials when left out. Empty "
                  "once their account is gone."},
    )  # fmt: skip
    verified = Boolean(
        dump_only=True, metadata={"description": "Whether they have bought the product."}
    )
    status = String(
        dump_only=True, validate=validate.OneOf(STATUSES),
        metadata={"description": "Others see approved ones only."},
    )  # fmt: skip
    reason = String(
        dump_only=True, max_length=500, metadata={"description": "Why it was rejected."}
    )
    helpful = Integer(
        dump_only=True, minimum=0, metadata={"description": "How many found it helpful."}
    )
    account = Uuid(dump_only=True, allow_none=True, metadata=_FOR_MODERATORS)
    reports = Integer(dump_only=True, minimum=0, metadata=_FOR_MODERATORS)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class RejectionSchema(Schema):
    """Why a review is not wanted."""

    reason = String(
        required=True, min_length=1, max_length=500, strip=True,
        metadata={"description": "Its author reads it."},
    )  # fmt: skip


class HelpfulSchema(Schema):
    """How many found a review helpful."""

    helpful = Integer(required=True, minimum=0)
    voted = Boolean(required=True, metadata={"description": "Whether the caller did."})


class ReportingSchema(Schema):
    """Why a review should not be there."""

    reason = String(required=True, validate=validate.OneOf(REASONS))
    text = String(max_length=1000, strip=True, load_default="")


class ReportedSchema(Schema):
    """What was reported."""

    review = Uuid(required=True)
    reason = String(required=True)
    text = String(max_length=1000)


class ReportSchema(ReportedSchema):
    """What somebody reported, as moderators see it."""

    id = Uuid()
    review = Uuid(required=True, attribute="review_id")
    account = Uuid(allow_none=True)
    created_at = Timestamp()
    updated_at = Timestamp()


class HistogramSchema(Schema):
    """How many reviews give so many stars."""

    one = Integer(required=True, minimum=0)
    two = Integer(required=True, minimum=0)
    three = Integer(required=True, minimum=0)
    four = Integer(required=True, minimum=0)
    five = Integer(required=True, minimum=0)


class SummarySchema(Schema):
    """What the approved reviews come to."""

    product = Uuid(required=True, allow_none=True)
    rating = Amount(required=True, allow_none=True, metadata={"description": "Null without any."})
    count = Integer(required=True, minimum=0)
    histogram = Nested(HistogramSchema, required=True)


class RatingSchema(Schema):
    """What the approved reviews of a product come to."""

    rating = Amount(
        attribute="mean", dump_only=True, allow_none=True,
        metadata={"description": "Mean of the stars with two decimals; null without any."},
    )  # fmt: skip
    count = Integer(dump_only=True, minimum=0)

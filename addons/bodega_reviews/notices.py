"""What people are told of reviews, where the addon notifications is enabled."""

from functools import cache
from typing import Any

from bodega_sdk import Occurrence, addon_api

_SAMPLE = {"title": "Bright and quiet", "rating": 5, "reason": "It names a person."}
_LINK = "/products/{{ product }}"
_HERE: dict[str, Any] = {"sample": _SAMPLE, "package": "bodega_reviews"}


def with_own(types: Any) -> Any:
    """Return types of notifications, with those of reviews behind them."""
    api = addon_api("notifications")
    return types if api is None else (*types, *_types(api))


@cache
def _types(api: Any) -> tuple[Any, ...]:
    return (*_of_authors(api), *_of_moderators(api))


def _of_authors(api: Any) -> tuple[Any, ...]:
    own: dict[str, Any] = _HERE | {"audience": api.member("account"), "link": _LINK}
    return (
        api.NotificationType(
            "review.approved", "A review of yours is shown", event="review.approved",
            heading="Your review is shown now", text="“{{ title }}” was approved.", **own,
        ),
        api.NotificationType(
            "review.rejected", "A review of yours was not accepted", event="review.rejected",
            channels=("in_app", "email"), heading="Your review was not accepted",
            text="“{{ title }}” was not accepted: {{ reason }} You can change it.",
            **own,
        ),
    )  # fmt: skip


def _of_moderators(api: Any) -> tuple[Any, ...]:
    all_: dict[str, Any] = _HERE | {"audience": api.holders("reviews.moderate")}
    return (
        api.NotificationType(
            "review.created", "A review waits for approval", event="review.created",
            when=_waits, heading="A review waits for approval",
            text="{{ rating }} of 5: “{{ title }}”", **all_,
        ),
        api.NotificationType(
            "review.reported", "A review was reported", event="review.reported",
            heading="A review was reported", text="“{{ title }}”: {{ reason }}", **all_,
        ),
    )  # fmt: skip


def _waits(event: Occurrence) -> bool:
    return event.data.get("status") == "pending"

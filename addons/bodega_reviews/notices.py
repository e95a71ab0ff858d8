"""What people are told of reviews, where the addon notifications is enabled."""

from functools import cache
from typing import Any

from bodega_sdk import Occurrence, addon_api

_SAMPLE = {"title": "Bright and quiet", "rating": 5, "reason": "It names a person."}
_LINK = "/products/{{ product }}"
#: Many reviews are stars and no words.
_STARS = "{{ rating }} of 5{% if title %}: “{{ title }}”{% endif %}"
_OWN = "{% if title %}“{{ title }}”{% else %}What you wrote{% endif %}"
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
            heading="Your review is shown now", text=f"{_OWN} was approved.", **own,
        ),
        api.NotificationType(
            "review.rejected", "A review of yours was not accepted", event="review.rejected",
            channels=("in_app", "email"), heading="Your review was not accepted",
            text=_OWN + " was not accepted: {{ reason }} You can change it.",
            **own,
        ),
    )  # fmt: skip


def _of_moderators(api: Any) -> tuple[Any, ...]:
    all_: dict[str, Any] = _HERE | {"audience": api.holders("reviews.moderate")}
    return (
        api.NotificationType(
            "review.created", "A review waits for approval", event="review.created",
            when=_waits, heading="A review waits for approval",
            text=_STARS, **all_,
        ),
        api.NotificationType(
            "review.changed", "A changed review waits for approval", event="review.changed",
            when=_waits_again, heading="A changed review waits for approval", text=_STARS, **all_,
        ),
        api.NotificationType(
            "review.reported", "A review was reported", event="review.reported",
            heading="A review was reported",
            text="{% if title %}“{{ title }}”: {% endif %}{{ reason }}", **all_,
        ),
    )  # fmt: skip


def _waits(event: Occurrence) -> bool:
    return event.data.get("status") == "pending"


def _waits_again(event: Occurrence) -> bool:
    """Whether it was decided before; who knows that it waits need not hear it twice."""
    return _waits(event) and event.data.get("status_before") != "pending"

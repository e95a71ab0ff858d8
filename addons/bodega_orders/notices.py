"""What people are told of orders, where the addon notifications is enabled."""

from functools import lru_cache
from types import ModuleType
from typing import Any

from bodega_orders.wording import NOTHING, TEXTS
from bodega_sdk import addon_api

_SAMPLE = {
    "id": "01a1fd7c-0000-7000-8000-000000000000", "number": "261122-7K3M9Q", "total": "49.90",
    "currency": "EUR", "carrier": "DHL", "tracking_number": "00340", "tracking_url": "",
    "reason": "Nobody paid for it in time.", "answer": "Please use the label.",
    "return_status": "approved", "amount": "19.90", "lines": 2, "email": "ada@shop.example",
}  # fmt: skip
_TITLES = {
    "order.placed": "An order of yours was placed",
    "order.confirmed": "An order of yours is confirmed",
    "order.shipped": "An order of yours was sent",
    "order.delivered": "An order of yours arrived",
    "order.cancelled": "An order of yours was cancelled",
    "order.refunded": "An order of yours was refunded",
    "order.return_decided": "A return of yours was decided about",
    "order.return_received": "What you sent back arrived",
}
_HERE: dict[str, Any] = {
    "link": "/orders/{{ id }}", "package": "bodega_orders", "sample": _SAMPLE,
}  # fmt: skip


def types() -> tuple[Any, ...]:
    """Return the types of notifications that orders add."""
    api = addon_api("notifications")
    return () if api is None else _types(api)


@lru_cache(maxsize=1)
def _types(api: ModuleType) -> tuple[Any, ...]:
    theirs: dict[str, Any] = {"audience": api.member("account"), "channels": ("in_app", "email")}
    return (
        *(
            api.NotificationType(
                name, _TITLES[name], event=name, heading=_template(heading),
                text=_template(text, NOTHING), **_HERE, **theirs,
            )
            for name, (heading, text) in TEXTS.items()
        ),
        *_of_staff(api),
    )  # fmt: skip


def _of_staff(api: ModuleType) -> tuple[Any, ...]:
    all_: dict[str, Any] = {"audience": api.holders("orders.manage")}
    return (
        api.NotificationType(
            "order.received", "Somebody has ordered", event="order.placed",
            channels=("in_app", "team"), heading="New order {{ number }}",
            text="{{ lines }} line(s), {{ total }} {{ currency }}, {{ email }}", **_HERE, **all_,
        ),
        api.NotificationType(
            "return.received", "Somebody wants to send something back",
            event="order.return_requested", channels=("in_app", "team"),
            heading="A return of order {{ number }} was asked for", text="{{ reason }}",
            **_HERE, **all_,
        ),
    )  # fmt: skip


def _template(text: str, otherwise: str = "") -> str:
    """Return the template of a text with words in braces."""
    made = text.replace("{", "{{ ").replace("}", " }}")
    if otherwise and text.startswith("{"):
        first = text[1 : text.index("}")]
        return f"{{% if {first} %}}{made}{{% else %}}{otherwise}{{% endif %}}"
    return made

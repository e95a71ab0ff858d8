"""The events of coupons; their key is the coupon's id."""

from bodega_coupons.models import Coupon, Redemption
from bodega_sdk import Event

_FIELDS = {
    "id": "UUID of the coupon",
    "code": "as it was made",
    "redemption": "UUID",
    "order": "UUID",
    "account": "UUID of the customer, or null for a guest",
    "amount": "what it took off the order, decimal text",
    "currency": "ISO 4217",
    "uses": "how often it is used now",
}
coupon_redeemed = Event("coupon.redeemed", "An order was placed with a coupon.", _FIELDS)
coupon_released = Event(
    "coupon.released", "An order with a coupon was cancelled; the use counts no more.", _FIELDS
)
ALL = (coupon_redeemed, coupon_released)


def publish(event: Event, coupon: Coupon, redemption: Redemption) -> None:
    """Publish an event about one use of a coupon that is held."""
    data = {
        "id": coupon.id, "code": coupon.code, "redemption": redemption.id,
        "order": redemption.order, "account": redemption.account,
        "amount": str(redemption.amount), "currency": redemption.currency, "uses": coupon.uses,
    }  # fmt: skip
    event.publish(str(coupon.id), data)

"""Sample coupons."""

from typing import Any

from bodega_coupons import codes
from bodega_coupons.models import FIXED, PERCENTAGE, SHIPPING, Coupon, Redemption
from bodega_sdk import SampleData, SampleRun, sample_id

_KIND = "coupons.coupon"
_CURRENCY = "USD"
_COUPONS: tuple[dict[str, Any], ...] = (
    {"code": "WELCOME10", "kind": PERCENTAGE, "rate": 1000, "most_uses_each": 1,
     "description": "10 % off for everybody, once."},
    {"code": "SAVE5", "kind": FIXED, "amount_minor": 500, "minimum_minor": 5000,
     "currency": _CURRENCY, "combinable": True, "description": "5.00 off from 50.00 on."},
    {"code": "FREESHIP", "kind": SHIPPING, "combinable": True,
     "description": "Free shipping, also beside SAVE5."},
    {"code": "LASTONE", "kind": PERCENTAGE, "rate": 5000, "most_uses": 1,
     "description": "Half the price, for one order only: who is quicker?"},
    {"code": "AUTUMN", "kind": PERCENTAGE, "rate": 2000, "active": False,
     "description": "It has ended."},
)  # fmt: skip


def declared() -> list[SampleData]:
    """Return what makes them, and takes them away."""
    return [SampleData(_make, _remove, _others)]


def _ids() -> list[Any]:
    return [sample_id(_KIND, number) for number in range(len(_COUPONS))]


def _make(run: SampleRun) -> None:
    # A code that somebody has made already stays theirs.
    wanted = [one["code"] for one in _COUPONS]
    there = {key for (key,) in Coupon.select(Coupon.key).where(Coupon.key.in_(wanted)).tuples()}
    for key, one in zip(_ids(), _COUPONS, strict=True):
        if one["code"] in there:
            run.found("coupons")
        else:
            Coupon.create(id=key, key=codes.key_of(one["code"]), **one)
            run.made("coupons")


def _remove(run: SampleRun) -> None:
    Redemption.delete().where(Redemption.coupon.in_(_ids())).execute()
    run.made("coupons", Coupon.delete().where(Coupon.id.in_(_ids())).execute())


def _others() -> int:
    own: int = Coupon.select().where(Coupon.id.not_in(_ids())).count()
    return own

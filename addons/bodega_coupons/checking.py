"""Whether the counts of coupons and the ledger of their uses agree, and making them agree."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import peewee

from bodega_coupons.models import REDEEMED, Coupon, Redemption
from bodega_coupons.redeeming import hold
from bodega_sdk import now, transaction


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A coupon whose count is not what its ledger says.

    Args:
        coupon, code: which one.
        found, expected: uses that it counts, and those in the ledger.
    """

    coupon: UUID
    code: str
    found: int
    expected: int

    def __str__(self) -> str:
        return f"{self.code} ({self.coupon}): counts {self.found} uses, the ledger {self.expected}"


def check(keys: Iterable[UUID] | None = None) -> list[Disagreement]:
    """Return what does not agree, in one query: of all coupons, or of these."""
    used = peewee.fn.COUNT(Redemption.id)
    joined = (Redemption.coupon == Coupon.id) & (Redemption.state == REDEEMED)
    query = Coupon.select(Coupon.id, Coupon.code, Coupon.uses, used)
    if keys is not None:
        query = query.where(Coupon.id.in_(list(keys)))
    query = query.join(Redemption, peewee.JOIN.LEFT_OUTER, on=joined)
    query = query.group_by(Coupon.id, Coupon.code, Coupon.uses).having(Coupon.uses != used)
    return [Disagreement(*row) for row in query.order_by(Coupon.id).tuples()]


def repair(found: Iterable[Disagreement]) -> int:
    """Make counts say what the ledger says; return how many were wrong still."""
    keys = [one.coupon for one in found]
    with transaction():
        hold(keys)
        # What they come to now, and nobody uses them meanwhile.
        wrong = check(keys)
        for one in wrong:
            values = {"uses": one.expected, "updated_at": now()}
            Coupon.update(values).where(Coupon.id == one.coupon).execute()
    return len(wrong)

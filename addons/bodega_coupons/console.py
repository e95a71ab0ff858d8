"""The console's pages: coupons, and who used them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from bodega_coupons import codes, discounting, resources
from bodega_coupons.models import REDEEMED, Coupon, Redemption
from bodega_sdk import ConsolePage, Parameter, Request, now
from bodega_sdk.console import PAGE, Badge, Block, Facts, Link, Progress, Table, Text, page_links

_SIZE = 50
_CODE = Parameter("code", str, "Only codes that contain this.")
_USABLE = Parameter("usable", bool, "Only those that orders can use now, or only others.")
_COUPON = Parameter("coupon", UUID, "Only of the coupon with this id.")


def pages() -> list[ConsolePage]:
    """Return the pages."""
    return [
        ConsolePage(
            "coupons", "Coupons", "coupons.read", listed,
            "Codes that take something off, the newest first.", (_CODE, _USABLE, PAGE),
        ),
        ConsolePage(
            "coupons/redemptions", "Coupons used", "coupons.read", redeemed,
            "Orders that used coupons, the newest first.", (_COUPON, PAGE),
        ),
    ]  # fmt: skip


def listed(request: Request) -> Iterator[Block]:
    """A portion of the coupons, and how to make and end them."""
    yield Text(
        "Make one: bodega coupons make SPRING --percent 10. Many: bodega coupons generate "
        "100 --percent 10. End one: bodega coupons end SPRING."
    )
    number = request.query["page"]
    rows = list(_selected(request).limit(_SIZE + 1).offset((number - 1) * _SIZE))
    columns = ("Code", "What", "Used", "Of", "Status", "From", "Until", "About")
    yield Table(columns, [
        (Link(row.code, f"/console/coupons/redemptions?coupon={row.id}"), discounting.worth(row),
         row.uses, Progress(row.uses, row.most_uses) if row.most_uses else None, _status(row),
         row.valid_from, row.valid_until, row.description)
        for row in rows[:_SIZE]
    ], empty="There are no coupons yet.")  # fmt: skip
    yield page_links(request, more=len(rows) > _SIZE)


def _selected(request: Request) -> Any:
    query = Coupon.select().order_by(Coupon.created_at.desc(), Coupon.id.desc())
    if "code" in request.query:
        query = query.where(Coupon.key.contains(codes.key_of(request.query["code"])))
    if "usable" in request.query:
        query = query.where(resources.is_usable(request.query["usable"]))
    return query


def _status(row: Coupon) -> Badge:
    if not row.active:
        return Badge("ended", "bad")
    if row.valid_until is not None and row.valid_until <= now():
        return Badge("over", "bad")
    if row.most_uses is not None and row.uses >= row.most_uses:
        return Badge("used up", "warning")
    begun = row.valid_from is None or row.valid_from <= now()
    return Badge("usable", "good") if begun else Badge("not yet")


def redeemed(request: Request) -> Iterator[Block]:
    """A portion of the ledger; of one coupon with what it says of itself."""
    query = Redemption.select(Redemption, Coupon).join(Coupon)
    key = request.query.get("coupon")
    if key is not None:
        query = query.where(Redemption.coupon == key)
        yield from _about(key)
    number = request.query["page"]
    query = query.order_by(Redemption.created_at.desc(), Redemption.id.desc())
    rows = list(query.limit(_SIZE + 1).offset((number - 1) * _SIZE))
    columns = ("Order", "Code", "Came off", "Currency", "E-mail", "State", "When", "Released")
    yield Table(columns, [
        (row.number, row.coupon.code, row.amount, row.currency, row.email,
         Badge(row.state, "good" if row.state == REDEEMED else "plain"), row.created_at,
         row.released_at)
        for row in rows[:_SIZE]
    ], empty="No order has used one yet.")  # fmt: skip
    yield page_links(request, more=len(rows) > _SIZE)


def _about(key: UUID) -> Iterator[Block]:
    row = Coupon.find(key)
    if row is not None:
        yield Facts((
            ("Code", row.code), ("What", discounting.worth(row)), ("Status", _status(row)),
            ("Used", row.uses), ("At most", row.most_uses),
            ("By each customer", row.most_uses_each), ("About", row.description or None),
        ))  # fmt: skip

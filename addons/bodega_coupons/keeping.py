"""Making, changing, ending and deleting coupons. Call these in a transaction."""

from typing import Any
from uuid import UUID

import peewee

from bodega_coupons import codes, terms
from bodega_coupons.models import Coupon, Redemption
from bodega_sdk import audit, now, transaction, uuid7
from bodega_sdk.bulk import portions
from bodega_sdk.errors import Conflict, FieldError

#: Rows of one statement: twenty values each.
_ROWS = 40


def create(data: dict[str, Any]) -> Coupon:
    """Make a coupon.

    Raises:
        InvalidInput: its terms make no sense together.
        Conflict: there is one with this code.
    """
    terms.refuse_unknown(data)
    code = data["code"]
    columns = {"code": code, "key": codes.key_of(code)} | terms.columns_of(data)
    _refuse_taken(code)
    try:
        with transaction():
            made: Coupon = Coupon.create(**columns)
    except peewee.IntegrityError:
        # Somebody else was as quick.
        raise _taken(code) from None
    audit("coupon.created", f"coupon:{made.id}", coupon=made.code, kind=made.kind)
    return made


def generate(data: dict[str, Any], count: int, prefix: str) -> tuple[UUID, list[str]]:
    """Make so many coupons with the same terms; return their batch and their codes.

    Raises:
        InvalidInput: the terms make no sense together.
    """
    terms.refuse_unknown(data)
    columns, batch = terms.columns_of(data), uuid7()
    made = codes.generate(count, prefix)
    rows = [columns | {"code": code, "key": codes.key_of(code), "batch": batch} for code in made]
    for some in portions(rows, _ROWS):
        Coupon.insert_many([{"id": uuid7(), **row} for row in some]).execute()
    audit("coupon.generated", f"batch:{batch}", count=count, prefix=prefix)
    return batch, made


def change(coupon: Coupon, data: dict[str, Any]) -> Coupon:
    """Change a coupon that is held; orders that used it stay as they are.

    Raises:
        InvalidInput: its terms would make no sense together.
        Conflict: the code is taken, or orders name it.
    """
    terms.refuse_unknown(data)
    columns = terms.columns_of(terms.members_of(coupon) | data)
    columns |= _renamed(coupon, data.get("code", coupon.code))
    for name, value in (columns | {"updated_at": now()}).items():
        setattr(coupon, name, value)
    # Its uses have their own writer.
    Coupon.update(columns | {"updated_at": coupon.updated_at}).where(
        Coupon.id == coupon.id
    ).execute()
    audit("coupon.changed", f"coupon:{coupon.id}", coupon=coupon.code, members=sorted(data))
    return coupon


def _renamed(coupon: Coupon, code: str) -> dict[str, str]:
    key = codes.key_of(code)
    if key != coupon.key:
        if _is_used(coupon):
            message = f"Orders have used {coupon.code}; end it, and make another one."
            raise Conflict(message, [FieldError("code", message, code)])
        _refuse_taken(code)
    return {"code": code, "key": key}


def end(coupon: Coupon) -> Coupon:
    """Let nobody use a coupon any more; nothing twice."""
    if coupon.active:
        coupon.active, coupon.updated_at = False, now()
        values = {"active": False, "updated_at": coupon.updated_at}
        Coupon.update(values).where(Coupon.id == coupon.id).execute()
        audit("coupon.ended", f"coupon:{coupon.id}", coupon=coupon.code)
    return coupon


def delete(coupon: Coupon) -> None:
    """Delete a coupon that no order has used.

    Raises:
        Conflict: one has, cancelled or not.
    """
    if _is_used(coupon):
        raise Conflict(
            f"Orders have used {coupon.code}, so it cannot be deleted; end it instead.",
            [FieldError("id", "End it: POST /coupons/{id}/end.", str(coupon.id))],
        )
    coupon.delete_instance()
    audit("coupon.deleted", f"coupon:{coupon.id}", coupon=coupon.code)


def _is_used(coupon: Coupon) -> bool:
    found: bool = Redemption.select().where(Redemption.coupon == coupon.id).exists()
    return found


def _refuse_taken(code: str) -> None:
    if Coupon.select().where(Coupon.key == codes.key_of(code)).exists():
        raise _taken(code)


def _taken(code: str) -> Conflict:
    return Conflict(
        f"There is a coupon {code!r} already; upper and lower case are the same.",
        [FieldError("code", "Choose another one.", code)],
    )

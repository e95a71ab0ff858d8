"""The routes of coupons."""

from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

import peewee

from bodega_coupons import codes, keeping, validating
from bodega_coupons.models import KINDS, STATES, Coupon, Redemption
from bodega_coupons.schemas import (
    CouponSchema,
    GeneratedSchema,
    GenerationSchema,
    RedemptionSchema,
    ValidatedSchema,
    ValidationSchema,
)
from bodega_sdk import (
    PUBLIC,
    Collection,
    Filter,
    Parameter,
    Reply,
    Request,
    Route,
    now,
    transaction,
)
from bodega_sdk.errors import FieldError, NotFound

READ, WRITE = "coupons.read", "coupons.write"


def is_usable(wanted: bool) -> Any:
    """Return the condition that orders can use a coupon now, or cannot."""
    at = now()
    begun = Coupon.valid_from.is_null() | (Coupon.valid_from <= at)
    lasts = Coupon.valid_until.is_null() | (Coupon.valid_until > at)
    left = Coupon.most_uses.is_null() | (Coupon.uses < Coupon.most_uses)
    usable = Coupon.active & begun & lasts & left
    return usable if wanted else ~usable


class Coupons(Collection):
    """Coupons, as the shop's people see them."""

    model, schema, noun = Coupon, CouponSchema, "coupon"
    read, write = READ, WRITE
    keys = ("code",)
    searchable = True
    filters = (
        Filter(Parameter("code", str, "Exactly this code; upper and lower case are the same."),
               lambda value: Coupon.key == codes.key_of(value)),
        Filter(Parameter("kind", str, "Only of this kind.", choices=KINDS),
               lambda value: Coupon.kind == value),
        Filter(Parameter("active", bool, "Only active ones, or only those that were ended."),
               lambda value: Coupon.active == value),
        Filter(Parameter("usable", bool, "Only those that orders can use now, or only others."),
               is_usable),
        Filter(Parameter("batch", UUID, "Only those that were generated together."),
               lambda value: Coupon.batch == value),
    )  # fmt: skip
    orderings: ClassVar = {"code": Coupon.key, "uses": Coupon.uses}

    def search(self, text: str) -> Any:
        """Return the condition that a code or a description contains a text."""
        return Coupon.key.contains(codes.key_of(text)) | Coupon.description.contains(text)

    def create(self, request: Request, data: dict[str, Any]) -> Coupon:
        """Make a coupon."""
        return keeping.create(data)

    def change(self, request: Request, row: Coupon, data: dict[str, Any]) -> Coupon:
        """Change a coupon."""
        return keeping.change(row, data)

    def remove(self, request: Request, row: Coupon) -> None:
        """Delete a coupon that nobody has used."""
        keeping.delete(row)

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, ending, generating, and what customers ask."""
        return (
            *super().routes(path),
            Route("POST", f"{path}/{{id}}/end", self._end, WRITE, "End a coupon",
                  description="Orders that have used it keep what it took off.",
                  returns=self.shape, path_types=self.path_types),
            Route("POST", f"{path}/generate", _generate, WRITE, "Generate coupons",
                  description="With codes that cannot be guessed; each can be used once, unless "
                  "`limit` says otherwise. The codes are told here once as a list.",
                  body=GenerationSchema, returns=GeneratedSchema, status=201, idempotent=True),
            Route("POST", f"{path}/validate", validating.validate, PUBLIC,
                  "See what codes would take off",
                  description="Of things; carts say it themselves. Nothing is used up. Codes that "
                  "nobody knows are counted: after too many the answer is 429.",
                  body=ValidationSchema, returns=ValidatedSchema),
        )  # fmt: skip

    def _end(self, request: Request) -> dict[str, Any]:
        with transaction():
            return self.show(keeping.end(self.hold(request)), request)


def _generate(request: Request) -> Reply:
    data = dict(request.body)
    count, prefix = data.pop("count"), data.pop("prefix")
    with transaction():
        batch, made = keeping.generate(data, count, prefix)
    return Reply({"batch": str(batch), "count": count, "codes": made}, 201)


class Redemptions(Collection):
    """Who used a coupon."""

    model, schema, noun = Redemption, RedemptionSchema, "redemption"
    read = write = READ
    verbs = ("list",)
    filters = (
        Filter(Parameter("state", str, "Only in this state.", choices=STATES),
               lambda value: Redemption.state == value),
        Filter(Parameter("order", UUID, "Only of this order."),
               lambda value: Redemption.order == value),
        Filter(Parameter("account", UUID, "Only of this account."),
               lambda value: Redemption.account == value),
    )  # fmt: skip

    def select(self, request: Request) -> peewee.ModelSelect:
        """Those of the coupon that the address names."""
        key = request.params["id"]
        if Coupon.find(key) is None:
            message = "There is no coupon with this id."
            raise NotFound(message, [FieldError("id", message, str(key))])
        return Redemption.select().where(Redemption.coupon == key)

    def routes(self, path: str) -> tuple[Route, ...]:
        """The list alone."""
        (listing,) = super().routes(path)
        return (replace(listing, summary="List the redemptions of a coupon"),)

"""The routes."""

from typing import Any, ClassVar
from uuid import UUID

from bodega_sdk import PUBLIC, Collection, Filter, Parameter, Request, Route, transaction
from bodega_sdk.errors import NotFound

from bodega_gift_cards import spending
from bodega_gift_cards.issuing import issue_from, money
from bodega_gift_cards.models import STATES, Card
from bodega_gift_cards.movements import LISTING, movements_of
from bodega_gift_cards.schemas import (
    GiftCardBalanceSchema,
    GiftCardCodeSchema,
    GiftCardMovementSchema,
    GiftCardPaymentSchema,
    GiftCardSchema,
)

_CHECK = """
Anybody who has a code may ask. Unknown codes and codes of cards that are void, expired or spent
get the same answer.
"""


class GiftCards(Collection):
    """Cards: they are issued, and what happens to them is a movement, not a change."""

    model = Card
    schema = GiftCardSchema
    noun = "gift card"
    read = "gift_cards.read"
    write = "gift_cards.issue"
    verbs = ("list", "create", "read")
    filters = (
        Filter(
            Parameter("last_four", str, "Only cards whose code ends so."),
            lambda value: Card.last_four == value.upper(),
        ),
        Filter(Parameter("state", str, "Only cards in this state.", choices=STATES), Card.in_state),
        Filter(
            Parameter("product_id", UUID, "Only cards that were issued from this product."),
            lambda value: Card.product_id == value,
        ),
    )
    orderings: ClassVar = {"expires_at": Card.expires_at, "balance": Card.balance_minor}

    def create(self, request: Request, data: dict[str, Any]) -> Card:
        """Issue a card; this answer is the only one that shows its code."""
        return issue_from(data)

    def routes(self, path: str) -> tuple[Route, ...]:
        """Return the routes of the verbs, and what else one does with a card."""
        item, may, shown = f"{path}/{{id}}", "gift_cards.redeem", self.shape
        pays = GiftCardPaymentSchema
        return (
            *super().routes(path),
            Route("POST", f"{item}/redeem", self.redeem, may, "Pay with a gift card",
                  body=pays, returns=shown),
            Route("POST", f"{item}/refund", self.refund, may, "Put back what was paid",
                  body=pays, returns=shown),
            Route("POST", f"{item}/void", self.void, "gift_cards.void",
                  "Make a gift card worthless", returns=shown),
            Route("GET", f"{item}/movements", self.movements, self.read, "List a card's movements",
                  returns=GiftCardMovementSchema, listing=True, parameters=LISTING),
            Route("POST", f"{path}/check", check, PUBLIC, "Ask what is left on a gift card", _CHECK,
                  body=GiftCardCodeSchema, returns=GiftCardBalanceSchema),
        )  # fmt: skip

    def movements(self, request: Request) -> dict[str, Any]:
        """List a card's movements, the last one first."""
        return movements_of(self.get(request), request)

    def redeem(self, request: Request) -> dict[str, Any]:
        """Pay with a card."""
        with transaction():
            card = self.hold(request)
            amount = money("amount", request.body["amount"], card.currency)
            spending.redeem(card, amount, request.body["reference"])
            return self.show(card)

    def refund(self, request: Request) -> dict[str, Any]:
        """Put back what was paid."""
        with transaction():
            card = self.hold(request)
            amount = money("amount", request.body["amount"], card.currency)
            spending.refund(card, amount, request.body["reference"])
            return self.show(card)

    def void(self, request: Request) -> dict[str, Any]:
        """Make a card worthless."""
        with transaction():
            card = self.hold(request)
            spending.void(card)
            return self.show(card)


def check(request: Request) -> dict[str, Any]:
    """Tell whoever has a code what is left on its card."""
    card = spending.with_code(request.body["code"])
    if card is None:
        raise NotFound("There is no gift card with this code that anything is left on.")
    shown: dict[str, Any] = GiftCardBalanceSchema().dump(card)
    return shown

"""The events that the addon publishes; the key of each is the card's id."""

from bodega_sdk import Event, Money

from bodega_gift_cards.models import Card

_FIELDS = {
    "amount": "decimal text, what came to the card or went from it; never negative",
    "balance": "decimal text, what is on it now",
    "currency": "ISO 4217 code",
    "reference": "text, what it is about, e.g. an order's number",
}
issued = Event("gift_card.issued", "A gift card was issued.", _FIELDS)
redeemed = Event("gift_card.redeemed", "Something was paid with a gift card.", _FIELDS)
refunded = Event("gift_card.refunded", "What was paid came back to a gift card.", _FIELDS)
expired = Event("gift_card.expired", "The time of a gift card was over.", _FIELDS)
voided = Event("gift_card.voided", "Somebody made a gift card worthless.", _FIELDS)
#: The events by the kind of movement that they tell of.
BY_KIND = {
    "issue": issued,
    "redeem": redeemed,
    "refund": refunded,
    "expire": expired,
    "void": voided,
}


def tell(kind: str, card: Card, amount: Money, reference: str) -> None:
    """Publish what happened to a card."""
    data = {
        "amount": str(amount),
        "balance": str(Money(card.balance_minor, card.currency)),
        "currency": card.currency,
        "reference": reference,
    }
    BY_KIND[kind].publish(str(card.id), data)

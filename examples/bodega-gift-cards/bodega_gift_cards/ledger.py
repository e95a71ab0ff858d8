"""The ledger: the one place where balances change. Call it in a transaction."""

from bodega_sdk import Money, now

from bodega_gift_cards.events import tell
from bodega_gift_cards.models import Card, Movement


def move(card: Card, kind: str, change: int, reference: str = "") -> None:
    """Change a card's balance, write that down and tell of it.

    Args:
        card: locked, or made in this transaction.
        kind: issue, redeem, refund, expire or void.
        change: in minor units; below 0 takes from the card.
        reference: what it is about.
    """
    card.balance_minor += change
    card.updated_at = now()
    card.save()
    Movement.create(
        card=card,
        kind=kind,
        amount_minor=change,
        balance_minor=card.balance_minor,
        reference=reference,
    )
    tell(kind, card, Money(abs(change), card.currency), reference)

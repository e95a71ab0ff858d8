"""The list of a card's movements."""

from typing import Any

from bodega_sdk import Money, Request, pagination

from bodega_gift_cards.models import Card, Movement

LISTING = pagination.parameters(20, 200)


def movements_of(card: Card, request: Request) -> dict[str, Any]:
    """Return a page of a card's movements, the last one first."""
    query = Movement.select().where(Movement.card == card.id)
    order = pagination.Ordering.by(Movement.created_at)
    count = pagination.count_rows(query)
    rows, envelope = pagination.paginate(query, request, order, True, count)
    return envelope | {"results": [_show(row, card.currency) for row in rows]}


def _show(row: Movement, currency: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "amount": str(Money(row.amount_minor, currency)),
        "balance": str(Money(row.balance_minor, currency)),
        "reference": row.reference,
        "created_at": row.created_at,
    }

"""The page of the console."""

from collections.abc import Iterator

import peewee
from bodega_sdk import Money, Request
from bodega_sdk.console import PAGE, Badge, Block, Facts, Table, page_links

from bodega_gift_cards.models import Card

__all__ = ["PAGE", "balances"]
_ROWS = 50
_TONES = {"active": "good", "spent": "plain", "expired": "warning", "void": "bad"}


def balances(request: Request) -> Iterator[Block]:
    """Show what the shop owes by currency, and the cards, the newest first."""
    yield Facts(list(_owed()))
    newest = Card.select().order_by(Card.created_at.desc(), Card.id.desc())
    rows = list(newest.limit(_ROWS + 1).offset((request.query["page"] - 1) * _ROWS))
    yield Table(
        ["Code", "State", "Balance", "Currency", "Of", "Expires", "Note"],
        [
            [f"…{card.last_four}", Badge(card.state, _TONES[card.state]), str(card.balance),
             card.currency, str(card.amount), card.expires_at, card.note or None]
            for card in rows[:_ROWS]
        ],
        "Gift cards",
        "No gift card was issued yet.",
    )  # fmt: skip
    yield page_links(request, more=len(rows) > _ROWS)


def _owed() -> Iterator[tuple[str, Money]]:
    left = peewee.fn.SUM(Card.balance_minor)
    query = Card.select(Card.currency, left).where(Card.in_state("active"))
    for currency, minor in query.group_by(Card.currency).order_by(Card.currency).tuples():
        yield f"Owed in {currency}", Money(int(minor), currency)

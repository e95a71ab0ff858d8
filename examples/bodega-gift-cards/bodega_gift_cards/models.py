"""The tables: cards, and the ledger of what happened to their balances."""

from typing import Any

import peewee
from bodega_sdk import Entity, Model, Money, UTCDateTimeField, now, uuid7

#: What a card can be: see :attr:`Card.state`.
STATES = ("active", "spent", "expired", "void")


class Card(Entity):
    """A gift card. Its code is not here: what is kept of it finds it, and cannot be turned back."""

    # The code of a card that was issued just now; nothing else knows it.
    code: str

    code_hash: Any = peewee.CharField(max_length=64, unique=True)
    last_four: Any = peewee.CharField(max_length=4, index=True)
    amount_minor: Any = peewee.BigIntegerField()
    balance_minor: Any = peewee.BigIntegerField()
    currency: Any = peewee.FixedCharField(max_length=3)
    expires_at: Any = UTCDateTimeField(index=True)
    voided_at: Any = UTCDateTimeField(null=True)
    # Not a reference: the card outlives the product, and product.deleted takes it away.
    product_id: Any = peewee.UUIDField(null=True, index=True)
    note: Any = peewee.CharField(max_length=200, default="")

    class Meta:
        table_name = "gift_cards_card"

    @property
    def amount(self) -> Money:
        """What it was issued with."""
        return Money(self.amount_minor, self.currency)

    @property
    def balance(self) -> Money:
        """What is left on it; 0 when it is void or has expired."""
        gone = self.state in ("void", "expired")
        return Money(0 if gone else self.balance_minor, self.currency)

    @property
    def state(self) -> str:
        """One of :data:`STATES`; it has expired at that moment, not when the job comes by."""
        if self.voided_at is not None:
            return "void"
        if self.expires_at <= now():
            return "expired"
        return "active" if self.balance_minor else "spent"

    @classmethod
    def in_state(cls, state: str) -> Any:
        """Return the condition that cards are in a state."""
        if state == "void":
            return cls.voided_at.is_null(False)
        lives = cls.voided_at.is_null() & (cls.expires_at > now())
        conditions = {
            "active": lives & (cls.balance_minor > 0),
            "spent": lives & (cls.balance_minor == 0),
            "expired": cls.voided_at.is_null() & (cls.expires_at <= now()),
        }
        return conditions[state]


class Movement(Model):
    """A change of a card's balance; it is never changed or deleted itself."""

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    created_at: Any = UTCDateTimeField(default=now)
    card: Any = peewee.ForeignKeyField(Card, on_delete="CASCADE", backref="movements")
    kind: Any = peewee.CharField(max_length=10)
    # Below 0 when it takes from the card.
    amount_minor: Any = peewee.BigIntegerField()
    balance_minor: Any = peewee.BigIntegerField()
    reference: Any = peewee.CharField(max_length=100, default="")

    class Meta:
        table_name = "gift_cards_movement"
        versioned = True

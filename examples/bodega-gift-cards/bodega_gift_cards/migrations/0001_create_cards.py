"""The tables as they were in the beginning. A migration that has run is never changed."""

import peewee
from bodega_sdk import UTCDateTimeField, extends


def up(migrator, db):
    """Create them."""

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Card(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        code_hash = peewee.CharField(max_length=64, unique=True)
        last_four = peewee.CharField(max_length=4, index=True)
        amount_minor = peewee.BigIntegerField()
        # The last line: whatever the code does, no card is overdrawn.
        balance_minor = peewee.BigIntegerField(constraints=[peewee.Check("balance_minor >= 0")])
        currency = peewee.FixedCharField(max_length=3)
        expires_at = UTCDateTimeField(index=True)
        voided_at = UTCDateTimeField(null=True)
        product_id = peewee.UUIDField(null=True, index=True)

        class Meta:
            table_name = "gift_cards_card"

    class Movement(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField()
        card = peewee.ForeignKeyField(Card, on_delete="CASCADE")
        kind = peewee.CharField(max_length=10)
        amount_minor = peewee.BigIntegerField()
        balance_minor = peewee.BigIntegerField()

        class Meta:
            table_name = "gift_cards_movement"

    class Gift(Base):
        id = extends("products.product")
        is_gift_card = peewee.BooleanField(index=True)
        amount = peewee.CharField(max_length=24, null=True)

        class Meta:
            table_name = "gift_cards_gift"

    db.create_tables([Card, Movement, Gift])


def down(migrator, db):
    """Drop them."""
    for table in ("gift_cards_gift", "gift_cards_movement", "gift_cards_card"):
        db.execute_sql(f"DROP TABLE {table}")

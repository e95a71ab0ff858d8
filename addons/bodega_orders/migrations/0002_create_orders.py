"""Orders. An account that goes leaves its orders, without an owner."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create the tables."""

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Entity(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()

    class Account(Base):
        id = peewee.UUIDField(primary_key=True)

        class Meta:
            table_name = "accounts_account"

    class Order(Entity):
        number = peewee.CharField(max_length=20, unique=True)
        account = peewee.ForeignKeyField(
            Account, null=True, on_delete="SET NULL", column_name="account", index=False
        )
        email = peewee.CharField(max_length=254)
        status = peewee.CharField(max_length=12)
        payment_status = peewee.CharField(max_length=20)
        currency = peewee.CharField(max_length=3)
        subtotal = peewee.BigIntegerField()
        discount = peewee.BigIntegerField()
        shipping = peewee.BigIntegerField()
        tax = peewee.BigIntegerField()
        total = peewee.BigIntegerField()
        authorized = peewee.BigIntegerField()
        captured = peewee.BigIntegerField()
        refunded = peewee.BigIntegerField()
        prices_include_tax = peewee.BooleanField()
        codes = peewee.JSONField()
        discounts = peewee.JSONField()
        entries = peewee.JSONField()
        shipping_method = peewee.CharField(max_length=50)
        shipping_address = peewee.JSONField()
        billing_address = peewee.JSONField()
        note = peewee.CharField(max_length=2000)
        staff_note = peewee.CharField(max_length=2000)
        tracking_number = peewee.CharField(max_length=100)
        carrier = peewee.CharField(max_length=100)
        tracking_url = peewee.CharField(max_length=2000)
        cart = peewee.UUIDField(null=True, unique=True)
        stock = peewee.CharField(max_length=10)
        cancel_reason = peewee.CharField(max_length=500)
        expires_at = UTCDateTimeField(null=True)
        confirmed_at = UTCDateTimeField(null=True)
        paid_at = UTCDateTimeField(null=True)
        processing_at = UTCDateTimeField(null=True)
        shipped_at = UTCDateTimeField(null=True)
        delivered_at = UTCDateTimeField(null=True)
        cancelled_at = UTCDateTimeField(null=True)
        refunded_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "orders_order"
            indexes = (
                (("account", "created_at"), False),
                (("status", "created_at"), False),
                (("status", "expires_at"), False),
                (("email", "created_at"), False),
                (("payment_status", "created_at"), False),
            )

    class Line(Entity):
        order = peewee.ForeignKeyField(Order, on_delete="CASCADE")
        place = peewee.IntegerField()
        item = peewee.UUIDField()
        product = peewee.UUIDField()
        variant = peewee.UUIDField(null=True)
        sku = peewee.CharField(max_length=100)
        name = peewee.CharField(max_length=500)
        options = peewee.JSONField()
        quantity = peewee.IntegerField()
        unit_price = peewee.BigIntegerField()
        discount = peewee.BigIntegerField()
        tax = peewee.BigIntegerField()
        total = peewee.BigIntegerField()
        organization = peewee.UUIDField(null=True)
        digital = peewee.BooleanField()
        returned = peewee.IntegerField()
        returning = peewee.IntegerField()

        class Meta:
            table_name = "orders_line"
            indexes = ((("organization", "created_at"), False), (("product", "order"), False))
            constraints = (
                peewee.Check("quantity > 0"),
                peewee.Check('returned >= 0 AND "returning" >= 0'),
                peewee.Check('returned + "returning" <= quantity'),
            )

    class History(Entity):
        order = peewee.ForeignKeyField(Order, on_delete="CASCADE", index=False)
        status = peewee.CharField(max_length=12)
        note = peewee.CharField(max_length=2000)
        role = peewee.CharField(max_length=10)
        account = peewee.CharField(max_length=36)
        visible = peewee.BooleanField()

        class Meta:
            table_name = "orders_history"
            indexes = ((("order", "id"), False),)

    class Return(Entity):
        order = peewee.ForeignKeyField(Order, on_delete="CASCADE")
        status = peewee.CharField(max_length=10)
        reason = peewee.CharField(max_length=1000)
        answer = peewee.CharField(max_length=1000)
        amount = peewee.BigIntegerField()
        decided_at = UTCDateTimeField(null=True)
        received_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "orders_return"
            indexes = ((("status", "created_at"), False),)

    class ReturnLine(Base):
        id = peewee.UUIDField(primary_key=True)
        returned_in = peewee.ForeignKeyField(Return, on_delete="CASCADE")
        line = peewee.ForeignKeyField(Line, on_delete="CASCADE")
        quantity = peewee.IntegerField()
        received = peewee.IntegerField()
        restocked = peewee.BooleanField()

        class Meta:
            table_name = "orders_return_line"
            indexes = ((("returned_in", "line"), True),)
            constraints = (
                peewee.Check("quantity > 0"),
                peewee.Check("received >= 0 AND received <= quantity"),
            )

    db.create_tables([Order, Line, History, Return, ReturnLine])


def down(migrator, db):
    """Drop them."""
    for table in ("return_line", "return", "history", "line", "order"):
        db.execute_sql(f"DROP TABLE orders_{table}")

"""The tables of carts, taxes and ways of shipping."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create them; an account takes its carts along."""

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

    class Cart(Entity):
        updated_at = UTCDateTimeField(index=True)
        account = peewee.ForeignKeyField(
            Account, null=True, on_delete="CASCADE", column_name="account", index=True
        )
        open_of = peewee.UUIDField(null=True, unique=True)
        status = peewee.CharField(max_length=10)
        currency = peewee.FixedCharField(max_length=3)
        email = peewee.CharField(max_length=254)
        codes = peewee.JSONField()
        country = peewee.CharField(max_length=2)
        region = peewee.CharField(max_length=200)
        postal_code = peewee.CharField(max_length=20)
        shipping_method = peewee.CharField(max_length=50)
        order = peewee.UUIDField(null=True)
        merged_into = peewee.UUIDField(null=True)

        class Meta:
            table_name = "orders_cart"

    class CartItem(Entity):
        cart = peewee.ForeignKeyField(Cart, on_delete="CASCADE", index=False)
        item = peewee.UUIDField()
        product = peewee.UUIDField()
        variant = peewee.UUIDField(null=True)
        quantity = peewee.IntegerField()
        price_minor = peewee.BigIntegerField(null=True)
        price_currency = peewee.CharField(max_length=3)

        class Meta:
            table_name = "orders_cart_item"
            indexes = ((("cart", "item"), True),)

    class TaxRate(Entity):
        country = peewee.CharField(max_length=2, index=True)
        region = peewee.CharField(max_length=200)
        category = peewee.UUIDField(null=True)
        rate = peewee.IntegerField()
        label = peewee.CharField(max_length=100)
        on_shipping = peewee.BooleanField()
        place_key = peewee.CharField(max_length=500, unique=True)

        class Meta:
            table_name = "orders_tax_rate"

    class ShippingMethod(Entity):
        code = peewee.CharField(max_length=50)
        label = peewee.CharField(max_length=100)
        countries = peewee.JSONField()
        currency = peewee.FixedCharField(max_length=3)
        price_minor = peewee.BigIntegerField()
        free_from_minor = peewee.BigIntegerField(null=True)
        days = peewee.CharField(max_length=50)
        weight_from = peewee.IntegerField(null=True)
        weight_to = peewee.IntegerField(null=True)
        is_active = peewee.BooleanField()
        position = peewee.IntegerField()

        class Meta:
            table_name = "orders_shipping_method"
            indexes = ((("code", "currency"), True),)

    db.create_tables([Cart, CartItem, TaxRate, ShippingMethod])


def down(migrator, db):
    """Drop them."""
    for table in ("cart_item", "cart", "tax_rate", "shipping_method"):
        db.execute_sql(f"DROP TABLE orders_{table}")

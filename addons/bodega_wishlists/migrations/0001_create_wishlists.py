"""The tables of wishlists."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create them; an account takes its lists along, a product what it stands on."""

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

    class Product(Base):
        id = peewee.UUIDField(primary_key=True)

        class Meta:
            table_name = "products_product"

    def of_account(**options):
        return peewee.ForeignKeyField(
            Account, on_delete="CASCADE", column_name="account", **options
        )

    class Wisher(Base):
        account = of_account(primary_key=True)
        default = peewee.UUIDField(null=True)

        class Meta:
            table_name = "wishlists_wisher"

    class Wishlist(Entity):
        account = of_account(index=True)
        name = peewee.CharField(max_length=200)
        token = peewee.CharField(max_length=64, null=True, unique=True)

        class Meta:
            table_name = "wishlists_wishlist"

    class Item(Entity):
        wishlist = peewee.ForeignKeyField(Wishlist, on_delete="CASCADE", index=False)
        account = of_account(index=True)
        thing = peewee.UUIDField()
        product = peewee.ForeignKeyField(
            Product, on_delete="CASCADE", column_name="product", index=True
        )
        variant = peewee.UUIDField(null=True)
        note = peewee.CharField(max_length=500)

        class Meta:
            table_name = "wishlists_item"
            indexes = ((("wishlist", "thing"), True),)

    db.create_tables([Wisher, Wishlist, Item])


def down(migrator, db):
    """Drop them."""
    for table in ("item", "wishlist", "wisher"):
        db.execute_sql(f"DROP TABLE wishlists_{table}")

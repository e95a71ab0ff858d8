"""The tables of coupons."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create them; an account leaves what it redeemed without naming it."""

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

    class Coupon(Entity):
        code = peewee.CharField(max_length=50)
        key = peewee.CharField(max_length=50, unique=True)
        kind = peewee.CharField(max_length=20)
        rate = peewee.IntegerField(null=True)
        amount_minor = peewee.BigIntegerField(null=True)
        currency = peewee.CharField(max_length=3)
        minimum_minor = peewee.BigIntegerField(null=True)
        maximum_minor = peewee.BigIntegerField(null=True)
        most_uses = peewee.IntegerField(null=True)
        most_uses_each = peewee.IntegerField(null=True)
        uses = peewee.IntegerField()
        valid_from = UTCDateTimeField(null=True)
        valid_until = UTCDateTimeField(null=True)
        active = peewee.BooleanField()
        categories = peewee.JSONField()
        products = peewee.JSONField()
        first_order_only = peewee.BooleanField()
        combinable = peewee.BooleanField()
        description = peewee.CharField(max_length=500)
        batch = peewee.UUIDField(null=True, index=True)

        class Meta:
            table_name = "coupons_coupon"
            constraints = (peewee.Check("uses >= 0"),)

    class Redemption(Entity):
        coupon = peewee.ForeignKeyField(Coupon, on_delete="CASCADE", index=False)
        order = peewee.UUIDField(index=True)
        number = peewee.CharField(max_length=40)
        account = peewee.ForeignKeyField(
            Account, null=True, on_delete="SET NULL", column_name="account", index=True
        )
        email = peewee.CharField(max_length=254, index=True)
        amount_minor = peewee.BigIntegerField()
        currency = peewee.CharField(max_length=3)
        state = peewee.CharField(max_length=10)
        released_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "coupons_redemption"
            indexes = ((("coupon", "order"), True), (("coupon", "state"), False))

    db.create_tables([Coupon, Redemption])


def down(migrator, db):
    """Drop them."""
    for table in ("redemption", "coupon"):
        db.execute_sql(f"DROP TABLE coupons_{table}")

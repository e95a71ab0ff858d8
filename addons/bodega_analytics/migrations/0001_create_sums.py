"""The tables of analytics."""

import peewee

from bodega_sdk import UTCDateTimeField

_SUMS = {
    "sales": (
        {},
        "orders units goods discounts shipping taxes gross cancelled_orders cancelled refunds "
        "paid_orders paid returned_units returns",
    ),
    "product_sales": (
        {"product": peewee.UUIDField},
        "orders units goods discounts gross cancelled_units cancelled paid_orders "
        "returned_units returns",
    ),
    "buyer_sales": ({"buyer": peewee.UUIDField}, "orders"),
    "takings": (
        {"provider": lambda: peewee.CharField(max_length=40)},
        "captures captured given_back refunded disputes disputed",
    ),
}


def up(migrator, db):
    """Create them; they refer to nothing, so that nobody's rows are kept by them."""

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class State(Base):
        id = peewee.IntegerField(primary_key=True)
        serving = peewee.IntegerField()
        building = peewee.IntegerField(null=True)
        newest = peewee.IntegerField()
        revision = peewee.BigIntegerField()
        told = peewee.BigIntegerField()
        sources = peewee.CharField(max_length=200)
        rebuilt_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "analytics_state"

    class Counted(Base):
        id = peewee.UUIDField(primary_key=True)
        generation = peewee.IntegerField()
        order = peewee.UUIDField()
        parts = peewee.TextField()

        class Meta:
            table_name = "analytics_counted"
            indexes = ((("generation", "order"), True),)

    class Interest(Base):
        id = peewee.UUIDField(primary_key=True)
        span = peewee.SmallIntegerField()
        at = peewee.IntegerField()
        product = peewee.UUIDField()
        views = peewee.BigIntegerField()
        carted = peewee.BigIntegerField()

        class Meta:
            table_name = "analytics_interest"
            indexes = ((("span", "at", "product"), True),)

    sums = [_sum(Base, name, *said) for name, said in _SUMS.items()]
    db.create_tables([State, Counted, Interest, *sums])


def _sum(base, name, about, measures):
    """Return the model of one table of sums."""
    key = ["generation", "span", "at", "currency", *about]
    indexes = [(key, True)]
    if "buyer" in about:
        indexes.append((["generation", "buyer", "span", "at"], False))
    meta = type("Meta", (), {"table_name": f"analytics_{name}", "indexes": indexes})
    fields = {
        "id": peewee.UUIDField(primary_key=True),
        "generation": peewee.IntegerField(),
        "span": peewee.SmallIntegerField(),
        "at": peewee.IntegerField(),
        "currency": peewee.CharField(max_length=3),
        **{field: kind() for field, kind in about.items()},
        **{field: peewee.BigIntegerField() for field in measures.split()},
        "Meta": meta,
    }
    return type(name.title().replace("_", ""), (base,), fields)


def down(migrator, db):
    """Drop them."""
    for table in ("interest", *_SUMS, "counted", "state"):
        db.execute_sql(f"DROP TABLE analytics_{table}")

"""The tables of reviews."""

import peewee

from bodega_sdk import UTCDateTimeField, extends


def up(migrator, db):
    """Create them; a product takes its reviews along, an account leaves them without an author."""

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
            Account, null=True, on_delete="SET NULL", column_name="account", **options
        )

    class Review(Entity):
        product = peewee.ForeignKeyField(
            Product, on_delete="CASCADE", column_name="product", index=False
        )
        account = of_account(index=False)
        rating = peewee.IntegerField()
        title = peewee.CharField(max_length=200)
        text = peewee.TextField()
        author = peewee.CharField(max_length=60)
        verified = peewee.BooleanField()
        status = peewee.CharField(max_length=10)
        reason = peewee.CharField(max_length=500)
        helpful = peewee.IntegerField()
        reports = peewee.IntegerField()
        withdrawn = peewee.BooleanField()

        class Meta:
            table_name = "reviews_review"
            indexes = (
                (("product", "account"), True),
                (("product", "status", "created_at"), False),
                (("account", "created_at"), False),
                (("status", "created_at"), False),
            )

    class Vote(Base):
        id = peewee.UUIDField(primary_key=True)
        review = peewee.ForeignKeyField(Review, on_delete="CASCADE", index=False)
        account = of_account(index=True)

        class Meta:
            table_name = "reviews_vote"
            indexes = ((("review", "account"), True),)

    class Report(Entity):
        review = peewee.ForeignKeyField(Review, on_delete="CASCADE", index=False)
        account = of_account(index=True)
        reason = peewee.CharField(max_length=20)
        text = peewee.CharField(max_length=1000)

        class Meta:
            table_name = "reviews_report"
            indexes = ((("review", "account"), True),)

    class Rating(Base):
        id = extends("products.product")
        rating = peewee.IntegerField(index=True)
        count = peewee.IntegerField()
        one = peewee.IntegerField()
        two = peewee.IntegerField()
        three = peewee.IntegerField()
        four = peewee.IntegerField()
        five = peewee.IntegerField()

        class Meta:
            table_name = "reviews_rating"

    db.create_tables([Review, Vote, Report, Rating])


def down(migrator, db):
    """Drop them."""
    for table in ("rating", "report", "vote", "review"):
        db.execute_sql(f"DROP TABLE reviews_{table}")

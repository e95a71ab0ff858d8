"""The tables of reviews."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import peewee

from bodega_sdk import Companion, Entity, Model, extends, uuid7
from bodega_sdk.errors import invalid

#: What can become of a review, in this order.
STATUSES = ("pending", "approved", "rejected")
#: Stars that a review can give.
STARS = (1, 2, 3, 4, 5)


class Review(Entity):
    """What somebody says of a product.

    Only approved ones are seen by all, and counted. ``account`` is null once its owner's
    account is gone, and of samples; nobody is named then.
    """

    product: Any = peewee.UUIDField()
    account: Any = peewee.UUIDField(null=True)
    rating: Any = peewee.IntegerField()
    title: Any = peewee.CharField(max_length=200, default="")
    text: Any = peewee.TextField(default="")
    # As they chose, or their initials.
    author: Any = peewee.CharField(max_length=60, default="")
    verified: Any = peewee.BooleanField(default=False)
    status: Any = peewee.CharField(max_length=10)
    reason: Any = peewee.CharField(max_length=500, default="")
    helpful: Any = peewee.IntegerField(default=0)
    # How often it was reported since somebody decided about it.
    reports: Any = peewee.IntegerField(default=0)
    # Of a product that was deleted: nobody but moderators sees it, and it waits for its return.
    withdrawn: Any = peewee.BooleanField(default=False)

    class Meta:
        table_name = "reviews_review"
        indexes = (
            (("product", "account"), True),
            (("product", "status", "created_at"), False),
            (("account", "created_at"), False),
            (("status", "created_at"), False),
        )

    @property
    def byline(self) -> str:
        """Who is named as its author."""
        return "" if self.account is None else str(self.author)

    @property
    def counted(self) -> bool:
        """Whether it is part of its product's rating."""
        return bool(self.status == "approved")


class Vote(Model):
    """That somebody found a review helpful."""

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    review: Any = peewee.ForeignKeyField(Review, on_delete="CASCADE", index=False)
    account: Any = peewee.UUIDField(null=True, index=True)

    class Meta:
        table_name = "reviews_vote"
        indexes = ((("review", "account"), True),)


class Report(Entity):
    """That somebody thinks a review should not be there; gone once it was decided about."""

    review: Any = peewee.ForeignKeyField(Review, on_delete="CASCADE", index=False)
    account: Any = peewee.UUIDField(null=True, index=True)
    reason: Any = peewee.CharField(max_length=20)
    text: Any = peewee.CharField(max_length=1000, default="")

    class Meta:
        table_name = "reviews_report"
        indexes = ((("review", "account"), True),)


class StarsField(peewee.IntegerField):
    """A mean of stars: a decimal number outside, whole hundredths in the database."""

    def db_value(self, value: Any) -> Any:
        """Return hundredths."""
        return None if value is None else round(Decimal(value).scaleb(2))

    def python_value(self, value: Any) -> Any:
        """Return stars."""
        return None if value is None else Decimal(int(value)).scaleb(-2)


class Rating(Companion):
    """What the approved reviews of a product come to.

    ``one`` to ``five`` count them by their stars; ``count`` and ``rating`` follow from these
    and stand here to filter and order by.
    """

    id: Any = extends("products.product")
    rating: Any = StarsField(default=Decimal(0), index=True)
    count: Any = peewee.IntegerField(default=0)
    one: Any = peewee.IntegerField(default=0)
    two: Any = peewee.IntegerField(default=0)
    three: Any = peewee.IntegerField(default=0)
    four: Any = peewee.IntegerField(default=0)
    five: Any = peewee.IntegerField(default=0)

    class Meta:
        table_name = "reviews_rating"

    @property
    def stars(self) -> tuple[int, ...]:
        """How many reviews give one star, two, and so on."""
        return (self.one, self.two, self.three, self.four, self.five)

    @property
    def mean(self) -> Decimal | None:
        """Their mean; None without any."""
        return Decimal(self.rating) if self.count else None

    @classmethod
    def loaded(cls, data: Mapping[str, Any], key: UUID | None) -> dict[str, Any]:
        """Refuse to be written: it is made of reviews."""
        raise invalid("rating", "It is made of the reviews; leave it out.")


#: All of them but the companion, which the extension brings.
MODELS = (Review, Vote, Report)

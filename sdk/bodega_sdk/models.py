"""Tables: the base classes, the fields both engines agree on, and the transaction."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, ClassVar, Self
from uuid import UUID

import peewee

from bodega_sdk.ids import uuid7
from bodega_sdk.runtime import runtime

#: Every model's database, e.g. ``database.get_tables()``; the kernel says which one it is.
database = peewee.DatabaseProxy()


def now() -> datetime:
    """Return the time, aware, in UTC.

    Example::

        >>> now().tzinfo is UTC
        True
    """
    return datetime.now(UTC)


class UTCDateTimeField(peewee.Field):
    """An instant: an aware ``datetime`` in UTC on every engine.

    SQLite stores ISO-8601 text of one width, so that order and comparison hold.

    Example::

        >>> UTCDateTimeField().python_value("2026-01-31T12:00:00.000000+01:00").isoformat()
        '2026-01-31T11:00:00+00:00'
    """

    field_type = "TIMESTAMPTZ"

    def db_value(self, value: Any) -> Any:
        """Return the instant as text both engines read.

        Raises:
            ValueError: the datetime has no zone.
        """
        if not isinstance(value, datetime):
            return value
        if value.tzinfo is None:
            raise ValueError(f"{self.name}: expected an aware datetime, found {value!r}")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def python_value(self, value: Any) -> datetime | None:
        """Return an aware datetime in UTC."""
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        return value.astimezone(UTC) if isinstance(value, datetime) else None


class Model(peewee.Model):
    """Base of every table. ``Meta.table_name`` starts with the addon's name and ``_``.

    Example::

        >>> class Rate(Model):
        ...     currency: Any = peewee.CharField(primary_key=True, max_length=3)
        ...     class Meta:
        ...         table_name = "loyalty_rate"
        >>> Rate._meta.database is database
        True
    """

    DoesNotExist: ClassVar[type[peewee.DoesNotExist]]

    class Meta:
        """Peewee's options."""

        database = database
        # True would name indexes after the class: two addons' `Line` would collide.
        legacy_table_names = False
        # Whether lists of it are counted once per version; see Runtime.count.
        versioned = False


class Entity(Model):
    """A table with a UUIDv7 key and the two timestamps, served through the API.

    Example::

        >>> class Award(Entity):
        ...     points: Any = peewee.IntegerField(default=0)
        ...     class Meta:
        ...         table_name = "loyalty_award"
        >>> Award(points=3).id.version
        7
    """

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    created_at: Any = UTCDateTimeField(default=now, index=True)
    updated_at: Any = UTCDateTimeField(default=now)

    class Meta:
        """Peewee's options."""

        versioned = True

    @classmethod
    def find(cls, key: UUID, *, lock: bool = False) -> Self | None:
        """Return the row with this key, or None; ``lock`` holds it until the commit."""
        query = cls.select().where(cls.id == key)
        found: Self | None = (locked(query) if lock else query).first()
        return found


def locked(query: Any, *, gone: bool = False) -> Any:
    """Return a query that holds the rows that it finds until the commit.

    Others may go on referring to them by foreign keys meanwhile. Nothing changes on SQLite:
    its transactions write one after the other anyway.

    Args:
        query: of a model, in an order that everybody uses who holds several.
        gone: whether the rows are about to be deleted, or get other keys: who refers to
            them waits too.

    Example::

        >>> list(locked(Award.select().order_by(Award.id)))
        []
    """
    if not database.obj.for_update:
        return query
    return query.for_update("FOR UPDATE" if gone else "FOR NO KEY UPDATE")


def hold_words(*words: str) -> None:
    """Hold words until the commit: whoever wants one of them meanwhile waits.

    For what no row stands for that could be locked, e.g. an address that nothing has yet. In
    a transaction; on SQLite that has the one lock there is. Hold all that are needed at once.

    Args:
        words: which begin with the addon's name, so that no other means the same.

    Example::

        >>> with transaction():
        ...     hold_words("loyalty first award of ada@shop.example")
    """
    if words and isinstance(database.obj, peewee.PostgresqlDatabase):
        # In one order, so that two who hold several do not wait for each other in a ring.
        database.execute_sql(
            "SELECT pg_advisory_xact_lock(hashtextextended(word, 0)) FROM unnest(%s) AS word",
            (sorted(set(words)),),
        )


def transaction() -> AbstractContextManager[None]:
    """Open the unit of work: everything in the ``with`` block happens, or nothing does.

    Events published and jobs enqueued inside belong to it. Nested blocks join the
    outer one as savepoints. On SQLite it takes the write lock at once.

    Example::

        >>> with transaction():
        ...     made = Award.create(points=3)
        ...     awarded.publish(str(made.id), {"points": 3})
    """
    return runtime().transaction()

"""Companions: tables with at most one row for each row that they extend, under the same id."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Self
from uuid import UUID

import peewee

from bodega_sdk.bulk import among, insert_or_update
from bodega_sdk.models import Model, database, locked
from bodega_sdk.reading import rows_of

#: Values of one statement; SQLite takes 32,766.
_KEYS = 5000
#: Rows of one statement, for the same reason.
_ROWS = 500


class CompanionKey(peewee.UUIDField):
    """The key of a companion table: the id of the row that it extends.

    Args:
        resource: what is extended, e.g. ``"products.product"``.
    """

    def __init__(self, resource: str, **kwargs: Any) -> None:
        self.resource = resource
        rule = peewee.SQL(f'REFERENCES "{table_of(resource)}" ("id") ON DELETE CASCADE')
        super().__init__(**({"primary_key": True, "constraints": [rule]} | kwargs))


def extends(resource: str) -> Any:
    """Return the field ``id`` of a companion table.

    Args:
        resource: what is extended: the addon's name, a dot and the noun, e.g.
            ``"products.product"``, whose table is ``products_product``.

    Example::

        >>> extends("products.product").resource
        'products.product'
    """
    return CompanionKey(resource)


def table_of(resource: str) -> str:
    """Return the table of a resource: ``products_product`` of ``products.product``."""
    return resource.replace(".", "_", 1)


class Companion(Model):
    """Base of companion tables. Its only key is ``id: Any = extends("products.product")``.

    Every other field has a default, or may be null.

    Example::

        >>> class ProductPoints(Companion):
        ...     id: Any = extends("products.product")
        ...     points: Any = peewee.IntegerField(default=0)
        ...     class Meta:
        ...         table_name = "loyalty_product_points"
        >>> ProductPoints(id=uuid7()).points
        0
    """

    id: Any

    class Meta:
        """Peewee's options."""

        versioned = True

    @classmethod
    def read(cls, key: UUID) -> Self:
        """Return the companion of a row, with its defaults when there is none yet."""
        found: Self | None = cls.get_or_none(cls._meta.primary_key == key)
        return cls(id=key) if found is None else found

    @classmethod
    def read_many(cls, keys: Iterable[UUID]) -> dict[UUID, Self]:
        """Return the companions of many rows by their ids, in one query for thousands."""
        keys, own = list(keys), cls._meta.primary_key
        found: dict[UUID, Self] = {}
        for some in _portions(keys, _KEYS):
            found |= {row.id: row for row in cls.select().where(among(own, some))}
        return {key: found.get(key) or cls(id=key) for key in keys}

    @classmethod
    def hold(cls, key: UUID) -> Self:
        """Return a row's companion, made if need be, locked until the commit.

        Raises:
            DoesNotExist: the row that it extends is gone.
        """
        held = cls.hold_many([key])
        if key not in held:
            raise cls.DoesNotExist(f"{cls.__name__}: there is no row {key} to extend")
        return held[key]

    @classmethod
    def hold_many(cls, keys: Iterable[UUID]) -> dict[UUID, Self]:
        """Return the companions of many rows, made if need be, locked until the commit.

        In the order of their ids, so that two who do so never wait in a ring. Rows that are
        gone are left out.
        """
        own = cls._meta.primary_key
        held: dict[UUID, Self] = {}
        for some in _portions(sorted(set(keys)), _KEYS):
            query = cls.select().where(among(own, some)).order_by(own)
            if len(rows_of(query)) < len(some):
                cls._make_and_hold(some)
            held |= {row.id: row for row in rows_of(locked(query))}
        return held

    @classmethod
    def _make_and_hold(cls, keys: Sequence[UUID]) -> None:
        """Make the rows that are not there, and hold the others, in one order."""
        own = cls._meta.primary_key
        base = peewee.Table(table_of(own.resource), ("id",)).bind(database.obj)
        # First what they extend, as everybody who changes that with its companions.
        query = base.select(base.id).where(base.id.in_([own.db_value(key) for key in keys]))
        query = query.order_by(base.id)
        there = (query.for_update("FOR KEY SHARE") if database.obj.for_update else query).tuples()
        for some in _portions([{"id": own.python_value(key)} for (key,) in there], _ROWS):
            made = cls.insert_many(some)
            made.on_conflict(conflict_target=[own], update={own: own}).execute()

    @classmethod
    def write(cls, key: UUID, **values: Any) -> None:
        """Set fields of a row's companion; what is not named stays, or has its default."""
        query = cls.insert({"id": key} | values)
        if values:
            query = query.on_conflict(conflict_target=[cls._meta.primary_key], update=values)
        else:
            query = query.on_conflict_ignore()
        query.execute()

    @classmethod
    def write_many(cls, rows: Mapping[UUID, Mapping[str, Any]]) -> None:
        """Set fields of many rows' companions in a few statements; call it in a transaction."""
        groups: dict[tuple[str, ...], list[tuple[UUID, Mapping[str, Any]]]] = {}
        for key, values in rows.items():
            groups.setdefault(tuple(sorted(values)), []).append((key, values))
        own = [name for name in cls._meta.fields if name != "id"]
        others = {name: getattr(cls(), name) for name in own}
        for names, group in groups.items():
            full = ((key, *(others | dict(values)).values()) for key, values in group)
            insert_or_update(cls, ("id", *own), full, key="id", update=names)

    @classmethod
    def loaded(cls, data: Mapping[str, Any], key: UUID | None) -> dict[str, Any]:
        """Return fields' values from loaded members. Override it where the two differ.

        Args:
            data: the members that were sent, as the schema loaded them.
            key: of the row that is extended, which is written already: ask its addon's
                ``api`` about it. None while the row of a file is looked at.

        Raises:
            InvalidInput: the members do not go together; name them without the addon's name.
        """
        return dict(data)


def _portions(things: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yield lists of at most so many things; for a few, peewee's fills thousands of places."""
    waiting = iter(things)
    while some := list(islice(waiting, size)):
        yield some

"""The routes of inventory."""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

import peewee

from bodega_inventory import naming, reserving, settling
from bodega_inventory.book import Cause
from bodega_inventory.items import Item
from bodega_inventory.models import KINDS, STATUSES, Level, Movement, Reservation
from bodega_inventory.moving import move
from bodega_inventory.reading import hold
from bodega_inventory.schemas import (
    LevelSchema,
    MovementSchema,
    MoveSchema,
    MovesSchema,
    ReservationSchema,
)
from bodega_sdk import Collection, Filter, Parameter, Reply, Request, Route
from bodega_sdk.errors import invalid

READ, WRITE, ALL = "inventory.read", "inventory.write", "inventory.all"


def _is(field: Any, kind: type, help: str, **more: Any) -> Filter:
    """Return the filter of exactly one value of a field."""
    return Filter(Parameter(field.name, kind, help, **more), lambda value: field == value)


def _which(model: Any) -> tuple[Filter, ...]:
    """Return the filters that say of what."""
    return (
        _is(model.product, UUID, "Only of this product, and of its variants."),
        _is(model.variant, UUID, "Only of this variant."),
        _is(model.organization, UUID, "Only what this organization sells."),
    )


class _Stock(Collection):
    """What all lists of inventory have in common."""

    read, write = READ, WRITE
    objects, beyond = "organization", ALL

    def render(self, rows: Iterable[Any]) -> list[dict[str, Any]]:
        """Show rows with the SKUs of what they are about: two queries more."""
        rows = list(rows)
        names, shown = naming.named(rows), super().render(rows)
        for row, item in zip(rows, shown, strict=True):
            name, sku = names[row.variant or row.product]
            item["sku"] = sku
            if "name" in self.schema._declared_fields:
                item["name"] = name
        return shown


class Levels(_Stock):
    """How much there is of each item."""

    model = Level
    schema = LevelSchema
    noun = "stock level"
    owner = Level.organization
    verbs = ("list", "create", "read", "change")
    filters = (
        *_which(Level),
        _is(Level.in_stock, bool, "Only what can be had, or only what cannot."),
        _is(Level.low_stock, bool, "Only what is low, or only what is not."),
        _is(Level.tracked, bool, "Only what is counted, or only what is not."),
        _is(Level.backorder, bool, "Only what can be sold beyond what is there, or the others."),
        Filter(Parameter("available_min", int, "So many available, or more."),
               lambda value: Level.available >= value),
        Filter(Parameter("available_max", int, "So many available, or fewer."),
               lambda value: Level.available <= value),
    )  # fmt: skip
    orderings: ClassVar = {
        "available": Level.available,
        "on_hand": Level.on_hand,
        "reserved": Level.reserved,
        "updated_at": Level.updated_at,
    }

    def select(self, request: Request) -> peewee.ModelSelect:
        """Those of products and variants that are not gone."""
        return Level.select().where(~Level.retired)

    def get(self, request: Request, *, lock: bool = False) -> Any:
        """Return a level; the product's row is held before its own, as everywhere."""
        if lock:
            hold([super().get(request).product])
        return super().get(request, lock=lock)

    def create(self, request: Request, data: dict[str, Any]) -> Level:
        """Begin a level."""
        data.pop("organization", None)
        item = Item(data.pop("product"), data.pop("variant", None))
        return settling.begin_level(item, data, self.whose(request))

    def change(self, request: Request, row: Level, data: dict[str, Any]) -> Level:
        """Change what holds for an item; which one it is stays."""
        for name in ("product", "variant"):
            if data.pop(name, getattr(row, name)) != getattr(row, name):
                raise invalid(name, "A level stays that of its item; begin another one.")
        return settling.change_level(row, data, self.whose(request))


class Movements(_Stock):
    """The ledger."""

    model = Movement
    schema = MovementSchema
    noun = "stock movement"
    owner = Movement.organization
    verbs = ("list", "read")
    filters = (
        *_which(Movement),
        _is(Movement.item, UUID, "Only of the level with this id."),
        _is(Movement.kind, str, "Only of this kind.", choices=KINDS),
        _is(Movement.reference, str, "Only of this reference."),
        _is(Movement.key, str, "Only of this key."),
    )

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, and moving."""
        moving = Route(
            "POST", path, self.move, WRITE, "Move stock",
            description="All items or none. What lacks is named, with what is there (409). The "
            "same `key` moves nothing twice.",
            body=MoveSchema, returns=MovesSchema, status=201, idempotent=True,
            objects=self.objects, beyond=ALL,
        )  # fmt: skip
        return (*super().routes(path), moving)

    def move(self, request: Request) -> Reply:
        """Move items."""
        body = request.body
        items = [Item(one["product"], one["variant"], one["quantity"]) for one in body["items"]]
        actor = request.identity.subject
        cause = Cause(body["reason"], body["reference"], body["key"], actor)
        made = move(body["kind"], items, cause, self.whose(request))
        return Reply({"results": self.render(made)}, 201)


class Reservations(_Stock):
    """What is promised."""

    model = Reservation
    schema = ReservationSchema
    noun = "reservation"
    owner = Reservation.organization
    verbs = ("list", "read")
    filters = (
        *_which(Reservation),
        _is(Reservation.status, str, "Only of this status.", choices=STATUSES),
        _is(Reservation.reference, str, "Only of this reference."),
    )
    orderings: ClassVar = {"expires_at": Reservation.expires_at}

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, and releasing."""
        releasing = Route(
            "POST", f"{path}/{{id}}/release", self.release, WRITE, "Release a reservation",
            description="Its pieces can be had by others at once.",
            returns=ReservationSchema, objects=self.objects, beyond=ALL,
        )  # fmt: skip
        return (*super().routes(path), releasing)

    def release(self, request: Request) -> dict[str, Any]:
        """Release one."""
        found = self.get(request)
        row = reserving.release_one(found.id, request.identity.subject)
        return self.render([row])[0]

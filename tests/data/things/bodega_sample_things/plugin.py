"""Things: their collection, their include, and a route of their own."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID

import peewee
from bodega_sample_things.models import Part, Thing

from bodega_sdk import (
    AUTHENTICATED,
    PUBLIC,
    Collection,
    Filter,
    Include,
    Model,
    Parameter,
    Reply,
    Request,
    Route,
    Routes,
    database,
    hookimpl,
    setting,
)
from bodega_sdk.schemas import Boolean, Integer, Schema, String, Timestamp, Uuid


class PartSchema(Schema):
    """A part."""

    label = String()


class ThingSchema(Schema):
    """A thing."""

    id = Uuid(dump_only=True)
    name = String(required=True, min_length=1)
    slug = String(required=True)
    code = String(required=True)
    size = Integer(load_default=0)
    unit = String(dump_only=True)
    cost = Integer(metadata={"permission": "things.cost"})
    is_hidden = Boolean(load_default=False)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class Things(Collection):
    """Things, addressed by id, slug or code."""

    model, schema, noun = Thing, ThingSchema, "thing"
    read, write = PUBLIC, "things.write"
    keys = ("slug", "code")
    always = ("name",)
    cached = True
    searchable = True
    filters = (
        Filter(Parameter("code", str, "This code, without regard to case."),
               lambda value: Thing.code == value.upper()),
        Filter(Parameter("size_min", int, "At least so large."), lambda value: Thing.size >= value),
    )  # fmt: skip
    orderings: ClassVar = {"name": Thing.name, "size": Thing.size}

    def select(self, request: Request) -> peewee.ModelSelect:
        """Those that are not hidden, or all."""
        query = Thing.select()
        return query if request.identity.may("things.hidden") else query.where(~Thing.is_hidden)

    def search(self, text: str) -> Any:
        """The name has it."""
        return Thing.name.contains(text)

    def rank(self, text: str) -> Any:
        """Names that begin with it are better."""
        return peewee.Case(None, [(Thing.name.startswith(text), 2)], 1)

    def render(self, rows: Iterable[Any]) -> list[dict[str, Any]]:
        """Show them in the unit that is set."""
        return [item | {"unit": setting("things.unit")} for item in super().render(rows)]

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, and the size alone."""
        alone = Route("GET", f"{path}/{{id}}/size", self.size, PUBLIC, "Its size",
                      path_types=self.path_types)  # fmt: skip
        largest = Route("GET", f"{path}/largest", self.largest, PUBLIC, "The largest three",
                        parameters=self.picking(), returns=self.shape, cached=True)  # fmt: skip
        jobs = Route("GET", "/things-busy", self.busy, PUBLIC, "Whether jobs wait", cached=True)
        mine = Route("GET", "/things-mine", self.mine, AUTHENTICATED, "Who asks", cached=True,
                     objects="own")  # fmt: skip
        return (*super().routes(path), alone, largest, jobs, mine)

    def mine(self, request: Request) -> Reply:
        """Who asks, and how many things there are."""
        found = {"subject": request.identity.subject, "things": Thing.select().count()}
        return Reply(found, headers={"Content-Language": "de"})

    def busy(self, request: Request) -> dict[str, Any]:
        """Whether jobs wait: of a table whose changes nobody notes."""
        found = database.execute_sql("SELECT count(*) FROM bodega_job").fetchone()
        return {"jobs": found[0], "things": Thing.select().count()}

    def size(self, request: Request) -> dict[str, Any]:
        """Its size."""
        return {"size": self.get(request).size}

    def largest(self, request: Request) -> list[dict[str, Any]]:
        """The largest three."""
        return self.show_all(self.select(request).order_by(Thing.size.desc()).limit(3), request)


def parts_of(ids: Sequence[UUID], request: Request) -> dict[UUID, list[dict[str, Any]]]:
    """Return the parts of things."""
    found: dict[UUID, list[dict[str, Any]]] = {}
    for part in Part.select().where(Part.thing.in_(ids)).order_by(Part.label):
        found.setdefault(part.thing_id, []).append({"label": part.label})
    return found


def costs_of(ids: Sequence[UUID], request: Request) -> dict[UUID, list[dict[str, Any]]]:
    """Return what is for few."""
    return {key: [{"label": "dear"}] for key in ids}


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return [Thing, Part]


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.collection("/things", Things)


@hookimpl
def register_includes() -> Iterable[Include]:
    """The includes."""
    return [
        Include("things.thing", "parts", PartSchema, parts_of, "What it is made of."),
        Include("things.thing", "costs", PartSchema, costs_of, "For few.", "things.cost"),
    ]

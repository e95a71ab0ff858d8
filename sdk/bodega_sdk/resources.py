"""Collections: list, create, read, replace, change and delete, declared not written.

A collection says which model and schema it shows, who may do what, and which filters
and orderings it knows; its four verbs (``create``, ``change``, ``remove``, ``select``)
are where an addon puts its domain functions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import peewee

from bodega_sdk import pagination
from bodega_sdk.encoding import etag, to_json
from bodega_sdk.errors import BadRequest, FieldError, NotFound, PreconditionFailed
from bodega_sdk.http import Parameter, Reply, Request, Route
from bodega_sdk.models import Entity, transaction
from bodega_sdk.schemas import Schema


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter that narrows a list.

    Args:
        parameter: its name, type and help.
        apply: takes the parsed value, returns a peewee condition.
    """

    parameter: Parameter
    apply: Callable[[Any], Any]


class Collection:
    """A list of rows and its items. Subclass it and set the class attributes.

    Attributes:
        model: the table.
        schema: what a row looks like outside; ``dump_only`` fields are not written.
        noun: the word for one of them, for messages and documentation.
        nouns: the word for several; the noun with an s when empty.
        read, write: permission names.
        filters: see :class:`Filter`.
        orderings: name → field that is never null.
        default_ordering: one of them, with ``-`` for descending.
        verbs: which of the six are served.
        searchable: whether ``?search=`` is known; then :meth:`search` must be written.
    """

    model: ClassVar[type[Entity]]
    schema: ClassVar[type[Schema]]
    noun: ClassVar[str]
    nouns: ClassVar[str] = ""
    read: ClassVar[str]
    write: ClassVar[str]
    filters: ClassVar[tuple[Filter, ...]] = ()
    orderings: ClassVar[Mapping[str, Any]] = {}
    default_ordering: ClassVar[str] = "-created_at"
    searchable: ClassVar[bool] = False
    verbs: ClassVar[tuple[str, ...]] = ("list", "create", "read", "replace", "change", "delete")
    page_size: ClassVar[int] = 20
    largest_page: ClassVar[int] = 200

    # The verbs: override these.

    def select(self, request: Request) -> peewee.ModelSelect:
        """Return the rows the caller may see."""
        return self.model.select()

    def search(self, text: str) -> Any:
        """Return the condition that a text is found in a row."""
        raise AssertionError(f"{type(self).__name__} is searchable but has no search()")

    def create(self, request: Request, data: dict[str, Any]) -> Any:
        """Make a row from loaded data and return it; runs in a transaction."""
        return self.model.create(**data)

    def change(self, request: Request, row: Any, data: dict[str, Any]) -> Any:
        """Change a row by loaded data and return it; runs in a transaction."""
        for name, value in data.items():
            setattr(row, name, value)
        row.save()
        return row

    def remove(self, request: Request, row: Any) -> None:
        """Delete a row; runs in a transaction."""
        row.delete_instance()

    def render(self, rows: Iterable[Any]) -> list[dict[str, Any]]:
        """Return rows as they are shown. Fetch what they refer to in one go here."""
        shown: list[dict[str, Any]] = self._shown.dump(list(rows), many=True)
        return shown

    # What the verbs are served by.

    def __init__(self) -> None:
        self._shown = self.schema()
        self._orderings = {"created_at": self.model.created_at} | dict(self.orderings)
        self._filters = {item.parameter.name: item for item in self.filters}

    def routes(self, path: str) -> tuple[Route, ...]:
        """Return the routes of the verbs that are served."""
        item, noun, shown = f"{path}/{{id}}", self.noun, self.schema
        several = self.nouns or f"{noun}s"
        made = {
            "list": Route("GET", path, self._list, self.read, f"List {several}",
                          parameters=self._parameters(), returns=shown, listing=True),
            "create": Route("POST", path, self._create, self.write, f"Create a {noun}",
                            body=shown, returns=shown, status=201),
            "read": Route("GET", item, self._read, self.read, f"Read a {noun}", returns=shown),
            "replace": Route("PUT", item, self._replace, self.write, f"Replace a {noun}",
                             body=shown, returns=shown),
            "change": Route("PATCH", item, self._patch, self.write, f"Change a {noun}",
                            body=shown, partial=True, returns=shown),
            "delete": Route("DELETE", item, self._delete, self.write, f"Delete a {noun}",
                            status=204),
        }  # fmt: skip
        return tuple(made[verb] for verb in self.verbs)

    def _parameters(self) -> tuple[Parameter, ...]:
        names = sorted(self._orderings)
        choices = tuple(sign + name for name in names for sign in ("", "-"))
        ordering = Parameter(
            "ordering", str, "Field to order by; '-' turns it round.",
            self.default_ordering, choices=choices,
        )  # fmt: skip
        search = (Parameter("search", str, "Words to look for."),) if self.searchable else ()
        own = tuple(item.parameter for item in self.filters)
        return (*pagination.parameters(self.page_size, self.largest_page), ordering, *search, *own)

    def _list(self, request: Request) -> dict[str, Any]:
        query = self._filtered(self.select(request), request.query)
        name = request.query["ordering"]
        field = self._orderings[name.removeprefix("-")]
        rows, envelope = pagination.paginate(query, request, field, name.startswith("-"))
        return envelope | {"results": self.render(rows)}

    def _filtered(self, query: Any, sent: Mapping[str, Any]) -> Any:
        for name, value in sent.items():
            if name in self._filters:
                query = query.where(self._filters[name].apply(value))
        if sent.get("search"):
            query = query.where(self.search(sent["search"]))
        return query

    def _create(self, request: Request) -> Reply:
        with transaction():
            row = self.create(request, request.body)
        location = f"{request.raw.path.rstrip('/')}/{row.id}"
        return Reply(self._one(row), 201, {"Location": location})

    def _read(self, request: Request) -> dict[str, Any]:
        return self._one(self._get(request))

    def _replace(self, request: Request) -> dict[str, Any]:
        return self._write(request, request.body)

    def _patch(self, request: Request) -> dict[str, Any]:
        if not request.body:
            message = "Send at least one member to change."
            raise BadRequest(message, [FieldError("body", message)])
        return self._write(request, request.body)

    def _write(self, request: Request, data: dict[str, Any]) -> dict[str, Any]:
        with transaction():
            row = self._held(request)
            return self._one(self.change(request, row, data))

    def _delete(self, request: Request) -> Reply:
        with transaction():
            self.remove(request, self._held(request))
        return Reply(status=204)

    def _held(self, request: Request) -> Any:
        """Return the row, locked, after checking If-Match against what it looks like now."""
        row = self._get(request, lock=True)
        wanted = request.raw.get_header("If-Match")
        if wanted and wanted.strip() != "*" and not self._matches(row, wanted):
            raise PreconditionFailed(
                f"The {self.noun} was changed since you read it; read it again and repeat.",
                [FieldError("If-Match", "Does not match the current ETag.", wanted)],
            )
        return row

    def _matches(self, row: Any, wanted: str) -> bool:
        current = etag(to_json(self._one(row)))
        return current in (tag.strip() for tag in wanted.split(","))

    def _get(self, request: Request, *, lock: bool = False) -> Any:
        key: UUID = request.params["id"]
        row = self.select(request).where(self.model.id == key).first()
        if row is not None and lock:
            # Read again under the lock: the row may have changed while we waited for it.
            row = self.model.find(key, lock=True)
        if row is None:
            raise NotFound(
                f"There is no {self.noun} with this id.",
                [FieldError("id", f"No {self.noun} has this id.", str(key))],
            )
        return row

    def _one(self, row: Any) -> dict[str, Any]:
        return self.render([row])[0]

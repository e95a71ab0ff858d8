"""Collections: list, create, read, replace, change and delete, declared not written.

A collection says which model and schema it shows, who may do what, and which filters
and orderings it knows; its four verbs (``create``, ``change``, ``remove``, ``select``)
are where an addon puts its domain functions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID

import peewee

from bodega_sdk import pagination
from bodega_sdk.encoding import etag, to_json
from bodega_sdk.errors import (
    BadRequest,
    FieldError,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
)
from bodega_sdk.extensions import Extension, extended
from bodega_sdk.http import Parameter, Reply, Request, Route
from bodega_sdk.models import Entity, transaction
from bodega_sdk.pagination import Ordering
from bodega_sdk.schemas import Schema


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter that narrows a list.

    Args:
        parameter: its name, type and help.
        apply: takes the parsed value, returns a peewee condition.

    Example::

        >>> at_least = Parameter("points_min", int, "At least so many points.")
        >>> Filter(at_least, lambda value: Award.points >= value).parameter.parse("3")
        3
    """

    parameter: Parameter
    apply: Callable[[Any], Any]


class Collection:
    """A list of rows and its items. Subclass it and set the class attributes.

    Args:
        extensions: what other addons add to its rows; the kernel says.

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
        objects: whose rows it is about, see :class:`bodega_sdk.http.Route`.
        beyond: the permission with which it is about all rows nevertheless.
        owner: the field that says whose a row is: an account's id, or an organization's;
            None where ``select`` sees to it.
        hidden: whether others' rows cannot be seen either; else they cannot be changed.
        searchable: whether ``?search=`` is known; then :meth:`search` must be written.

    Example::

        >>> class Awards(Collection):
        ...     model, schema, noun = Award, AwardSchema, "award"
        ...     read, write = "loyalty.read", "loyalty.award"
        ...     orderings = {"points": Award.points}
        >>> [route.method for route in Awards().routes("/loyalty/awards")]
        ['GET', 'POST', 'GET', 'PUT', 'PATCH', 'DELETE']
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
    objects: ClassVar[str] = "all"
    beyond: ClassVar[str] = ""
    owner: ClassVar[Any] = None
    hidden: ClassVar[bool] = True
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

    def __init__(self, extensions: tuple[Extension, ...] = ()) -> None:
        self._extensions = extensions
        #: The schema with the members that extensions add; for routes of your own.
        self.shape = extended(self.schema, extensions)
        self._shown = self.schema()
        fields = {"created_at": self.model.created_at} | dict(self.orderings)
        self._orderings = {name: Ordering.by(item) for name, item in fields.items()}
        self._filters = {item.parameter.name: item for item in self.filters}
        self._joined: dict[str, Extension] = {}
        for extension in extensions:
            self._extend(extension)

    def _extend(self, extension: Extension) -> None:
        for parameter, condition in extension.conditions():
            self._filters[parameter.name] = Filter(parameter, condition)
            self._joined[parameter.name] = extension
        for ordering in extension.ordered(self.model):
            self._orderings[ordering.name] = ordering

    def routes(self, path: str) -> tuple[Route, ...]:
        """Return the routes of the verbs that are served."""
        item, noun, shown = f"{path}/{{id}}", self.noun, self.shape
        several = self.nouns or f"{noun}s"
        made = {
            "list": Route("GET", path, self._list, self.read, f"List {several}",
                          parameters=self._parameters(), returns=shown, listing=True),
            "create": Route("POST", path, self._create, self.write, f"Create a {noun}",
                            body=shown, returns=shown, status=201, idempotent=True),
            "read": Route("GET", item, self._read, self.read, f"Read a {noun}", returns=shown),
            "replace": Route("PUT", item, self._replace, self.write, f"Replace a {noun}",
                             body=shown, returns=shown),
            "change": Route("PATCH", item, self._patch, self.write, f"Change a {noun}",
                            body=shown, partial=True, returns=shown),
            "delete": Route("DELETE", item, self._delete, self.write, f"Delete a {noun}",
                            status=204),
        }  # fmt: skip
        whose: dict[str, Any] = {"objects": self.objects, "beyond": self.beyond}
        seen_by_all = () if self.hidden else ("list", "read")
        return tuple(
            made[verb] if verb in seen_by_all else replace(made[verb], **whose)
            for verb in self.verbs
        )

    def _parameters(self) -> tuple[Parameter, ...]:
        names = sorted(self._orderings)
        choices = tuple(sign + name for name in names for sign in ("", "-"))
        ordering = Parameter(
            "ordering", str, "Field to order by; '-' turns it round.",
            self.default_ordering, choices=choices,
        )  # fmt: skip
        search = (Parameter("search", str, "Words to look for."),) if self.searchable else ()
        own = tuple(item.parameter for item in self._filters.values())
        return (*pagination.parameters(self.page_size, self.largest_page), ordering, *search, *own)

    def _list(self, request: Request) -> dict[str, Any]:
        narrowing = self._narrowing(request.query)
        query = self._filtered(self._join(self._seen(request), narrowing), request.query)
        count = pagination.count_rows(query)
        others = [item for item in self._extensions if item not in narrowing]
        query = self._with_companions(self._join(query, others))
        name = request.query["ordering"]
        order = self._orderings[name.removeprefix("-")]
        rows, envelope = pagination.paginate(query, request, order, name.startswith("-"), count)
        return envelope | {"results": self.show_all(rows)}

    def _narrowing(self, sent: Mapping[str, Any]) -> list[Extension]:
        """Return the extensions that a list is filtered by."""
        return list(dict.fromkeys(self._joined[name] for name in sent if name in self._joined))

    def _join(self, query: Any, extensions: Iterable[Extension]) -> Any:
        for extension in extensions:
            query = extension.joined_to(query, self.model)
        return query

    def _with_companions(self, query: Any) -> Any:
        models = [item.model for item in self._extensions]
        return query.select_extend(*models) if models else query

    def _filtered(self, query: Any, sent: Mapping[str, Any]) -> Any:
        for name, value in sent.items():
            if name in self._filters:
                query = query.where(self._filters[name].apply(value))
        if sent.get("search"):
            query = query.where(self.search(sent["search"]))
        return query

    def _create(self, request: Request) -> Reply:
        data, members = self._split(request.body)
        data = self._owned(request, data)
        with transaction():
            row = self.create(request, data)
            self._take(row, members, whole=True)
        location = f"{request.raw.path.rstrip('/')}/{row.id}"
        return Reply(self.show(row), 201, {"Location": location})

    def _split(
        self, body: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[tuple[Extension, dict[str, Any]]]]:
        """Part a body into the row's own members and those of extensions."""
        data = dict(body)
        members = [(x, data.pop(x.addon)) for x in self._extensions if x.addon in data]
        return data, members

    def _take(
        self, row: Any, members: list[tuple[Extension, dict[str, Any]]], *, whole: bool
    ) -> None:
        for extension, data in members:
            extension.take(row, data, whole=whole)

    def _read(self, request: Request) -> dict[str, Any]:
        return self.show(self.get(request))

    def _replace(self, request: Request) -> dict[str, Any]:
        return self._write(request, whole=True)

    def _patch(self, request: Request) -> dict[str, Any]:
        if not request.body:
            message = "Send at least one member to change."
            raise BadRequest(message, [FieldError("body", message)])
        return self._write(request, whole=False)

    def _write(self, request: Request, *, whole: bool) -> dict[str, Any]:
        data, members = self._split(request.body)
        self._refuse_giving(request, data)
        with transaction():
            row = self.hold(request)
            changed = self.change(request, row, data)
            # What is shown has the companions, whichever object change() returned.
            self._carry(row, changed)
            self._take(changed, members, whole=whole)
            return self.show(changed)

    def _delete(self, request: Request) -> Reply:
        with transaction():
            self.remove(request, self.hold(request))
        return Reply(status=204)

    def hold(self, request: Request) -> Any:
        """Return the row that an address names, locked until the commit.

        For actions on one row, in a transaction: it checks ``If-Match`` against what the
        row looks like now.

        Raises:
            NotFound: there is none that the caller may see.
            PermissionDenied: the caller may see it, but it is somebody else's.
            PreconditionFailed: it was changed since the caller read it.
        """
        row = self.get(request, lock=True)
        if not self._is_mine(request, row):
            raise PermissionDenied(f"This {self.noun} is not yours to change.")
        wanted = request.raw.get_header("If-Match")
        if wanted and wanted.strip() != "*" and not self._matches(row, wanted):
            raise PreconditionFailed(
                f"The {self.noun} was changed since you read it; read it again and repeat.",
                [FieldError("If-Match", "Does not match the current ETag.", wanted)],
            )
        return row

    def _matches(self, row: Any, wanted: str) -> bool:
        current = etag(to_json(self.show(row)))
        return current in (tag.strip() for tag in wanted.split(","))

    def get(self, request: Request, *, lock: bool = False) -> Any:
        """Return the row that an address names by its ``{id}``.

        Args:
            lock: whether to hold it until the commit; see :meth:`hold`.

        Raises:
            NotFound: there is none that the caller may see.
        """
        key: UUID = request.params["id"]
        row = self._whole(self._seen(request).where(self.model.id == key)).first()
        if row is not None and lock:
            # Read again under the lock: the row may have changed while we waited for it.
            row = self.model.find(key, lock=True)
            self._attach(row)
        if row is None:
            raise NotFound(
                f"There is no {self.noun} with this id.",
                [FieldError("id", f"No {self.noun} has this id.", str(key))],
            )
        return row

    # Whose rows they are.

    def whose(self, request: Request) -> UUID | None:
        """Return the id that ``owner`` must hold for the caller to reach a row; None for any.

        Raises:
            PermissionDenied: the caller belongs to no organization.
        """
        identity = request.identity
        if self.objects == "all" or (self.beyond and identity.may(self.beyond)):
            return None
        if self.objects == "own":
            return _uuid(identity.subject, "You have no account here.")
        none = "You belong to no organization; an administrator can help."
        return _uuid(identity.organization, none)

    def _seen(self, request: Request) -> Any:
        mine = self.whose(request) if self.hidden else None
        query = self.select(request)
        return query if mine is None or self.owner is None else query.where(self.owner == mine)

    def _is_mine(self, request: Request, row: Any) -> bool:
        mine = self.whose(request)
        if mine is None or self.owner is None:
            return True
        return bool(getattr(row, _key_of(self.owner)) == mine)

    def _owned(self, request: Request, data: dict[str, Any]) -> dict[str, Any]:
        """Return what a new row is made of, with whose it is."""
        self._refuse_giving(request, data)
        mine = self.whose(request)
        if mine is None or self.owner is None:
            return data
        return data | {self.owner.name: mine}

    def _refuse_giving(self, request: Request, data: Mapping[str, Any]) -> None:
        """Refuse to say whose a row is, but from those who reach all of them."""
        name = self.owner.name if self.owner is not None else None
        if name in data and self.whose(request) is not None:
            raise PermissionDenied(
                f"You cannot choose whose a {self.noun} is.",
                [FieldError(str(name), "Leave this out; it is yours.")],
            )

    def _whole(self, query: Any) -> Any:
        return self._with_companions(self._join(query, self._extensions))

    def _attach(self, row: Any) -> None:
        """Give a row that was read alone its companions."""
        if row is not None and self._extensions:
            found = self._whole(self.model.select().where(self.model.id == row.id)).first()
            self._carry(found, row)

    def _carry(self, source: Any, target: Any) -> None:
        for extension in self._extensions if source is not target else ():
            setattr(target, extension.attribute, getattr(source, extension.attribute, None))

    def show(self, row: Any) -> dict[str, Any]:
        """Return a row as it is shown, with what extensions add to it."""
        return self.show_all([row])[0]

    def show_all(self, rows: Iterable[Any]) -> list[dict[str, Any]]:
        """Return rows as they are shown, with what extensions add to them."""
        rows = list(rows)
        shown = self.render(rows)
        for extension in self._extensions:
            for item, members in zip(shown, extension.show(rows), strict=True):
                item[extension.addon] = members
        return shown


def _key_of(field: Any) -> str:
    """Return the attribute of a row that holds a field's bare value."""
    return str(getattr(field, "object_id_name", field.name))


def _uuid(text: str, otherwise: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise PermissionDenied(otherwise) from None

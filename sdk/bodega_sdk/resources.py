"""Collections: list, create, read, replace, change and delete, declared not written.

A collection says which model and schema it shows, who may do what, and which filters
and orderings it knows; its four verbs (``create``, ``change``, ``remove``, ``select``)
are where an addon puts its domain functions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

import peewee

from bodega_sdk import pagination
from bodega_sdk.errors import (
    BadRequest,
    FieldError,
    NotFound,
    PermissionDenied,
)
from bodega_sdk.extensions import Extension, extended
from bodega_sdk.filters import Filter
from bodega_sdk.http import Parameter, Reply, Request, Route
from bodega_sdk.identity import ANONYMOUS
from bodega_sdk.ids import read_uuid
from bodega_sdk.includes import Include
from bodega_sdk.members import Members
from bodega_sdk.models import Entity, transaction
from bodega_sdk.pagination import Ordering
from bodega_sdk.reading import rows_of
from bodega_sdk.schemas import Schema
from bodega_sdk.showing import Shower


class Collection:
    """A list of rows and its items. Subclass it and set the class attributes.

    Args:
        extensions: what other addons add to its rows; the kernel says.
        includes: what they show below them when it is asked for; the kernel says.

    Attributes:
        model: the table.
        schema: what a row looks like outside; ``dump_only`` fields are not written. A field
            with ``metadata={"permission": "loyalty.audit"}`` is shown to and written by
            those only who hold it; with ``"write_permission"`` it is shown to everybody.
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
        keys: other names of an item in addresses, tried in this order after its id: of a
            filter that finds one row at most, or of a unique field.
        cached: whether lists and items may be given again while nothing changed that they
            were made of, see :class:`bodega_sdk.http.Route`.
        always: members that ``?include=`` may name although they are always shown.

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
    keys: ClassVar[tuple[str, ...]] = ()
    always: ClassVar[tuple[str, ...]] = ()
    cached: ClassVar[bool] = False
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

    def rank(self, text: str) -> Any:
        """Return how well a row fits a text: a whole number, more is better; None for no say.

        It is what ``?search=`` orders by when no ordering is asked for.
        """
        return None

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
        return self._shown.show(rows)

    # What the verbs are served by.

    def __init__(
        self, extensions: tuple[Extension, ...] = (), includes: tuple[Include, ...] = ()
    ) -> None:
        self._extensions = extensions
        #: The schema with the members that extensions add; for routes of your own.
        self.shape = extended(self.schema, extensions, includes)
        self._members = Members(self.schema, extensions, includes, self.always)
        self._shown = Shower(self.schema, self.model)
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
        picking = self.picking()
        made = {
            "list": Route("GET", path, self._list, self.read, f"List {several}",
                          parameters=self._parameters(), returns=shown, listing=True,
                          cached=self.cached),
            "create": Route("POST", path, self._create, self.write, f"Create a {noun}",
                            body=shown, returns=shown, status=201, idempotent=True),
            "read": Route("GET", item, self._read, self.read, f"Read a {noun}",
                          parameters=picking, returns=shown, cached=self.cached),
            "replace": Route("PUT", item, self._replace, self.write, f"Replace a {noun}",
                             body=shown, returns=shown),
            "change": Route("PATCH", item, self._patch, self.write, f"Change a {noun}",
                            body=shown, partial=True, returns=shown),
            "delete": Route("DELETE", item, self._delete, self.write, f"Delete a {noun}",
                            status=204),
        }  # fmt: skip
        whose: dict[str, Any] = {"objects": self.objects, "beyond": self.beyond}
        seen_by_all = () if self.hidden else ("list", "read")
        served = (
            made[verb] if verb in seen_by_all else replace(made[verb], **whose)
            for verb in self.verbs
        )
        return tuple(self._keyed(route) if route.path == item else route for route in served)

    def _keyed(self, route: Route) -> Route:
        if not self.keys:
            return route
        told = f"`id` is the {self.noun}'s id, or its {' or '.join(self.keys)}."
        return replace(route, path_types=self.path_types, description=told)

    @property
    def path_types(self) -> Mapping[str, type]:
        """What routes of your own below ``path/{id}`` say of it, so that keys do there too."""
        return {"id": str} if self.keys else {}

    def _parameters(self) -> tuple[Parameter, ...]:
        names = sorted(self._orderings)
        choices = tuple(sign + name for name in names for sign in ("", "-"))
        ordering = Parameter(
            "ordering", str, "Field to order by; '-' turns it round.",
            self.default_ordering, choices=choices,
        )  # fmt: skip
        search = (Parameter("search", str, "Words to look for."),) if self.searchable else ()
        own = tuple(item.parameter for item in self._filters.values())
        pages = pagination.parameters(self.page_size, self.largest_page)
        return (*pages, ordering, *search, *own, *self.picking())

    def _list(self, request: Request) -> dict[str, Any]:
        wanted = self._members.wanted(request)
        narrowing = self._narrowing(request.query)
        query = self._filtered(self._join(self._seen(request), narrowing), request.query)
        count = pagination.count_rows(query)
        others = [item for item in self._extensions if item not in narrowing]
        query = self._with_companions(self._join(query, others))
        query, order, descending = self._ordered(query, request)
        rows, envelope = pagination.paginate(query, request, order, descending, count)
        return envelope | {"results": self._show(rows, wanted, request)}

    def _ordered(self, query: Any, request: Request) -> tuple[Any, Ordering, bool]:
        """Return a query with what it is to be ordered by, how, and whether from the top."""
        text = request.query.get("search")
        asked = "ordering" in request.raw.params
        # A list of its own may be ordered in its own way without being asked.
        if text and not asked and request.query["ordering"] == self.default_ordering:
            rank = self.rank(text)
            if rank is not None:
                return (*pagination.by_rank(query, rank, self.model.id), True)
        name = request.query["ordering"]
        return query, self._orderings[name.removeprefix("-")], name.startswith("-")

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
        self._members.refuse(request.identity, request.body)
        data, members = self._split(request.body)
        data = self._owned(request, data)
        with transaction():
            row = self.create(request, data)
            self._take(row, members, whole=True, request=request)
        location = f"{request.raw.path.rstrip('/')}/{row.id}"
        return Reply(self.show(row, request), 201, {"Location": location})

    def _split(
        self, body: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[tuple[Extension, dict[str, Any]]]]:
        """Part a body into the row's own members and those of extensions."""
        data = dict(body)
        members = [(x, data.pop(x.addon)) for x in self._extensions if x.addon in data]
        return data, members

    def _take(
        self,
        row: Any,
        members: list[tuple[Extension, dict[str, Any]]],
        *,
        whole: bool,
        request: Request | None = None,
    ) -> None:
        identity = request.identity if request else ANONYMOUS
        for extension, data in members:
            spared = self._members.spared(identity, extension.addon)
            extension.take(row, data, whole=whole, **({"spared": spared} if spared else {}))

    def _read(self, request: Request) -> dict[str, Any]:
        wanted = self._members.wanted(request)
        return self._show([self.get(request)], wanted, request)[0]

    def _replace(self, request: Request) -> dict[str, Any]:
        return self._write(request, whole=True)

    def _patch(self, request: Request) -> dict[str, Any]:
        if not request.body:
            message = "Send at least one member to change."
            raise BadRequest(message, [FieldError("body", message)])
        return self._write(request, whole=False)

    def _write(self, request: Request, *, whole: bool) -> dict[str, Any]:
        self._members.refuse(request.identity, request.body)
        data, members = self._split(request.body)
        self._refuse_giving(request, data)
        with transaction():
            row = self.hold(request)
            changed = self.change(request, row, data)
            # What is shown has the companions, whichever object change() returned.
            self._carry(row, changed)
            self._take(changed, members, whole=whole, request=request)
            return self.show(changed, request)

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
        request.refuse_stale(self.noun, lambda: self.show(row, request))
        return row

    def get(self, request: Request, *, lock: bool = False) -> Any:
        """Return the row that an address names by its ``{id}``.

        Args:
            lock: whether to hold it until the commit; see :meth:`hold`.

        Raises:
            NotFound: there is none that the caller may see.
        """
        sent = request.params["id"]
        row = self._find(self._seen(request), sent)
        if row is not None and lock:
            # Read again under the lock: the row may have changed while we waited for it.
            row = self.model.find(row.id, lock=True)
            self._attach(row)
        if row is None:
            names = " or ".join(("id", *self.keys))
            raise NotFound(
                f"There is no {self.noun} with this {names}.",
                [FieldError("id", f"No {self.noun} has this {names}.", str(sent))],
            )
        return row

    def _find(self, query: Any, sent: UUID | str) -> Any:
        """Return the row that has an id, or a text as one of its keys; None if there is none."""
        for condition in self._named(sent):
            rows = rows_of(self._whole(query.where(condition)).limit(1))
            if rows:
                return rows[0]
        return None

    def _named(self, sent: UUID | str) -> Iterable[Any]:
        key = _as_uuid(sent)
        if key is not None:
            yield self.model.id == key
        for name in self.keys if isinstance(sent, str) else ():
            known = self._filters.get(name)
            yield known.apply(sent) if known else getattr(self.model, name) == sent

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

    def show(self, row: Any, request: Request | None = None) -> dict[str, Any]:
        """Return a row as it is shown, with what extensions add to it.

        Args:
            request: by whom; without it, members that need a permission are left out.
        """
        return self.show_all([row], request)[0]

    def show_all(self, rows: Iterable[Any], request: Request | None = None) -> list[dict[str, Any]]:
        """Return rows as they are shown, with what extensions add to them; see :meth:`show`.

        In a route of your own that takes :meth:`picking`, the request also says which.
        """
        return self._show(list(rows), self._members.wanted(request), request)

    def picking(self) -> tuple[Parameter, ...]:
        """Return the parameters ``fields`` and ``include``, for routes of your own."""
        return tuple(self._members.parameters())

    def _show(self, rows: list[Any], wanted: Any, request: Any) -> list[dict[str, Any]]:
        shown = self.render(rows)
        for extension in self._extensions:
            for item, members in zip(shown, extension.show(rows), strict=True):
                item[extension.addon] = members
        return self._members.apply(rows, shown, wanted, request)


def _key_of(field: Any) -> str:
    """Return the attribute of a row that holds a field's bare value."""
    return str(getattr(field, "object_id_name", field.name))


def _as_uuid(sent: UUID | str) -> UUID | None:
    try:
        return sent if isinstance(sent, UUID) else read_uuid(sent)
    except ValueError:
        return None


def _uuid(text: str, otherwise: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise PermissionDenied(otherwise) from None

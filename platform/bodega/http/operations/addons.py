"""``/addons``: what there is and in which state."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from bodega.addons import ledger, lifecycle
from bodega.addons.listing import listing
from bodega.addons.plans import VERBS
from bodega.errors import OperatorError
from bodega.http.operations import fresh
from bodega_sdk.errors import Conflict, FieldError, NotFound
from bodega_sdk.http import Parameter, Request, Route
from bodega_sdk.schemas import Boolean, Integer, List, Nested, Schema, String

if TYPE_CHECKING:
    from bodega.shop import Session

STATES = ["available", "disabled", "enabled", "pending_upgrade", "quarantined"]
log = structlog.get_logger(__name__)


class FaultSchema(Schema):
    """Why an addon is quarantined."""

    addon = String()
    culprit = String()
    reason = String()
    remedy = String()
    code = String(metadata={"description": "Of the problem that its routes answer with."})


class AddonSchema(Schema):
    """An addon and its state."""

    name = String()
    version = String()
    state = String(metadata={"enum": STATES})
    summary = String()
    depends = List(String())
    fault = Nested(FaultSchema, allow_none=True)
    waiting = List(String(), metadata={"description": "Migrations that wait for new code."})
    denied = List(String(), metadata={"description": "What it asks for and nobody approved."})


class VerbSchema(Schema):
    """How a verb shall be done."""

    plan = Boolean(load_default=False, metadata={"description": "Show the plan, do nothing."})
    expected = String(load_default=None, allow_none=True, metadata={"description": "A plan's id."})
    cascade = Boolean(load_default=False)
    approve = Boolean(
        load_default=False,
        metadata={"description": "Let an addon use more than was approved before."},
    )


class ChangeSchema(Schema):
    """What was done, or would be."""

    addons = List(String())
    generation = Integer()
    archives = List(String())
    waiting = List(String(), metadata={"description": "Addons whose upgrade goes on by itself."})


class OwnerSchema(Schema):
    """Who owns a name."""

    kind = String()
    name = String()
    addon = String()


class Addons:
    """The handlers."""

    def __init__(self, session: "Session") -> None:
        self._shop = session.shop

    def list(self, request: Request) -> dict[str, Any]:
        """All addons; there are never so many that they need pages."""
        found = [item.as_json() for item in listing(self._shop)]
        return {"count": len(found), "next": None, "previous": None, "results": found}

    def read(self, request: Request) -> dict[str, Any]:
        """One addon."""
        name = request.params["name"]
        for item in listing(self._shop):
            if item.name == name:
                return item.as_json()
        raise _unknown(name)

    def owners(self, request: Request) -> dict[str, Any]:
        """Who owns a name."""
        name = request.query.get("name", "")
        found = [{"kind": claim.kind, "name": claim.name, "addon": owner}
                 for claim, owner in ledger.owners(name)]  # fmt: skip
        return {"count": len(found), "next": None, "previous": None, "results": found}

    def verb(self, verb: str) -> Callable[[Request], dict[str, Any]]:
        """Return the handler of a verb."""

        def handler(request: Request) -> dict[str, Any]:
            name, how = request.params["name"], request.body
            self._must_be_known(name)
            with _refusals():
                if fresh.is_needed(self._shop):
                    done = fresh.run(self._shop, verb, name, how)
                    if not how["plan"]:
                        # The process that did it knows nothing of who asked. Written afterwards:
                        # another operator at work may hold the database, and is to be named.
                        self._shop.audit("addon.change_requested", f"addon:{name}", verb=verb)
                    return _told_by_another(done)
                if how["plan"]:
                    return lifecycle.plan(self._shop, verb, name, cascade=how["cascade"]).as_json()
                change = lifecycle.apply(
                    self._shop, verb, name, cascade=how["cascade"], expected=how["expected"],
                    approve=how["approve"],
                )  # fmt: skip
                log.info("addon changed", verb=verb, addon=name, by=request.identity.subject)
                return _told(change)

        return handler

    def retry(self, request: Request) -> dict[str, Any]:
        """Try a quarantined addon again."""
        self._must_be_known(request.params["name"])
        with _refusals():
            return _told(lifecycle.retry(self._shop, request.params["name"]))

    def _must_be_known(self, name: str) -> None:
        if all(item.name != name for item in listing(self._shop)):
            raise _unknown(name)


def _unknown(name: str) -> NotFound:
    message = "There is no addon of this name."
    return NotFound(message, [FieldError("name", message, name)])


def _told(change: lifecycle.Change) -> dict[str, Any]:
    """Return a change as it is shown; where archives are is the operator's business only."""
    names = [Path(path).name for path in change.archives]
    return {"addons": change.addons, "generation": change.generation, "archives": names,
            "waiting": change.waiting}  # fmt: skip


def _told_by_another(found: dict[str, Any]) -> dict[str, Any]:
    """Return what the command line tells as the API does."""
    if "id" in found:
        return found  # A plan.
    names = [Path(path).name for path in found["archives"]]
    return {"addons": found["addons"], "generation": found["generation"], "archives": names,
            "waiting": found["waiting"]}  # fmt: skip


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what an operator is told into problems of the API."""
    try:
        yield
    except OperatorError as error:
        raise Conflict(str(error)) from None


def routes(session: "Session") -> tuple[Route, ...]:
    """Return the routes."""
    addons = Addons(session)
    named = {"name": str}
    reading = (
        Route(
            "GET", "/addons", addons.list, "bodega.read", "List addons",
            returns=AddonSchema, listing=True,
        ),
        Route(
            "GET", "/addons/{name}", addons.read, "bodega.read", "Read an addon",
            returns=AddonSchema, path_types=named,
        ),
        Route(
            "GET", "/resources", addons.owners, "bodega.read", "Who owns a name",
            parameters=(Parameter("name", str, "A table, route, permission, event, …"),),
            returns=OwnerSchema, listing=True,
        ),
    )  # fmt: skip
    verbs = tuple(
        Route(
            "POST", f"/addons/{{name}}/{verb}", addons.verb(verb), "bodega.write",
            f"{verb.capitalize()} an addon", body=VerbSchema, returns=ChangeSchema,
            path_types=named,
            description="With `plan: true` nothing is done and the answer is the plan; with "
            "`expected` it is done only if the plan is still the same.",
        )
        for verb in VERBS
    )  # fmt: skip
    retry = Route(
        "POST", "/addons/{name}/retry", addons.retry, "bodega.write",
        "Try a quarantined addon again", returns=ChangeSchema, path_types=named,
    )  # fmt: skip
    return (*reading, *verbs, retry)

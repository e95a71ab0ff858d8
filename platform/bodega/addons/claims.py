"""The names that an addon claims: what two addons cannot both own."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import peewee

if TYPE_CHECKING:
    from bodega.addons.loading import LoadedAddon

_PARAMETER = re.compile(r"{\w+}")
#: Every kind of name that an addon can own.
KINDS = (
    "table", "index", "route", "operation", "permission", "setting", "event", "job",
    "channel", "stream", "command", "console page", "hook", "credential", "service",
)  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """A name of a kind.

    Args:
        kind: one of :data:`KINDS`.
        name: routes are ``"GET /notes/{}"``: what a parameter is called makes no difference.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}"


def without_parameters(template: str) -> str:
    """Return a template whose parameters have no names: ``/notes/{id}`` as ``/notes/{}``."""
    return _PARAMETER.sub("{}", template)


def claims(addon: "LoadedAddon") -> tuple[Claim, ...]:
    """Return what an addon claims, in order and each once."""
    found = {Claim(kind, name) for kind, name in _claims(addon)}
    return tuple(sorted(found, key=lambda claim: (KINDS.index(claim.kind), claim.name)))


def _claims(addon: "LoadedAddon") -> Iterator[tuple[str, str]]:
    manifest = addon.manifest
    yield "table", f"{manifest.name}_migration"
    for model in addon.models:
        yield "table", model._meta.table_name
        for index in model._meta.fields_to_index():
            # One in plain SQL has no name that could be asked for.
            if isinstance(index, peewee.Index):
                yield "index", index._name
    for route in addon.routes:
        yield "route", f"{route.method} {without_parameters(route.path)}"
        yield "operation", route.operation_id
    yield from (("permission", name) for name in manifest.permissions)
    yield from (("setting", f"{manifest.name}.{item.name}") for item in manifest.settings)
    yield from (("event", event.name) for event in addon.events)
    yield from (("job", job.name) for job in addon.jobs)
    yield from (("channel", without_parameters(channel.name)) for channel in addon.channels)
    yield from (
        ("stream", without_parameters(channel.path).strip("/"))
        for channel in addon.channels
        if channel.path is not None
    )
    yield from (("command", str(command.name)) for command in addon.commands)
    yield from (("hook", hook.name) for hook in addon.hooks)
    yield from (("console page", page.path) for page in addon.console_pages)
    yield from (("credential", item.prefix) for item in addon.credentials)
    yield from (("service", item.name) for item in addon.services)


def collision(
    addons: Iterable["LoadedAddon"], owned: Mapping[Claim, str] | None = None
) -> tuple[Claim, str, str] | None:
    """Return the first name that two addons claim, its owner and the other.

    Args:
        owned: who owns what already; the first to claim a name owns it otherwise.
    """
    claimed = {addon.name: dict.fromkeys(addon.claims) for addon in addons}
    owners = {
        claim: name for claim, name in (owned or {}).items() if claim in claimed.get(name, ())
    }
    for name, found in claimed.items():
        for claim in found:
            owner = owners.setdefault(claim, name)
            if owner != name:
                return claim, owner, name
    return None

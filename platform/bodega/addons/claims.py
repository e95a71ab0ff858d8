"""The names that an addon claims: what two addons cannot both own."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bodega.addons.loading import LoadedAddon

_PARAMETER = re.compile(r"{\w+}")
#: Every kind of name that an addon can own.
KINDS = (
    "table", "index", "route", "operation", "permission", "setting", "event", "job",
    "channel", "command", "console page", "hook",
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


def claims(addon: LoadedAddon) -> tuple[Claim, ...]:
    """Return what an addon claims, in order and each once."""
    found = {Claim(kind, name) for kind, name in _claims(addon)}
    return tuple(sorted(found, key=lambda claim: (KINDS.index(claim.kind), claim.name)))


def _claims(addon: LoadedAddon) -> Iterator[tuple[str, str]]:
    manifest = addon.manifest
    for model in addon.models:
        yield "table", model._meta.table_name
        for index in model._meta.fields_to_index():
            yield "index", index._name
    for route in addon.routes:
        yield "route", f"{route.method} {without_parameters(route.path)}"
        yield "operation", route.operation_id
    yield from (("permission", name) for name in manifest.permissions)
    yield from (("setting", f"{manifest.name}.{item.name}") for item in manifest.settings)
    yield from (("event", event.name) for event in addon.events)
    yield from (("job", job.name) for job in addon.jobs)
    yield from (("channel", without_parameters(channel.name)) for channel in addon.channels)
    yield from (("command", str(command.name)) for command in addon.commands)
    yield from (("hook", hook.name) for hook in addon.hooks)
    yield from (("console page", page.path) for page in addon.console_pages)


def collision(addons: Iterable[LoadedAddon]) -> tuple[Claim, str, str] | None:
    """Return the first name that two addons claim, its first owner and the other."""
    owners: dict[Claim, str] = {}
    for addon in addons:
        for claim in claims(addon):
            owner = owners.setdefault(claim, addon.name)
            if owner != addon.name:
                return claim, owner, addon.name
    return None

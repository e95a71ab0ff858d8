"""What an addon may declare: checked once, when it is loaded, so that nothing fails later."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click
from marshmallow import missing

from bodega import capabilities
from bodega.hooks import returns
from bodega.reserved import COMMANDS, CONSOLE, ROOTS
from bodega_sdk import hookspecs
from bodega_sdk.console import ConsolePage
from bodega_sdk.errors import BodegaError
from bodega_sdk.events import Channel, Event, Subscription
from bodega_sdk.extensions import Extension
from bodega_sdk.http import METHODS, OBJECTS, Parameter, Route
from bodega_sdk.identity import Credential
from bodega_sdk.includes import Include
from bodega_sdk.jobs import LANES, Job
from bodega_sdk.manifest import Manifest
from bodega_sdk.members import writers
from bodega_sdk.models import Model
from bodega_sdk.permissions import AUTHENTICATED, PUBLIC
from bodega_sdk.samples import SampleData
from bodega_sdk.schemas import Schema
from bodega_sdk.services import Service

if TYPE_CHECKING:
    from bodega.addons.loading import LoadedAddon

_PATH = re.compile(r"(/([a-z0-9][a-z0-9._-]*|{[a-z_][a-z0-9_]*}))+")
_PARAMETER = re.compile(r"{(\w+)}")
_STREAM = re.compile(r"[a-z0-9_-]+(/([a-z0-9_-]+|{\w+}))*/?")
_EVENTS = re.compile(r"\*|[^*]+(\.\*)?")
_PAGE = re.compile(r"[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*")
_KINDS: dict[str, type] = {
    "extensions": Extension,
    "includes": Include,
    "routes": Route,
    "jobs": Job,
    "services": Service,
    "events": Event,
    "subscriptions": Subscription,
    "channels": Channel,
    "commands": click.Command,
    "console_pages": ConsolePage,
    "credentials": Credential,
    "sample_data": SampleData,
}


class BadDeclaration(BodegaError):
    """An addon's plugin declares something that is not allowed."""


def check(addon: "LoadedAddon") -> None:
    """Check all that an addon declares.

    Raises:
        BadDeclaration: naming the first declaration that breaks a rule, and the rule.
    """
    for fault in _faults(addon):
        raise BadDeclaration(fault)


def _faults(addon: "LoadedAddon") -> Iterator[str]:
    name, manifest = addon.manifest.name, addon.manifest
    yield from _wrong_kinds(addon)
    yield from _not_begun("table", f"{name}_", (model._meta.table_name for model in addon.models))
    if any(model._meta.table_name == f"{name}_migration" for model in addon.models):
        yield f"table '{name}_migration' is where its migrations are written down"
    yield from _not_begun("job", f"{name}.", (job.name for job in addon.jobs))
    for job in addon.jobs:
        if job.lane not in LANES:
            yield f"job {job.name!r}: expected a lane out of {', '.join(LANES)}, found {job.lane!r}"
    yield from _service_faults(addon)
    for event in addon.events:
        if not isinstance(event.name, str) or "*" in event.name:
            yield f"event {event.name!r}: expected a name such as 'order.paid'"
    for command in addon.commands:
        if command.name in COMMANDS:
            yield f"command {command.name!r} is one of the kernel's"
    for extension in addon.extensions:
        yield from (f"extension {fault}" for fault in extension.faults())
        yield from _guard_faults(extension.schema, manifest)
    yield from _twice("extension of", (item.resource for item in addon.extensions))
    for include in addon.includes:
        yield from _include_faults(include, manifest)
    for route in addon.routes:
        yield from _route_faults(route, manifest)
    yield from _twice(
        "route",
        (f"{route.method} {_PARAMETER.sub('{}', route.path)}" for route in addon.routes),
    )
    for subscription in addon.subscriptions:
        if not callable(subscription.handler):
            yield f"subscription to {subscription.event!r}: its handler is no function"
        if not _EVENTS.fullmatch(str(subscription.event)):
            yield (
                f"subscription to {subscription.event!r}: expected a name such as 'order.paid', "
                "'order.*' or '*'"
            )
    yield from capabilities.faults(addon)
    for channel in addon.channels:
        yield from _channel_faults(channel)
        yield from _permission_faults(f"channel {channel.name}", channel.permission, manifest)
    for source in addon.secret_sources:
        if not callable(source):
            yield f"source of secrets {source!r} is no function"
    for hook in addon.hooks:
        if hook.name in hookspecs.hook_names():
            yield f"hook {hook.name!r} is one of the kernel's"
        if fault := returns.fault(hook):
            yield f"hook {hook.name!r}: {fault} ({hook.file}:{hook.line})"
    yield from _twice("hook", (hook.name for hook in addon.hooks))
    for item in addon.implementations:
        if fault := item.fault():
            yield f"implementation of hook {item.hook!r}: {fault} ({item.place})"
    for page in addon.console_pages:
        yield from _page_faults(page, manifest)
    for credential in addon.credentials:
        if not re.fullmatch(r"[a-z0-9]{3,20}_", credential.prefix):
            yield f"credential {credential.prefix!r}: expected a prefix such as 'loyaltycard_'"
    yield from _twice("console page", (page.path for page in addon.console_pages))


def _wrong_kinds(addon: "LoadedAddon") -> Iterator[str]:
    for model in addon.models:
        if not (isinstance(model, type) and issubclass(model, Model)):
            yield f"register_models: expected subclasses of Model, found {model!r}"
    for field, kind in _KINDS.items():
        for item in getattr(addon, field):
            if not isinstance(item, kind):
                yield f"register_{field}: expected {kind.__name__}, found {item!r}"


def _service_faults(addon: "LoadedAddon") -> Iterator[str]:
    names = [service.name for service in addon.services]
    yield from _not_begun("service", f"{addon.manifest.name}.", names)
    yield from _twice("service", names)
    for service in addon.services:
        if not callable(service.run):
            yield f"service {service.name!r}: what it runs is no function"


def _not_begun(kind: str, start: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if not name.startswith(start):
            yield f"{kind} {name!r} must begin with {start!r}"


def _twice(kind: str, names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"{kind} {name} is declared twice"
        seen.add(name)


def _route_faults(route: Route, manifest: Manifest) -> Iterator[str]:
    shown = f"route {route.method} {route.path}"
    if route.method not in METHODS:
        yield f"{shown}: expected one of {', '.join(METHODS)}"
    yield from _path_faults(shown, route, manifest)
    yield from _permission_faults(shown, route.permission, manifest)
    if route.objects not in OBJECTS:
        yield f"{shown}: its objects must be one of {', '.join(OBJECTS)}, found {route.objects!r}"
    if route.beyond:
        yield from _permission_faults(f"{shown} beyond {route.objects}", route.beyond, manifest)
    for schema in (route.body, route.returns):
        if schema is not None and not (isinstance(schema, type) and issubclass(schema, Schema)):
            yield f"{shown}: expected a subclass of Schema, found {schema!r}"
        elif schema is not None:
            yield from _guard_faults(schema, manifest)
    for parameter in route.parameters:
        yield from _parameter_faults(shown, parameter)
    if not callable(route.handler):
        yield f"{shown}: its handler is no function"


def _include_faults(include: Include, manifest: Manifest) -> Iterator[str]:
    shown = f"include {include.name!r} of {include.resource!r}"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", include.name):
        yield f"{shown}: expected a name such as 'images'"
    if not (isinstance(include.schema, type) and issubclass(include.schema, Schema)):
        yield f"{shown}: expected a subclass of Schema, found {include.schema!r}"
    if not callable(include.fetch):
        yield f"{shown}: what fetches it is no function"
    if include.permission:
        yield from _permission_faults(shown, include.permission, manifest)


def _guard_faults(schema: type[Schema], manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the members of a schema that need a permission."""
    for guard in writers(schema):
        shown = f"member {guard.name!r} of {schema.__name__}"
        yield from _permission_faults(shown, guard.permission, manifest)
        found = schema().fields[guard.name]
        # Else whoever may not write it would send it with every PUT.
        if found.required or found.load_default is not missing:
            yield f"{shown} needs a permission: it can be neither required nor have a load_default"


def _path_faults(shown: str, route: Route, manifest: Manifest) -> Iterator[str]:
    names = _PARAMETER.findall(route.path)
    if not _PATH.fullmatch(route.path) or len(names) != len(set(names)):
        yield f"{shown}: expected a path such as '/orders/{{id}}/lines', each parameter named once"
    for root in set(manifest.route_roots) & set(ROOTS):
        yield f"{shown}: '/{root}' belongs to the kernel"
    roots = tuple(f"/{root}" for root in manifest.route_roots)
    if not any(route.path == root or route.path.startswith(f"{root}/") for root in roots):
        yield f"{shown} must lie below {' or '.join(roots)}"
    for name, kind in route.path_types.items():
        if kind not in (str, int, UUID):
            yield f"{shown}: path parameter {name} must be str, int or UUID, found {kind!r}"


def _parameter_faults(shown: str, parameter: Any) -> Iterator[str]:
    if not isinstance(parameter, Parameter):
        yield f"{shown}: expected a Parameter, found {parameter!r}"
    elif parameter.type not in (str, int, bool, Decimal, UUID):
        yield f"{shown}: query parameter {parameter.name} has a type that cannot be read"


def _page_faults(page: ConsolePage, manifest: Manifest) -> Iterator[str]:
    shown = f"console page {page.path!r}"
    own = (manifest.name.replace("_", "-"), *manifest.route_roots)
    if not isinstance(page.path, str) or not _PAGE.fullmatch(page.path):
        yield f"{shown}: expected lower-case segments such as 'orders/late'"
        return
    root = page.path.partition("/")[0]
    if root not in own:
        yield f"{shown} must begin with {' or '.join(dict.fromkeys(own))}"
    if root in CONSOLE:
        yield f"{shown}: '/console/{root}' belongs to the kernel"
    if page.permission == PUBLIC:
        yield f"{shown} is public; the console is for those who are logged in"
    yield from _permission_faults(shown, page.permission, manifest)
    for parameter in page.parameters:
        yield from _parameter_faults(shown, parameter)
    if not (isinstance(page.title, str) and page.title.strip()) or not callable(page.render):
        yield f"{shown}: expected a title and a function that renders it"


def _channel_faults(channel: Channel) -> Iterator[str]:
    shown, path = f"channel {channel.name!r}", channel.path
    parameters = len(_PARAMETER.findall(channel.name))
    if parameters > 1:
        yield f"{shown}: expected one parameter at most, as in 'orders.{{id}}'"
    if path is None:
        return
    if not (isinstance(path, str) and _STREAM.fullmatch(path)):
        yield f"{shown}: expected a path such as 'orders/{{id}}/' or 'news/', found {path!r}"
    elif len(_PARAMETER.findall(path)) != parameters:
        yield f"{shown}: its path {path!r} must have a parameter if its name has one, else none"


def _permission_faults(where: str, permission: Any, manifest: Manifest) -> Iterator[str]:
    if permission in (PUBLIC, AUTHENTICATED) or permission in manifest.permissions:
        return
    yield f"{where} asks for {permission!r}, which the manifest's permissions do not declare"

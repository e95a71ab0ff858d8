"""Loading an addon: importing its plugin and asking its hooks what it brings."""

import importlib
import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pluggy

from bodega.permissions import ROOTS
from bodega_sdk import hookspecs
from bodega_sdk._markers import ADDON_PROJECT
from bodega_sdk.errors import BodegaError
from bodega_sdk.events import Channel, Event, Subscription, Subscriptions
from bodega_sdk.hookspecs import FirstStart
from bodega_sdk.http import METHODS, Route, Routes
from bodega_sdk.jobs import Job
from bodega_sdk.manifest import Manifest
from bodega_sdk.models import Model


class BadDeclaration(BodegaError):
    """An addon's plugin declares something that is not allowed."""


@dataclass(frozen=True)
class LoadedAddon:
    """An addon's declarations.

    Args:
        manifest: its manifest.
        first_start: its hook for a new shop, if it has one.
    """

    manifest: Manifest
    models: tuple[type[Model], ...] = ()
    routes: tuple[Route, ...] = ()
    jobs: tuple[Job, ...] = ()
    events: tuple[Event, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    channels: tuple[Channel, ...] = ()
    commands: tuple[click.Command, ...] = ()
    first_start: Callable[[FirstStart], None] | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The addon's name."""
        return self.manifest.name


def migrations_folder(manifest: Manifest) -> Path | None:
    """Return the folder of an addon's migrations, without importing the addon."""
    spec = importlib.util.find_spec(manifest.package)
    if spec is None or not spec.origin:
        return None
    folder = Path(spec.origin).parent / "migrations"
    return folder if folder.is_dir() else None


def load(manifest: Manifest) -> LoadedAddon:
    """Import an addon's plugin and collect what it declares.

    Raises:
        Exception: whatever the addon's code raises.
        BadDeclaration: a declaration breaks a rule; the message names it.
    """
    module = importlib.import_module(f"{manifest.package}.plugin")
    hooks = _hooks(manifest, module)
    addon = LoadedAddon(
        manifest,
        models=_gather(hooks.register_models),
        routes=_routes(manifest, hooks),
        jobs=_gather(hooks.register_jobs),
        events=_gather(hooks.register_events),
        subscriptions=_subscriptions(hooks),
        channels=_gather(hooks.register_channels),
        commands=_gather(hooks.register_commands),
        first_start=_first_start(hooks),
    )
    _check(addon)
    return addon


def _hooks(manifest: Manifest, module: ModuleType) -> Any:
    manager = pluggy.PluginManager(ADDON_PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module, name=manifest.name)
    manager.check_pending()
    return manager.hook


def _gather(hook: Any) -> tuple[Any, ...]:
    return tuple(item for items in hook() for item in items)


def _routes(manifest: Manifest, hooks: Any) -> tuple[Route, ...]:
    routes = Routes()
    hooks.register_routes(routes=routes)
    return tuple(route.owned_by(manifest.name) for route in routes.collected)


def _subscriptions(hooks: Any) -> tuple[Subscription, ...]:
    events = Subscriptions()
    hooks.register_subscriptions(events=events)
    return tuple(events.collected)


def _first_start(hooks: Any) -> Callable[[FirstStart], None] | None:
    if not hooks.on_first_start.get_hookimpls():
        return None
    return lambda start: hooks.on_first_start(start=start)


def _check(addon: LoadedAddon) -> None:
    name, manifest = addon.name, addon.manifest
    _each_begins("table", f"{name}_", (model._meta.table_name for model in addon.models))
    _each_begins("job", f"{name}.", (job.name for job in addon.jobs))
    for route in addon.routes:
        _check_route(route, manifest)
    for channel in addon.channels:
        _check_permission(f"channel {channel.name}", channel.permission, manifest)


def _each_begins(kind: str, start: str, names: Iterable[str]) -> None:
    for name in names:
        if not name.startswith(start):
            raise BadDeclaration(f"{kind} {name!r} must begin with {start!r}")


def _check_route(route: Route, manifest: Manifest) -> None:
    shown = f"route {route.method} {route.path}"
    if route.method not in METHODS:
        raise BadDeclaration(f"{shown}: expected one of {', '.join(METHODS)}")
    for root in set(manifest.route_roots) & set(ROOTS):
        raise BadDeclaration(f"{shown}: '/{root}' belongs to the kernel")
    roots = tuple(f"/{root}" for root in manifest.route_roots)
    if not any(route.path == root or route.path.startswith(f"{root}/") for root in roots):
        raise BadDeclaration(f"{shown} must lie below {' or '.join(roots)}")
    _check_permission(shown, route.permission, manifest)


def _check_permission(where: str, permission: str, manifest: Manifest) -> None:
    if "." in permission and permission not in manifest.permissions:
        raise BadDeclaration(
            f"{where} asks for {permission!r}, which the manifest's permissions do not declare"
        )

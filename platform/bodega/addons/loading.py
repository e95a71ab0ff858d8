"""Loading an addon: importing its plugin and asking its hooks what it brings."""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pluggy

from bodega.addons.declarations import check
from bodega_sdk import hookspecs
from bodega_sdk._markers import ADDON_PROJECT
from bodega_sdk.events import Channel, Event, Subscription, Subscriptions
from bodega_sdk.hookspecs import FirstStart
from bodega_sdk.http import Route, Routes
from bodega_sdk.jobs import Job
from bodega_sdk.manifest import Manifest
from bodega_sdk.models import Model


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
    try:
        spec = importlib.util.find_spec(manifest.package)
    # A package inside another imports that one, which may do anything.
    except (Exception, SystemExit):
        return None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / "migrations").is_dir():
            return Path(place) / "migrations"
    return None


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
    check(addon)
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

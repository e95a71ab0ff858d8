"""Loading an addon: importing its plugin and asking its hooks what it brings."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pluggy

from bodega.addons import codes
from bodega.addons.claims import Claim, claims
from bodega.addons.codes import Code
from bodega.addons.declarations import check
from bodega.hooks.implementations import Implementation, implementations
from bodega_sdk import deprecations, hookspecs
from bodega_sdk._markers import ADDON_PROJECT
from bodega_sdk.console import ConsolePage
from bodega_sdk.events import Channel, Event, Subscription, Subscriptions
from bodega_sdk.extensions import Extension
from bodega_sdk.hooks import Hook
from bodega_sdk.hookspecs import FirstStart
from bodega_sdk.http import Route, Routes
from bodega_sdk.identity import Credential
from bodega_sdk.includes import Include
from bodega_sdk.jobs import Job
from bodega_sdk.manifest import Manifest
from bodega_sdk.models import Model
from bodega_sdk.samples import SampleData
from bodega_sdk.services import Service

#: Left on an imported plugin: what it declared, to be forgotten with it.
_MARK = "__bodega_declared__"


@dataclass(frozen=True)
class LoadedAddon:
    """An addon's declarations.

    Args:
        manifest: its manifest.
        hooks: those that it publishes.
        implementations: what it implements of hooks that addons publish.
        first_start: its hook for a new shop, if it has one.
        code: what of it this process imported.
    """

    manifest: Manifest
    models: tuple[type[Model], ...] = ()
    extensions: tuple[Extension, ...] = ()
    includes: tuple[Include, ...] = ()
    routes: tuple[Route, ...] = ()
    jobs: tuple[Job, ...] = ()
    services: tuple[Service, ...] = ()
    events: tuple[Event, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    channels: tuple[Channel, ...] = ()
    commands: tuple[click.Command, ...] = ()
    console_pages: tuple[ConsolePage, ...] = ()
    credentials: tuple[Credential, ...] = ()
    secret_sources: tuple[Callable[[str], str | None], ...] = ()
    sample_data: tuple[SampleData, ...] = ()
    hooks: tuple[Hook[..., Any], ...] = ()
    implementations: tuple[Implementation, ...] = ()
    first_start: Callable[[FirstStart], None] | None = field(default=None, compare=False)
    code: Code = field(default=Code(), compare=False)

    @property
    def name(self) -> str:
        """The addon's name."""
        return self.manifest.name

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """What it claims, in order and each once; every change of the shop asks for it."""
        return claims(self)


def migrations_folder(manifest: Manifest) -> Path | None:
    """Return the folder of an addon's migrations, without importing the addon."""
    for folder in codes.package_folders(manifest.package):
        if (folder / "migrations").is_dir():
            return folder / "migrations"
    return None


def load(manifest: Manifest) -> LoadedAddon:
    """Import an addon's plugin and collect what it declares.

    A plugin that was imported before has declared it already: of a change of the shop, only
    what is new in it is asked.

    Raises:
        Exception: whatever the addon's code raises.
        BadDeclaration: a declaration breaks a rule; the message names it.
    """
    before = set(sys.modules)
    try:
        return _load(manifest)
    except BaseException:
        # Once it is mended, all of it is imported anew.
        codes.forget_package(manifest.package, *before)
        raise


def ask_again(manifest: Manifest) -> None:
    """Let an imported plugin declare once more, as it does in a new process."""
    module = sys.modules.get(f"{manifest.package}.plugin")
    if module is not None:
        vars(module).pop(_MARK, None)


def _load(manifest: Manifest) -> LoadedAddon:
    plugin = f"{manifest.package}.plugin"
    code = codes.current(manifest)
    module = importlib.import_module(plugin)
    declared: LoadedAddon | None = getattr(module, _MARK, None)
    if declared is not None and declared.manifest is manifest:
        return declared
    code = codes.keep(module, code)
    manager = _manager(manifest, module)
    hooks = manager.hook
    extensions = _owned(manifest, Extension, _gather(hooks.register_extensions))
    addon = LoadedAddon(
        manifest,
        models=tuple(dict.fromkeys((*_gather(hooks.register_models), *_companions(extensions)))),
        extensions=extensions,
        includes=_owned(manifest, Include, _gather(hooks.register_includes)),
        routes=_routes(manifest, hooks),
        jobs=_gather(hooks.register_jobs),
        services=_gather(hooks.register_services),
        events=_gather(hooks.register_events),
        subscriptions=_subscriptions(hooks),
        channels=_gather(hooks.register_channels),
        commands=_gather(hooks.register_commands),
        console_pages=_gather(hooks.register_console_pages),
        credentials=_gather(hooks.register_credentials),
        secret_sources=_gather(hooks.register_secret_sources),
        sample_data=_gather(hooks.register_sample_data),
        hooks=_published(manifest),
        implementations=implementations(manifest.name, manager, module),
        first_start=_first_start(hooks),
        code=code,
    )
    check(addon)
    setattr(module, _MARK, addon)
    return addon


def _manager(manifest: Manifest, module: ModuleType) -> pluggy.PluginManager:
    # Unknown hooks are no fault yet: other addons may publish them.
    manager = pluggy.PluginManager(ADDON_PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module, name=manifest.name)
    deprecations.warn_of_hooks(manifest.name, module)
    return manager


def _published(manifest: Manifest) -> tuple[Hook[..., Any], ...]:
    """Return the hooks that an addon's module ``hookspecs`` declares, if it has one."""
    name = f"{manifest.package}.hookspecs"
    if importlib.util.find_spec(name) is None:
        return ()
    found = vars(importlib.import_module(name)).values()
    own = (item for item in found if isinstance(item, Hook) and item.module == name)
    return tuple(dict.fromkeys(own))


def _gather(hook: Any) -> tuple[Any, ...]:
    return tuple(item for items in hook() for item in items)


def _owned(manifest: Manifest, kind: Any, found: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(item.owned_by(manifest.name) if isinstance(item, kind) else item for item in found)


def _companions(extensions: Iterable[Any]) -> tuple[type[Model], ...]:
    return tuple(item.model for item in extensions if isinstance(item, Extension))


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

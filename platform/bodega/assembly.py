"""The Assembly: the shop as a value, computed from the enabled addons."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import click
import structlog

from bodega import capabilities, extending
from bodega.addons.claims import Claim, collision
from bodega.addons.discovery import Catalogue
from bodega.addons.faults import Fault
from bodega.addons.graph import resolve
from bodega.addons.loading import LoadedAddon, load
from bodega.hooks.chain import Chain, chains, misfit
from bodega.permissions import PERMISSIONS
from bodega_sdk.capabilities import Uses
from bodega_sdk.console import ConsolePage
from bodega_sdk.events import Channel, Event, Subscription
from bodega_sdk.extensions import Extension
from bodega_sdk.http import Route
from bodega_sdk.identity import Credential
from bodega_sdk.jobs import Job
from bodega_sdk.manifest import Manifest
from bodega_sdk.models import Model
from bodega_sdk.services import Service

log = structlog.get_logger(__name__)
_PARAMETER = re.compile(r"{(\w+)}")

Loader = Callable[[Manifest], LoadedAddon]


@dataclass(frozen=True)
class Assembly:
    """What the shop is made of; never changed, only replaced.

    Args:
        generation: grows with every change of what is enabled or set.
        addons: the enabled and healthy ones, in dependency order.
        faults: the quarantined ones, by name.
        settings: ``"addon.setting"`` → value.
        extensions: of each resource, e.g. ``products.product``, by their addons' names.
        chains: every hook that an addon publishes, by its name, with who implements it.
        approved: capabilities of an addon that an operator approved; all where it is missing.
        waiting: migrations of an addon that run once every process has its code.
        behind: addons of which this process imported other code than the shop was
            upgraded to, with the fingerprint of that.
        closed: address (without the names of its parameters) → the fault that closes it.
    """

    generation: int
    addons: tuple[LoadedAddon, ...] = ()
    faults: Mapping[str, Fault] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    extensions: Mapping[str, tuple[Extension, ...]] = field(default_factory=dict)
    models: tuple[type[Model], ...] = ()
    jobs: Mapping[str, Job] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    events: Mapping[str, Event] = field(default_factory=dict)
    subscriptions: tuple[Subscription, ...] = ()
    channels: tuple[Channel, ...] = ()
    commands: Mapping[str, click.Command] = field(default_factory=dict)
    pages: tuple[ConsolePage, ...] = ()
    credentials: tuple[Credential, ...] = ()
    chains: Mapping[str, Chain] = field(default_factory=dict)
    permissions: frozenset[str] = frozenset()
    grants: Mapping[str, frozenset[str]] = field(default_factory=dict)
    approved: Mapping[str, Uses] = field(default_factory=dict)
    waiting: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    behind: Mapping[str, str] = field(default_factory=dict)
    closed: Mapping[str, Fault] = field(default_factory=dict)

    @property
    def code(self) -> dict[str, str]:
        """Fingerprint of the imported code, by addon."""
        return {addon.name: addon.code.fingerprint for addon in self.addons}


def build(
    catalogue: Catalogue,
    enabled: Iterable[str],
    generation: int = 0,
    settings: Mapping[str, Any] | None = None,
    faults: Mapping[str, Fault] | None = None,
    loader: Loader = load,
    owned: Mapping[Claim, str] | None = None,
    approved: Mapping[str, Uses] | None = None,
) -> Assembly:
    """Compute the Assembly of the enabled addons.

    An addon that cannot be used is quarantined with whatever depends on it; the rest
    is assembled without it. This function never fails because of an addon.

    Args:
        settings: values that the operator set.
        faults: addons that are known to be faulty, e.g. for a pending migration.
        owned: the ledger: who owns which name already.
        approved: capabilities, by addon.
    """
    enabled = sorted(set(enabled))
    broken = dict(catalogue.faults) | dict(faults or {})
    loaded: dict[str, LoadedAddon] = {}
    while True:
        order = resolve(enabled, catalogue.manifests, broken)
        fault = _load_next(order.names, catalogue.manifests, loaded, loader)
        there = [loaded[n] for n in order.names if n in loaded]
        fault = fault or _collision(there, owned) or misfit(there) or extending.misfit(there)
        if fault is None:
            break
        broken[fault.addon] = fault
    addons = tuple(loaded[name] for name in order.names)
    return _assemble(
        addons, generation, dict(order.faults), dict(settings or {}), approved or {}
    )  # fmt: skip


def _load_next(
    names: Iterable[str],
    manifests: Mapping[str, Manifest],
    loaded: dict[str, LoadedAddon],
    loader: Loader,
) -> Fault | None:
    for name in names:
        if name in loaded:
            continue
        try:
            loaded[name] = loader(manifests[name])
        except KeyboardInterrupt:
            raise
        # An addon may do anything at import, sys.exit() included; the house stays open.
        except BaseException as error:
            return _loading_fault(name, manifests[name], error)
    return None


def _loading_fault(name: str, manifest: Manifest, error: BaseException) -> Fault:
    place = _innermost(error)
    return Fault(
        name,
        name,
        f"it cannot be loaded: {type(error).__name__}: {error}{place}",
        f"Mend {manifest.package}, then run 'bodega addons enable {name}'; "
        f"or run 'bodega addons disable {name}'",
    )


def _innermost(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return ""  # Its message names file and line already.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" ({trace.tb_frame.f_code.co_filename}:{trace.tb_lineno})" if trace else ""


def _collision(addons: Iterable[LoadedAddon], owned: Mapping[Claim, str] | None) -> Fault | None:
    """Return the fault of an addon that claims another one's name, or else of the later of two."""
    addons = list(addons)
    found = collision(addons, owned)
    if found is None:
        return _parameter_conflict(addons)
    claim, owner, other = found
    return Fault(other, other, f"{claim} belongs to {owner} already", f"Disable {owner} or {other}")


def _parameter_conflict(addons: Iterable[LoadedAddon]) -> Fault | None:
    """Return the fault of an addon that gives one place in a path a second parameter name.

    Falcon's router cannot hold ``/orders/{id}`` beside ``/orders/{number}/lines``.
    """
    named: dict[str, tuple[str, str]] = {}
    for addon in addons:
        for route in addon.routes:
            for found in _PARAMETER.finditer(route.path):
                place = _PARAMETER.sub("{}", route.path[: found.end()])
                name, other = named.setdefault(place, (found[1], route.path))
                if name != found[1]:
                    return Fault(
                        addon.name,
                        addon.name,
                        f"its route {route.path} and {other} name one place differently: "
                        f"{{{found[1]}}} and {{{name}}}",
                        f"Name the parameter {{{name}}} in {route.path}",
                    )
    return None


def _settings_of(manifest: Manifest, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return an addon's settings: what the operator set where it is still allowed."""
    values: dict[str, Any] = {}
    for item in manifest.settings:
        name = f"{manifest.name}.{item.name}"
        values[name] = stored.get(name, item.default)
        if name not in stored or isinstance(stored[name], dict):
            continue  # A secret is sealed; it was checked when it was set.
        try:
            item.check(stored[name])
        except ValueError as error:
            log.warning("a stored setting is no longer allowed", setting=name, reason=str(error))
            values[name] = item.default
    return values


def _assemble(
    addons: tuple[LoadedAddon, ...],
    generation: int,
    faults: dict[str, Fault],
    settings: dict[str, Any],
    approved: Mapping[str, Uses],
) -> Assembly:
    values: dict[str, Any] = {}
    grants: dict[str, frozenset[str]] = defaultdict(frozenset)
    for addon in addons:
        values |= _settings_of(addon.manifest, settings)
        for role, names in addon.manifest.grants.items():
            grants[role] |= frozenset(names)
    extensions = extending.extensions(addons)
    heard = [capabilities.limited(addon, approved.get(addon.name)) for addon in addons]
    return Assembly(
        generation,
        addons,
        faults,
        values,
        routes=extending.routes(addons, extensions, extending.includes(addons)),
        extensions=extensions,
        models=tuple(model for addon in addons for model in addon.models),
        jobs={job.name: job for addon in addons for job in addon.jobs},
        services={item.name: item for addon in addons for item in addon.services},
        events={event.name: event for addon in addons for event in addon.events},
        subscriptions=tuple(item for addon in heard for item in addon.subscriptions),
        channels=tuple(item for addon in heard for item in addon.channels),
        commands={str(c.name): c for addon in addons for c in addon.commands},
        pages=tuple(page for addon in addons for page in addon.console_pages),
        credentials=tuple(item for addon in addons for item in addon.credentials),
        chains=chains(addons),
        permissions=frozenset(name for addon in addons for name in addon.manifest.permissions)
        | frozenset(PERMISSIONS),
        grants=dict(grants),
        approved={addon.name: approved[addon.name] for addon in addons if addon.name in approved},
    )

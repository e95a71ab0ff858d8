"""Capabilities in a shop: what was approved, what is asked beyond it, who may do what.

What an operator approves is written down with the addon. A process gives an addon what
is both in its manifest and approved; the rest of the manifest waits for an operator.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bodega.database.tables import AddonRow
from bodega.errors import AddonError
from bodega.security.secrets import is_sealed
from bodega_sdk.capabilities import KINDS, Grant, Uses, beyond
from bodega_sdk.manifest import Manifest

if TYPE_CHECKING:
    from bodega.addons.loading import LoadedAddon
    from bodega.addons.plans import Plan, Step

#: Steps by which an operator says yes to what an addon uses.
APPROVING = ("install", "enable", "upgrade")


def asked(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """Return what an addon uses, without what is its own anyhow."""
    own = f"{manifest.name}."
    found = {
        kind: tuple(
            name
            for name in dict.fromkeys(manifest.uses.get(kind, ()))
            if not (kind in ("secrets", "jobs") and name.startswith(own))
        )
        for kind in KINDS
    }
    return {kind: names for kind, names in found.items() if names}


def in_words(uses: Uses) -> str:
    """Return capabilities as people read them: ``event order.paid, host points.example``."""
    return ", ".join(f"{KINDS[kind]} {name}" for kind, names in uses.items() for name in names)


# What was approved.


def to_store(manifest: Manifest, before: Uses | None = None) -> dict[str, list[str]]:
    """Return what is written down once an operator approved an addon.

    Args:
        before: what was approved already and stays so.
    """
    now, before = asked(manifest), before or {}
    found = {kind: (*before.get(kind, ()), *now.get(kind, ())) for kind in KINDS}
    return {kind: list(dict.fromkeys(names)) for kind, names in found.items() if names}


def read(stored: Any) -> dict[str, tuple[str, ...]] | None:
    """Return what was approved; None of an addon that came before approval did."""
    return None if stored is None else {kind: tuple(names) for kind, names in stored.items()}


def read_all(stored: Iterable[tuple[str, Any]]) -> dict[str, Uses]:
    """Return what was approved, by addon; those that came before approval are not among them."""
    found = ((name, read(value)) for name, value in stored)
    return {name: approved for name, approved in found if approved is not None}


def approve_older(manifests: Mapping[str, Manifest]) -> None:
    """Write down as approved what addons use that were installed before there was approval."""
    for row in AddonRow.select().where(AddonRow.approved.is_null()):
        if row.name in manifests:
            kept = to_store(manifests[row.name])
            AddonRow.update(approved=kept).where(AddonRow.name == row.name).execute()


# What a plan asks for.


def of_steps(
    steps: Iterable["Step"], manifests: Mapping[str, Manifest]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return what each addon uses that an operator approves by doing these steps."""
    found = {step.addon: asked(manifests[step.addon]) for step in steps if step.verb in APPROVING}
    return {name: uses for name, uses in found.items() if uses}


def new_in(
    uses: Mapping[str, Uses], rows: Mapping[str, Any]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return what addons use that are installed already and was not approved yet.

    Args:
        rows: of the installed addons, by name.
    """
    found = {name: beyond(wanted, read(rows[name].approved)) for name, wanted in uses.items()
             if name in rows}  # fmt: skip
    return {name: wanted for name, wanted in found.items() if wanted}


def denied(manifest: Manifest, row: AddonRow) -> tuple[str, ...]:
    """Return what an installed addon asks for and nobody approved, each in words."""
    new = beyond(asked(manifest), read(row.approved))
    return tuple(f"{KINDS[kind]} {name}" for kind, names in new.items() for name in names)


def must_be_approved(made: "Plan") -> None:
    """Refuse a plan by which an addon would get more than was approved.

    Raises:
        AddonError: naming what is new.
    """
    if made.asks:
        listed = "; ".join(f"{name} asks for {in_words(uses)}" for name, uses in made.asks.items())
        raise AddonError(
            f"{listed}, which was not approved. If that is meant, add --approve "
            '(in the API "approve": true); nothing was changed'
        )


# What an Assembly gives.


def grants(addons: Iterable["LoadedAddon"], approved: Mapping[str, Uses]) -> dict[str, Grant]:
    """Return what each addon may use, by its package."""
    return {
        addon.manifest.package: grant_of(addon.manifest, approved.get(addon.name))
        for addon in addons
    }


def secrets(addons: Iterable["LoadedAddon"], values: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the settings that are secret, or were when they were set."""
    declared = {
        f"{addon.name}.{item.name}"
        for addon in addons
        for item in addon.manifest.settings
        if item.secret
    }
    return frozenset(declared | {name for name, value in values.items() if is_sealed(value)})


def grant_of(manifest: Manifest, approved: Uses | None = None) -> Grant:
    """Return what an addon may use."""
    depends = frozenset(item.name for item in manifest.dependencies)
    return Grant(manifest.name, manifest.uses, approved, depends)


def limited(addon: "LoadedAddon", approved: Uses | None) -> "LoadedAddon":
    """Return an addon without the subscriptions and channels that nobody approved."""
    if approved is None or not beyond(addon.manifest.uses, approved):
        return addon
    may = _Events(addon, approved)
    return replace(
        addon,
        subscriptions=tuple(item for item in addon.subscriptions if may.read(item.event)),
        channels=tuple(item for item in addon.channels if all(map(may.read, item.events))),
    )


def faults(addon: "LoadedAddon") -> Iterator[str]:
    """Yield which events an addon declares to read that its manifest does not name."""
    may = _Events(addon)
    for item in addon.subscriptions:
        if not may.read(item.event):
            yield f"subscription to {item.event!r}: {may.objection(item.event)}"
    for channel in addon.channels:
        for name in channel.events:
            if not may.read(name):
                yield f"channel {channel.name!r} carries {name!r}: {may.objection(name)}"


def require_events(
    grant: Grant | None, addons: Iterable["LoadedAddon"], names: Iterable[str]
) -> None:
    """Let an addon read the log as far as it may; its own events it always may.

    Args:
        grant: of the addon at work; None when the house itself is.
        names: of events, or patterns; none for all events.

    Raises:
        CapabilityError: naming the line to add, or the command that approves it.
    """
    if grant is None:
        return
    own = {event.name for addon in addons if addon.name == grant.addon for event in addon.events}
    for name in tuple(names) or ("*",):
        if name not in own:
            grant.require("events", name)


class _Events:
    """Which events an addon may read: its own, and those that were given to it."""

    def __init__(self, addon: "LoadedAddon", approved: Uses | None = None) -> None:
        self._own = {event.name for event in addon.events}
        self._grant = grant_of(addon.manifest, approved)

    def read(self, event: str) -> bool:
        return event in self._own or self._grant.allows("events", event)

    def objection(self, event: str) -> str:
        return self._grant.objection("events", event)

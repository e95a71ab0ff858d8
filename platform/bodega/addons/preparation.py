"""Preparing a shop: its first start, and bringing the tables of an old one up to date."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from bodega import capabilities, state
from bodega.addons import codes, steps
from bodega.addons.discovery import discover
from bodega.addons.graph import resolve
from bodega.addons.loading import migrations_folder
from bodega.database.migrating import (
    KERNEL_MIGRATIONS,
    applied,
    migrate,
    pending,
    schema_change,
)
from bodega.database.tables import AddonRow
from bodega.editions import Edition, read_edition
from bodega.presence import PresenceTable
from bodega.security.keys import load_keys, make_key
from bodega.shop import Session
from bodega_sdk.hookspecs import FirstStart
from bodega_sdk.manifest import Manifest
from bodega_sdk.runtime import bound

if TYPE_CHECKING:
    from bodega.shop import Shop


@dataclass(frozen=True, slots=True)
class Preparation:
    """What preparing a shop did.

    Args:
        first: whether the shop was started for the first time.
        migrations: names of the migrations that ran, with their owner.
        lines: what the addons want to tell the operator.
    """

    first: bool
    migrations: tuple[str, ...]
    lines: tuple[str, ...]


def is_prepared(shop: "Shop") -> bool:
    """Whether the shop was started before and the kernel's tables are up to date."""
    database = shop.databases.shop
    return not pending(database, "bodega", KERNEL_MIGRATIONS) and state.read_generation() > 0


def prepare(shop: "Shop", edition: Edition | None = None) -> Preparation:
    """Migrate everything that is enabled; make a new shop if there is none.

    All of it happens in one transaction, under the lock of schema changes, so that of
    several processes starting at once one does it and the others find it done.

    Raises:
        AddonError: a migration failed; nothing has changed.
    """
    shop.catalogue = discover()
    with schema_change(shop.databases.shop):
        shop.register.create()
        PresenceTable(shop.databases.runtime).create()
        done = [f"bodega {m}" for m in migrate(shop.databases.shop, "bodega", KERNEL_MIGRATIONS)]
        first = state.read_generation() == 0
        lines: list[str] = []
        if first:
            edition = edition or read_edition(shop.settings.edition)
            lines = _first_start(shop, edition, done)
        else:
            done += _migrate_enabled(shop)
        if first or done:
            shop.audit("shop.created" if first else "shop.migrated", migrations=done)
    return Preparation(first, tuple(done), tuple(lines))


def _migrate_enabled(shop: "Shop") -> list[str]:
    manifests = shop.catalogue.manifests
    order = resolve(state.read_state().enabled, manifests, shop.catalogue.faults)
    capabilities.approve_older(manifests)
    done = [told for name in order.names for told in _bring_up_to_date(shop, manifests[name])]
    if done:
        steps.settle(shop, manifests.keys() | order.faults.keys())
    return done


def _bring_up_to_date(shop: "Shop", manifest: Manifest) -> list[str]:
    """Migrate an addon whose code is newer than what the shop has written down of it.

    While a process runs other code, what would take something away from it waits.
    """
    name, code = manifest.name, codes.current(manifest)
    row = AddonRow.get_by_id(name)
    known = applied(shop.databases.shop, name)
    waiting = [item for item in code.migrations if item not in known]
    newer = row.version == "?" or Version(manifest.version) > Version(row.version)
    if not (waiting or newer or not row.installed):
        return []
    if all(item.code.get(name, code.fingerprint) == code.fingerprint
           for item in shop.register.living()):  # fmt: skip
        return _migrate(shop, manifest)
    early = codes.expanding(waiting)
    return _migrate(shop, manifest, early[-1]) if early or newer else []


def _migrate(shop: "Shop", manifest: Manifest, target: str | None = None) -> list[str]:
    """Run an addon's migrations and write it down as installed and enabled."""
    folder = migrations_folder(manifest)
    ran = migrate(shop.databases.shop, manifest.name, folder, target=target) if folder else []
    row = {"version": manifest.version, "installed": True, "enabled": True, "fault": None,
           "code": codes.current(manifest).fingerprint}  # fmt: skip
    # What a newer package asks for beyond what was approved waits for an operator.
    approved = capabilities.to_store(manifest)
    AddonRow.insert(name=manifest.name, approved=approved, **row).on_conflict(
        conflict_target=[AddonRow.name], update=row
    ).execute()
    return [f"{manifest.name} {name}" for name in ran]


def _first_start(shop: "Shop", edition: Edition, done: list[str]) -> list[str]:
    """Make a new shop: its key, its addons, and what these want to begin with."""
    secret = shop.settings.key()
    if load_keys(secret) is None:
        make_key(secret, shop.settings.token_algorithm)
    state.shop_id()
    manifests = shop.catalogue.manifests
    order = resolve(edition.addons, manifests, shop.catalogue.faults)
    for name in order.names:
        done += _migrate(shop, manifests[name])
    for name in order.faults:
        # Written down as wanted: it is quarantined, and enabled as soon as it is mended.
        AddonRow.create(name=name, version="?", installed=False, enabled=True)
    assembly = steps.settle(shop, edition.addons)
    start = FirstStart(shop.settings.admin_email, shop.settings.admin_password or None)
    with bound(Session(shop, assembly)), shop.transaction():
        for addon in assembly.addons:
            if addon.first_start is not None:
                addon.first_start(start)
    return start.lines

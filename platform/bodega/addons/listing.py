"""Listing addons with their states."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bodega import capabilities
from bodega.addons.faults import PENDING, Fault
from bodega.addons.graph import closure, resolve
from bodega.database.tables import AddonRow
from bodega.hooks import quarantine
from bodega_sdk.manifest import Manifest

if TYPE_CHECKING:
    from bodega.shop import Shop


@dataclass(frozen=True, slots=True)
class AddonState:
    """An addon and its state: available, disabled, enabled, pending_upgrade or quarantined.

    Args:
        waiting: migrations that run once every process runs the new code.
        denied: what it asks for and nobody approved, e.g. ``"host points.example"``.
    """

    name: str
    version: str
    state: str
    summary: str
    depends: tuple[str, ...]
    fault: Fault | None
    waiting: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the state as the API and ``--json`` show it."""
        return asdict(self)


def listing(shop: "Shop") -> list[AddonState]:
    """Return every addon that is on this machine or written down in the shop."""
    rows = {row.name: row for row in AddonRow.select()}
    names = rows.keys() | shop.catalogue.manifests.keys() | shop.catalogue.faults.keys()
    return [_state(shop, name, rows.get(name)) for name in sorted(names)]


def _state(shop: "Shop", name: str, row: AddonRow | None) -> AddonState:
    manifest = shop.catalogue.manifests.get(name)
    fault = _fault(shop, name, row)
    return AddonState(
        name,
        manifest.version if manifest else row.version if row else "?",
        "quarantined" if fault and not _is_newer(fault, row, manifest) else _word(row, manifest),
        manifest.summary if manifest else "",
        manifest.depends if manifest else (),
        fault,
        shop.assembly.waiting.get(name, ()),
        capabilities.denied(manifest, row) if manifest and row and row.installed else (),
    )


def _is_newer(fault: Fault, row: AddonRow | None, manifest: Manifest | None) -> bool:
    """Whether nothing is wrong but that a newer package waits for its upgrade."""
    return fault.code == PENDING and row is not None and _word(row, manifest) == "pending_upgrade"


def _word(row: AddonRow | None, manifest: Manifest | None) -> str:
    if row is None or not row.installed:
        return "available"
    if manifest is not None and row.version not in ("?", manifest.version):
        return "pending_upgrade"
    return "enabled" if row.enabled else "disabled"


def _fault(shop: "Shop", name: str, row: AddonRow | None) -> Fault | None:
    if row is not None and row.enabled:
        return shop.assembly.faults.get(name) or quarantine.fault_of(row)
    manifests = shop.catalogue.manifests
    if name not in manifests and name not in shop.catalogue.faults:
        return None  # Its package is gone, and nobody asks for it.
    known = manifests.keys() | shop.catalogue.faults.keys()
    wanted = {addon.name for addon in shop.assembly.addons} | (closure([name], manifests) & known)
    found = resolve(wanted, manifests, shop.catalogue.faults).faults.get(name)
    if found is None and row is not None and row.fault:
        return Fault(name, **row.fault)
    return found

"""Tripped breakers in the database: what one process finds out, all of them follow.

They stand in the fault of an addon that is enabled, under the key ``hook``: the name of
each hook with the reason. The addon's routes go on serving.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bodega import state
from bodega.addons.faults import Fault
from bodega.database.connection import is_postgres
from bodega.database.tables import AddonRow
from bodega.hooks.breakers import FAILURES, Breaker

if TYPE_CHECKING:
    from bodega.shop import Shop

_KEY = "hook"


def recorded() -> dict[tuple[str, str], str]:
    """Return what the database knows to be quarantined: addon and hook → the reason."""
    rows = AddonRow.select(AddonRow.name, AddonRow.fault).where(
        AddonRow.enabled, AddonRow.fault.is_null(False)
    )
    return {
        (name, hook): reason
        for name, fault in rows.tuples()
        for hook, reason in hooks_of(fault).items()
    }


def hooks_of(fault: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the quarantined hooks that a stored fault names, with their reasons."""
    return dict((fault or {}).get(_KEY) or {})


def fault_of(row: AddonRow) -> Fault | None:
    """Return why an enabled addon is quarantined for its hooks; None when it is not."""
    return _fault(row.name, row.fault) if hooks_of(row.fault) else None


def _fault(name: str, told: Mapping[str, Any]) -> Fault:
    return Fault(name, told["culprit"], told["reason"], told["remedy"])


def settle(shop: "Shop") -> bool:
    """Write down which breakers tripped and which recovered in this process; True if any."""
    waiting = shop.breakers.unrecorded()
    if not waiting:
        return False
    with shop.transaction():
        verdicts = [(breaker, _write(breaker, shop)) for breaker in waiting]
        if any(changed for _, changed in verdicts):
            state.raise_generation()
    for breaker, _ in verdicts:
        breaker.recorded = not breaker.recorded
    return True


def _write(breaker: Breaker, shop: "Shop") -> bool:
    """Write one down; False when there is nothing to change any more."""
    row = _locked(breaker.addon, shop)
    if row is None or not row.enabled:
        return False
    hooks = hooks_of(row.fault)
    wanted = dict(hooks)
    if breaker.recorded:
        wanted.pop(breaker.hook, None)
    else:
        wanted[breaker.hook] = breaker.reason
    if wanted == hooks:
        return False
    _store(row.name, wanted)
    action = "addon.recovered" if breaker.recorded else "addon.quarantined"
    shop.audit(action, f"addon:{row.name}", hook=breaker.hook, reason=breaker.reason)
    return True


def _locked(name: str, shop: "Shop") -> AddonRow | None:
    query = AddonRow.select().where(AddonRow.name == name)
    if is_postgres(shop.databases.shop):
        query = query.for_update()
    found: AddonRow | None = query.first()
    return found


def _store(name: str, hooks: Mapping[str, str]) -> None:
    fault = _told(name, hooks) if hooks else None
    AddonRow.update(fault=fault).where(AddonRow.name == name).execute()


def _told(name: str, hooks: Mapping[str, str]) -> dict[str, Any]:
    listed = "; ".join(
        f"its implementation of {hook} failed {FAILURES} times in a row, the last time: {reason}"
        for hook, reason in sorted(hooks.items())
    )
    return {
        "culprit": name,
        "reason": listed,
        "remedy": f"Mend it, then run 'bodega addons retry {name}'; "
        f"or run 'bodega addons disable {name}'",
        _KEY: dict(hooks),
    }


def forgive(name: str) -> bool:
    """Take an addon's quarantine back, in the open transaction; True if there was one."""
    row = AddonRow.get_or_none(AddonRow.name == name)
    if row is None or not hooks_of(row.fault):
        return False
    _store(name, {})
    return True

"""The ownership ledger: who owns which name, written down at installation.

It answers ``bodega why NAME``, refuses what two addons claim even while one of them is
disabled, and lets an addon be uninstalled whose package is gone.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bodega.addons.claims import Claim, without_parameters
from bodega.addons.loading import LoadedAddon
from bodega.database.tables import LedgerRow


def write(addons: Iterable[LoadedAddon]) -> None:
    """Write down what addons own, in the place of what they owned before."""
    owned = _by_owner()
    for addon in addons:
        if owned.get(addon.name, set()) != {*addon.claims}:
            erase(addon.name)
            rows = [{"kind": c.kind, "name": c.name, "addon": addon.name} for c in addon.claims]
            LedgerRow.insert_many(rows).execute()


def _by_owner() -> dict[str, set[Claim]]:
    found: dict[str, set[Claim]] = {}
    for claim, owner in everything().items():
        found.setdefault(owner, set()).add(claim)
    return found


def erase(name: str) -> None:
    """Forget what an addon owned."""
    LedgerRow.delete().where(LedgerRow.addon == name).execute()


def taken(addon: LoadedAddon, owned: Mapping[Claim, str]) -> tuple[Claim, str] | None:
    """Return a name that an addon claims and another one owns already, with the owner.

    Args:
        owned: the owner of every name, see :func:`everything`.
    """
    found = ((claim, owned.get(claim, addon.name)) for claim in addon.claims)
    return next((item for item in found if item[1] != addon.name), None)


def everything() -> dict[Claim, str]:
    """Return the owner of every name."""
    rows = LedgerRow.select(LedgerRow.kind, LedgerRow.name, LedgerRow.addon).tuples()
    return {Claim(kind, name): addon for kind, name, addon in rows}


def tables_of(name: str) -> list[str]:
    """Return the tables that an addon owns, without its history of migrations."""
    rows = LedgerRow.select(LedgerRow.name).where(
        LedgerRow.addon == name,
        LedgerRow.kind == "table",
        LedgerRow.name != f"{name}_migration",
    )
    return [table for (table,) in rows.order_by(LedgerRow.name).tuples()]


def owners(text: str) -> list[tuple[Claim, str]]:
    """Return the owners of whatever is called so, of any kind; routes also by their path."""
    wanted = without_parameters(text.strip()).removeprefix("/api/v1")
    query = LedgerRow.select().where(
        (LedgerRow.name == wanted) | LedgerRow.name.endswith(f" {wanted}")
    )
    return [(Claim(row.kind, row.name), row.addon) for row in _sorted(query)]


def _sorted(query: Any) -> Any:
    return query.order_by(LedgerRow.kind, LedgerRow.name)

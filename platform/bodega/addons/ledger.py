"""The ownership ledger: who owns which name, written down at installation.

It answers ``bodega why NAME``, refuses what two addons claim even while one of them is
disabled, and lets an addon be uninstalled whose package is gone.
"""

from typing import Any

from bodega.addons.claims import Claim, claims, without_parameters
from bodega.addons.loading import LoadedAddon
from bodega.database.tables import LedgerRow


def write(addon: LoadedAddon) -> None:
    """Write down what an addon owns, in the place of what it owned before."""
    erase(addon.name)
    rows = [{"kind": c.kind, "name": c.name, "addon": addon.name} for c in claims(addon)]
    if rows:
        LedgerRow.insert_many(rows).execute()


def erase(name: str) -> None:
    """Forget what an addon owned."""
    LedgerRow.delete().where(LedgerRow.addon == name).execute()


def taken(addon: LoadedAddon) -> tuple[Claim, str] | None:
    """Return a name that an addon claims and another one owns already, with the owner."""
    for claim in claims(addon):
        row = LedgerRow.get_or_none(
            LedgerRow.kind == claim.kind,
            LedgerRow.name == claim.name,
            LedgerRow.addon != addon.name,
        )
        if row is not None:
            return claim, row.addon
    return None


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

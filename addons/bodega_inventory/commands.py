"""Commands: ``bodega inventory …``."""

import json

import click

from bodega_inventory import checking
from bodega_inventory.items import LARGEST, Item
from bodega_inventory.moving import receive
from bodega_products import api as products
from bodega_sdk.errors import Problem


@click.group()
def inventory() -> None:
    """Receive goods, and check the stock against its ledger.

    Example: bodega inventory check
    """


@inventory.command()
@click.option("--repair", is_flag=True, help="Make levels and figures say what the ledger says.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(repair: bool, as_json: bool) -> None:
    """Compare levels, reservations and what products show with the ledger.

    Ends with 1 where they disagree and were not repaired.

    Example: bodega inventory check --repair
    """
    found = list(checking.check())
    if as_json:
        click.echo(json.dumps([{"item": str(one.item), "about": one.about, "found": one.found,
                                "expected": one.expected} for one in found]))  # fmt: skip
    else:
        for one in found:
            click.echo(str(one))
        click.echo(f"{len(found)} disagreement(s)." if found else "Ledger and stock agree.")
    if found and repair:
        mended = checking.repair(found)
        found = list(checking.check())
        click.echo(f"{mended} product(s) repaired, {len(found)} disagreement(s) left.", err=True)
    if found:
        raise SystemExit(1)


@inventory.command("receive")
@click.argument("sku")
@click.argument("quantity", type=click.IntRange(1, LARGEST))
@click.option("--reason", default="", help="Why, in words.")
@click.option("--reference", default="", help="What it belongs to, e.g. a delivery.")
@click.option("--key", help="Called again with the same key, nothing is received twice.")
def receive_goods(sku: str, quantity: int, reason: str, reference: str, key: str | None) -> None:
    """Put goods that arrived on the shelf, by the SKU of a product or a variant.

    Example: bodega inventory receive LAMP-1 20 --reference delivery-7
    """
    found = products.items_of_skus([sku]).get(sku)
    if found is None:
        raise click.ClickException(f"no product and no variant has the SKU {sku!r}")
    try:
        made = receive(
            [Item(found[0], found[1], quantity)], reason=reason, reference=reference, key=key
        )
    except Problem as problem:
        raise click.ClickException(problem.detail) from None
    click.echo(f"{sku}: {made[0].available} available.")

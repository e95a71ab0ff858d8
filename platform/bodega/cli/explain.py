"""``bodega explain``."""

import json
from typing import TYPE_CHECKING

import click

from bodega.cli import echo_table
from bodega.cli.context import Context, home_option

if TYPE_CHECKING:
    from bodega.hooks.explain import Explanation


@click.command()
@click.argument("hook", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def explain(context: Context, hook: str | None, as_json: bool) -> None:
    """List the hooks that addons publish; or explain HOOK and who implements it, in order.

    Example: bodega explain products.quote_price
    """
    found = _all(context)
    if hook is None:
        _list(found, as_json)
        return
    one = next((item for item in found if hook in (item.name, item.short)), None)
    if one is None:
        listed = ", ".join(item.name for item in found) or "none"
        raise click.ClickException(f"there is no hook {hook!r}; enabled addons publish: {listed}")
    if as_json:
        click.echo(json.dumps(one.as_json(), indent=2))
        return
    _echo(one)


def _all(context: Context) -> "list[Explanation]":
    from bodega.hooks.explain import explain_all
    from bodega.hooks.quarantine import recorded

    shop = context.shop()
    return explain_all(shop.assembly, recorded())


def _list(found: "list[Explanation]", as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([item.as_json() for item in found], indent=2))
        return
    rows = [(item.name, item.kind, f"{item.budget:g} s", len(item.chain)) for item in found]
    echo_table([("HOOK", "KIND", "BUDGET", "IMPLEMENTATIONS"), *rows])


def _echo(found: "Explanation") -> None:
    click.echo(f"{found.name}  ({found.at})\n{found.signature}\n")
    click.echo(f"kind:    {found.kind}\nbudget:  {found.budget:g} s\nfailure: {found.failure}\n")
    click.echo(f"{found.doc}\n")
    if not found.chain:
        click.echo("Nobody implements it.")
    for number, link in enumerate(found.chain, 1):
        marks = f"  [{', '.join(link.marks)}]" if link.marks else ""
        click.echo(f"{number:3}. {link.addon}  {link.at}{marks}")
        if link.quarantined:
            click.echo(f"     quarantined: {link.quarantined}")

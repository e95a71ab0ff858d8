"""Commands: ``bodega analytics …``."""

import json

import click

from bodega_analytics import rebuilding
from bodega_analytics.rebuilding import Difference
from bodega_analytics.slots import moment_of


@click.group()
def analytics() -> None:
    """Make the sums of reports anew, and check them.

    Example: bodega analytics check
    """


@analytics.command()
def rebuild() -> None:
    """Make the sums anew from all orders; the shop and its reports go on meanwhile.

    Views and what was put into carts stay as they were counted: nothing else tells of them.

    Example: bodega analytics rebuild
    """
    try:
        counted = rebuilding.rebuild()
    except rebuilding.Overtaken as error:
        raise click.ClickException(f"somebody else does so: {error}") from None
    click.echo(f"Orders counted: {counted}.")


@analytics.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(as_json: bool) -> None:
    """Compare the sums with what all orders come to now.

    Ends with 1 where they differ. Events that no worker has counted yet are differences, too:
    see 'bodega events subscriptions'. 'bodega analytics rebuild' mends what is wrong.

    Example: bodega analytics check
    """
    try:
        found = rebuilding.check()
    except rebuilding.Overtaken as error:
        raise click.ClickException(f"somebody else makes the sums anew: {error}") from None
    if as_json:
        click.echo(json.dumps([_shown(one) for one in found]))
    else:
        for one in found:
            told = _shown(one)
            click.echo(" ".join(f"{name}={value}" for name, value in told.items()))
        click.echo(f"{len(found)} difference(s)." if found else "The sums are right.")
    if found:
        raise SystemExit(1)


def _shown(one: Difference) -> dict[str, str | int]:
    span, at, currency, *about = one.place
    return {
        "sum": one.name, "from": moment_of(at).isoformat(), "hours": span / 4,
        "currency": currency, "about": " ".join(map(str, about)), "measure": one.measure,
        "too_high_by": one.off,
    }  # fmt: skip

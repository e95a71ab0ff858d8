"""``bodega addons …``."""

import json
from typing import Any

import click

from bodega.addons import lifecycle
from bodega.addons.listing import AddonState, listing
from bodega.cli.context import Context, home_option


@click.group()
@home_option
def addons() -> None:
    """List, enable and disable addons, on a running shop too.

    Example: bodega addons list
    """


@addons.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_addons(context: Context, as_json: bool) -> None:
    """List all addons, and why a quarantined one is.

    Example: bodega addons list --json
    """
    found = listing(context.shop())
    if as_json:
        click.echo(json.dumps([item.as_json() for item in found], indent=2))
        return
    width = max((len(item.name) for item in found), default=0)
    for item in found:
        click.echo(f"{item.name:{width}}  {item.version:10} {item.state:12} {item.summary}")
        _echo_fault(item)


def _echo_fault(item: AddonState) -> None:
    if item.fault is not None:
        click.echo(f"    culprit: {item.fault.culprit}\n    reason:  {item.fault.reason}")
        click.echo(f"    remedy:  {item.fault.remedy}")


def _told(function: Any) -> Any:
    """Give a verb the options that all of them have."""
    for option in (
        click.argument("name"),
        click.option("--timeout", type=float, default=10.0, show_default=True,
                     help="Seconds to wait for running processes."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.pass_obj,
    ):  # fmt: skip
        function = option(function)
    return function


@addons.command()
@_told
def enable(context: Context, name: str, timeout: float, as_json: bool) -> None:
    """Enable an addon with all that it depends on; install it first if need be.

    Example: bodega addons enable imports
    """
    shop = context.shop()
    _report(shop, "enabled", lifecycle.enable(shop, name), timeout, as_json)


@addons.command()
@click.option("--cascade", is_flag=True, help="Disable the addons that need it too.")
@_told
def disable(context: Context, name: str, timeout: float, as_json: bool, cascade: bool) -> None:
    """Disable an addon; its data stays, its jobs are parked.

    Example: bodega addons disable imports
    """
    shop = context.shop()
    _report(shop, "disabled", lifecycle.disable(shop, name, cascade=cascade), timeout, as_json)


def _report(shop: Any, verb: str, change: lifecycle.Change, timeout: float, as_json: bool) -> None:
    laggards = lifecycle.wait_for(shop, change.generation, timeout)
    living = shop.register.living()
    if as_json:
        told = {verb: change.addons, "generation": change.generation,
                "processes": len(living), "laggards": [str(item) for item in laggards]}  # fmt: skip
        click.echo(json.dumps(told))
    else:
        named = ", ".join(change.addons) or "nothing to do: it was already"
        click.echo(f"{verb.capitalize()}: {named} (generation {change.generation}).")
        click.echo(f"{len(living) - len(laggards)} of {len(living)} running processes follow.")
    if laggards:
        listed = ", ".join(map(str, laggards))
        raise click.ClickException(
            f"did not follow within {timeout:g} s: {listed}; look at their logs or restart them"
        )

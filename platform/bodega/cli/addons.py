"""``bodega addons …``."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bodega import capabilities
from bodega.addons import lifecycle, upgrading
from bodega.addons.listing import AddonState, listing
from bodega.addons.plans import Plan, read_id
from bodega.cli.context import Context, home_option, strict_option
from bodega.errors import Laggards

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_timeout = click.option(
    "--timeout", type=float, help="Seconds to wait for processes; 60 for upgrades, else 10."
)


@click.group()
@home_option
def addons() -> None:
    """List, enable and disable addons, on a running shop too.

    Example: bodega addons list
    """


@addons.command("list")
@_json
@strict_option
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
    for migration in item.waiting:
        click.echo(f"    waits until every process runs the new code: {migration}")
    if item.denied:
        click.echo(f"    not approved: {', '.join(item.denied)}")
        click.echo(f"    remedy:  Run 'bodega addons upgrade {item.name} --approve'")


def _options(function: Any) -> Any:
    """Give a verb the options that all of them have."""
    for option in (
        click.argument("name"),
        click.option("--plan", "only_plan", is_flag=True, help="Show what would be done."),
        _timeout,
        _json,
        click.pass_obj,
    ):
        function = option(function)
    return function


_cascade = click.option("--cascade", is_flag=True, help="Do it to the addons that need it too.")
_approve = click.option("--approve", is_flag=True, help="Let it use more than was approved before.")


@addons.command()
@_options
def install(context: Context, name: str, **options: Any) -> None:
    """Make an addon's tables, and those of what it depends on; enable nothing.

    Example: bodega addons install loyalty --plan
    """
    _do(context, "install", name, **options)


@addons.command()
@_approve
@_options
def enable(context: Context, name: str, **options: Any) -> None:
    """Enable an addon with all that it depends on; install it first if need be.

    Example: bodega addons enable imports
    """
    _do(context, "enable", name, **options)


@addons.command()
@_cascade
@_options
def disable(context: Context, name: str, **options: Any) -> None:
    """Disable an addon; its data stays, its jobs are parked.

    Example: bodega addons disable imports
    """
    _do(context, "disable", name, **options)


@addons.command()
@_approve
@_options
def upgrade(context: Context, name: str, **options: Any) -> None:
    """Bring an addon's tables and all running processes to the version that pip installed.

    Migrations that only add run first; then every process is replaced by one that runs the
    new code, without a request lost; then what the old code needed is taken away.

    Example: bodega addons upgrade loyalty --plan
    """
    _do(context, "upgrade", name, **options)


@addons.command()
@_cascade
@_options
def uninstall(context: Context, name: str, **options: Any) -> None:
    """Archive what an addon kept, then drop its tables; works without its package too.

    Example: bodega addons uninstall loyalty --plan
    """
    _do(context, "uninstall", name, **options)


@addons.command()
@_cascade
@_options
def purge(context: Context, name: str, **options: Any) -> None:
    """Drop an addon's tables without an archive: what it kept is lost.

    Example: bodega addons purge loyalty --plan
    """
    _do(context, "purge", name, **options)


@addons.command()
@click.option("--plan", "plan_id", required=True, help="The id that a verb prints with --plan.")
@_approve
@_timeout
@_json
@click.pass_obj
def apply(
    context: Context, plan_id: str, approve: bool, timeout: float | None, as_json: bool
) -> None:
    """Do what a plan says; refused when the shop has changed since it was made.

    Example: bodega addons apply --plan enable:loyalty:0f3c8a2be1d97c54
    """
    shop = context.shop()
    verb = read_id(plan_id)[0]
    change = lifecycle.apply_plan(shop, plan_id, approve=approve)
    _report(shop, verb, change, timeout, as_json)


@addons.command()
@click.argument("name")
@_timeout
@_json
@click.pass_obj
def retry(context: Context, name: str, timeout: float | None, as_json: bool) -> None:
    """Have every process try a quarantined addon again.

    Example: bodega addons retry loyalty
    """
    shop = context.shop()
    _report(shop, "retry", lifecycle.retry(shop, name), timeout, as_json)


@addons.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_json
@click.pass_obj
def restore(context: Context, file: Path, as_json: bool) -> None:
    """Put the rows of an archive back into an addon that was installed again.

    Example: bodega addons restore shop/archives/loyalty-1.0.0-20261121T120000.zip
    """
    found = lifecycle.restore(context.shop(), file)
    if as_json:
        told = {"restored": found.rows, "left_out": found.left_out, "missing": found.missing}
        click.echo(json.dumps(told))
        return
    for table, number in found.rows.items():
        gone = found.left_out.get(table, 0)
        belonging = f", without {gone:,} whose owner was deleted meanwhile" if gone else ""
        click.echo(f"{table}: {number - gone:,} rows{belonging}")
    for path in found.missing:
        click.echo(f"the file {path} is gone, or not what it was", err=True)


def _do(context: Context, verb: str, name: str, *, only_plan: bool, timeout: float | None,
        as_json: bool, cascade: bool = False, approve: bool = False) -> None:  # fmt: skip
    shop = context.shop()
    if only_plan:
        _show_plan(lifecycle.plan(shop, verb, name, cascade=cascade), as_json)
        return
    change = lifecycle.apply(shop, verb, name, cascade=cascade, approve=approve)
    _report(shop, verb, change, timeout, as_json)


def _show_plan(plan: Plan, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(plan.as_json(), indent=2))
        return
    for step in plan.steps:
        click.echo(f"{step.verb} {step.addon} {step.version}".rstrip())
        for statement in step.statements:
            click.echo(f"    {statement};")
    for sign, kinds in (("+", plan.added), ("-", plan.removed)):
        for kind, names in kinds.items():
            for name in names:
                click.echo(f"  {sign} {kind} {name}")
    for name, uses in plan.uses.items():
        click.echo(f"  * {name} uses {capabilities.in_words(uses)}")
    for name, uses in plan.asks.items():
        click.echo(f"  ? {name} asks for {capabilities.in_words(uses)}: new, needs --approve")
    for table, extent in plan.lost.items():
        size = "" if extent.bytes is None else f", {extent.bytes:,} bytes"
        click.echo(f"  ! {table}: {extent.rows:,} rows{size} would go")
    if not plan.steps:
        click.echo("Nothing to do.")
    click.echo(f"\nTo do just this: bodega addons apply --plan {plan.id}")


#: Seconds: an upgrade has every process replaced.
_PATIENCE = {"upgrade": 60.0}
_DONE = {"install": "installed", "enable": "enabled", "disable": "disabled",
         "upgrade": "upgraded", "uninstall": "uninstalled", "purge": "purged",
         "retry": "enabled"}  # fmt: skip


def _finished(shop: Any, change: lifecycle.Change, timeout: float) -> lifecycle.Change:
    """Contract what waited, now that every process runs the new code."""
    for name in change.waiting:
        finished = upgrading.finish(shop, name, timeout)
        if finished is not None:
            change = replace(change, generation=finished.generation)
    lifecycle.wait_for(shop, change.generation, timeout)
    return replace(change, waiting=())


def _report(
    shop: Any, verb: str, change: lifecycle.Change, timeout: float | None, as_json: bool
) -> None:
    timeout = _PATIENCE.get(verb, 10.0) if timeout is None else timeout
    laggards = lifecycle.wait_for(shop, change.generation, timeout, code=change.codes)
    if not laggards:
        change = _finished(shop, change, timeout)
    living, done = shop.register.living(), _DONE[verb]
    if as_json:
        told = {done: change.addons, "addons": change.addons, "generation": change.generation,
                "archives": change.archives, "waiting": change.waiting,
                "processes": len(living), "laggards": [str(item) for item in laggards]}  # fmt: skip
        click.echo(json.dumps(told))
    else:
        named = ", ".join(change.addons) or "nothing to do: it was already"
        click.echo(f"{done.capitalize()}: {named} (generation {change.generation}).")
        for path in change.archives:
            click.echo(f"What it kept is in {path}; see 'bodega addons restore --help'.")
        click.echo(f"{len(living) - len(laggards)} of {len(living)} running processes follow.")
    if laggards:
        listed = ", ".join(map(str, laggards))
        left = f"; what waits of {', '.join(change.waiting)} is done once they do"
        raise Laggards(
            f"did not follow within {timeout:g} s: {listed}; look at their logs or restart them"
            f"{left if change.waiting else ''}"
        )

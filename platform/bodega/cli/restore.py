"""``bodega restore``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bodega.cli.backup import progress_bar
from bodega.cli.context import Context, home_option

if TYPE_CHECKING:
    from bodega.settings import Settings


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Drop the tables and files that are there first.")
@click.option("--yes", is_flag=True, help="Do not ask before dropping.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def restore(context: Context, file: Path, replace: bool, yes: bool, as_json: bool) -> None:
    """Restore a backup into an empty database and home; all of it, or nothing.

    The shop must not be running.

    Example: bodega restore shop.zip
    """
    from bodega.backup import restore_backup
    from bodega.shop import Shop
    from bodega.telemetry.logging import configure_logging

    settings = context.settings
    if replace and not yes:
        _confirm(settings)
    configure_logging(settings, "cli")
    shop = Shop(settings, connections=5)
    with progress_bar() as progress:
        info = restore_backup(shop, file, replace=replace, progress=progress)
    warnings = _warnings(settings)
    if as_json:
        click.echo(json.dumps(info.summary() | {"warnings": warnings}))
    else:
        click.echo(
            f"Restored the shop as it was at {info.created_at}: {len(info.tables)} tables with "
            f"{info.rows:,} rows, {len(info.files):,} files. Start it with 'bodega up'."
        )
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)


def _confirm(settings: "Settings") -> None:
    where = "the PostgreSQL database" if settings.database_url else str(settings.home)
    try:
        sure = click.confirm(f"Drop everything in {where} and its files first?", err=True)
    except click.Abort:
        click.echo(err=True)
        sure = False
    if not sure:
        raise click.ClickException("nothing was changed; answer y, or add --yes")


def _warnings(settings: "Settings") -> list[str]:
    """Return what keeps the restored shop from being what it was, as whole sentences."""
    from bodega.addons import lifecycle
    from bodega.errors import OperatorError
    from bodega.security.keys import load_keys
    from bodega.shop import Shop

    shop, found = Shop(settings, connections=2), list[str]()
    try:
        if not lifecycle.is_prepared(shop):
            return ["its tables are of an older Bodega; 'bodega migrate' brings them up to date"]
        found += [str(fault) for fault in shop.refresh().faults.values()]
        load_keys(settings.key())
    except OperatorError as error:
        found.append(str(error))
    finally:
        shop.databases.close()
    return found

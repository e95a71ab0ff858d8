"""``bodega backup``."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bodega.cli.context import Context, home_option

if TYPE_CHECKING:
    from bodega.bundles import Progress
    from bodega.shop import Shop


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path),
              help="File to write; bodega-TIME.zip in this folder when left out.")  # fmt: skip
@click.option("--with-secret-key", is_flag=True,
              help="Put the secret key inside: whoever has the file has everything.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def backup(
    context: Context, out: Path | None, with_secret_key: bool, force: bool, as_json: bool
) -> None:
    """Write the whole shop into one file: tables and files. It may be running meanwhile.

    Example: bodega backup --out shop.zip
    """
    from bodega.backup import write_backup
    from bodega_sdk.models import now

    path = out or Path(f"bodega-{now():%Y%m%dT%H%M%SZ}.zip")
    shop = _shop(context)
    with progress_bar() as progress:
        info = write_backup(
            shop, path, with_secret_key=with_secret_key, overwrite=force, progress=progress
        )
    size = path.stat().st_size
    if as_json:
        click.echo(json.dumps({"file": str(path.absolute()), "size": size} | info.summary()))
        return
    click.echo(
        f"Wrote {path}: {len(info.tables)} tables with {info.rows:,} rows, "
        f"{len(info.files):,} files, {size / 1e6:,.1f} MB."
    )
    if not with_secret_key:
        click.echo("The secret key is not inside: keep a copy of it elsewhere.")


def _shop(context: Context) -> "Shop":
    """Open the shop as it is; a backup neither makes a shop nor migrates one."""
    from bodega.shop import Shop
    from bodega.telemetry.logging import configure_logging

    settings = context.settings
    if not settings.database_url and not (settings.home / "shop.sqlite").exists():
        raise click.ClickException(
            f"there is no shop in {settings.home}; name its home with --home, or its DATABASE_URL"
        )
    configure_logging(settings, "cli")
    return Shop(settings, connections=2)


@contextmanager
def progress_bar() -> Iterator["Progress"]:
    """Yield what shows progress, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TextColumn("{task.description}", markup=False))  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)

"""Commands: ``bodega media …``."""

import click

from bodega_media import sweeping
from bodega_media.sizes import read_box
from bodega_sdk import setting

_MOST = 20


@click.group()
def media() -> None:
    """Look after the pictures of products.

    Example: bodega media check
    """


@media.command()
@click.option("--repair", is_flag=True, help="Delete files that no row tells of.")
def check(repair: bool) -> None:
    """Find rows without their file, and files without a row; fails when there are some.

    Example: bodega media check --repair
    """
    found = sweeping.check()
    click.echo(f"{found.pictures} pictures, {found.files} files, {found.unneeded} to be swept.")
    for word in setting("media.sizes").split():
        if read_box(word) is None:
            click.echo(f"The setting media.sizes holds '{word}', which is no size such as 320x320.")
    _list("rows without their file", found.lost)
    _list("files without a row", found.unknown)
    if repair and found.unknown:
        sweeping.delete_unknown(found.unknown)
        click.echo(f"{len(found.unknown)} files were deleted.")
    left = len(found.lost) + (0 if repair else len(found.unknown))
    if left:
        raise click.ClickException(f"{left} faults are left")


def _list(what: str, items: tuple[str, ...]) -> None:
    if items:
        click.echo(f"{len(items)} {what}:")
    for item in items[:_MOST]:
        click.echo(f"  {item}")
    if len(items) > _MOST:
        click.echo(f"  and {len(items) - _MOST} more")

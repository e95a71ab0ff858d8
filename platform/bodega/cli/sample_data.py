"""``bodega sample-data``."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from bodega.cli.context import Context, home_option
from bodega_sdk.samples import MOST_SAMPLES

if TYPE_CHECKING:
    from bodega.samples import Told


@click.command("sample-data")
@click.option("--count", type=click.IntRange(1, MOST_SAMPLES), default=100, show_default=True,
              help="Products; the rest is made to match.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, show_default=True,
              help="What all is made of: the same seed gives the same shop.")  # fmt: skip
@click.option("--remove", is_flag=True, help="Take the samples away again, and nothing else.")
@click.option(
    "--beside-real-data", is_flag=True, help="Also in a shop that has products of its own."
)
@home_option
@click.pass_obj
def sample_data(
    context: Context, count: int, seed: int, remove: bool, beside_real_data: bool
) -> None:
    """Fill the shop with products, categories and what else the enabled addons make up.

    All of it is made by code. A second run changes nothing but what is missing.

    Example: bodega sample-data --count 100
    """
    from bodega import samples
    from bodega_sdk.runtime import bound

    shop = context.shop()
    with bound(shop.current):
        if remove:
            _tell("Removed", samples.remove(shop, _progress))
            return
        if not beside_real_data:
            samples.refuse_somebodys(samples.declared(shop))
        _tell("Made", samples.make(shop, count, seed, _progress))


def _tell(verb: str, results: Iterable["Told"]) -> None:
    """Print what became of each addon's samples, and of all of them."""
    changed = kept = 0
    for told in results:
        changed, kept = changed + sum(told.changed.values()), kept + sum(told.kept.values())
        click.echo(f"{told.addon + ':':14} {_line(verb.lower(), told.changed, told.kept)}")
    if not changed:
        click.echo("Nothing to do." if not kept else "Nothing to do: the samples are there.")


def _line(verb: str, changed: dict[str, int], kept: dict[str, int]) -> str:
    parts = [f"{verb} {_counted(changed)}"] if changed else []
    parts += [f"{_counted(kept)} there already"] if kept else []
    return "; ".join(parts) or "nothing"


def _counted(rows: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {noun}" for noun, count in sorted(rows.items()))


def _progress(addon: str, done: int, total: int) -> None:
    """Show how far it is, where somebody looks on."""
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        click.echo(f"\r{addon}: {done:,} of {total:,}{end}", nl=False, err=True)

"""Commands: ``bodega products …``."""

import click

from bodega_products.search_index import reindex as make_anew


@click.group()
def products() -> None:
    """Look after the catalogue.

    Example: bodega products reindex
    """


@products.command()
def reindex() -> None:
    """Make the index of the search anew, while the shop goes on.

    Example: bodega products reindex
    """

    def tell(done: int, total: int) -> None:
        if not done or done == total or done % 10_000 == 0:
            click.echo(f"{done} of {total} products", err=True)

    click.echo(f"Indexed {make_anew(tell)} products.")

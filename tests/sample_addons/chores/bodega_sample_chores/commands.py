"""The command of chores."""

import click
from bodega_sample_chores.doing import PLACES, do

from bodega_sdk import transaction


@click.command()
@click.argument("number", type=int)
@click.option("--first", type=click.Choice(PLACES), multiple=True, help="Where the first stop.")
@click.option("--last", type=click.Choice(PLACES), multiple=True, help="Where the last stop.")
def chores(number: int, first: tuple[str, ...], last: tuple[str, ...]) -> None:
    """Enqueue as many chores, in one transaction.

    Example: bodega chores 10
    """
    quick = ("",) * (number - len(first) - len(last))
    with transaction():
        for stop in (*first, *quick, *last):
            do.enqueue(stop=stop)

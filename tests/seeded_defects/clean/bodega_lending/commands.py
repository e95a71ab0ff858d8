"""Commands: ``bodega lending …``."""

import click
from bodega_lending.loans import overdue


@click.group()
def lending() -> None:
    """Look after what is lent out.

    Example: bodega lending overdue
    """


@lending.command("overdue")
@click.option("--most", default=20, show_default=True, help="How many are listed at most.")
def list_overdue(most: int) -> None:
    """List the loans that should have come back.

    Example: bodega lending overdue --most 5
    """
    for loan in overdue().limit(most):
        click.echo(f"{loan.due_at:%Y-%m-%d}  {loan.ticket:16}  {loan.borrower}")

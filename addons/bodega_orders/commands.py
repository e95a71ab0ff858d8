"""Commands: ``bodega orders …``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from bodega_orders import changing, expiring, statuses
from bodega_orders.models import Order
from bodega_orders.statuses import By
from bodega_orders.telling import lines_of
from bodega_sdk import transaction
from bodega_sdk.errors import Problem

_OPERATOR = By(statuses.STAFF)


@click.group()
def orders() -> None:
    """See orders, and lead them from one status to the next.

    Example: bodega orders list --status pending
    """


@orders.command("list")
@click.option("--status", type=click.Choice(statuses.STATUSES), help="Only this status.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True,
              help="Orders at most.")  # fmt: skip
def list_orders(status: str | None, limit: int) -> None:
    """List orders, newest first.

    Example: bodega orders list --status confirmed
    """
    query = Order.select().order_by(Order.created_at.desc(), Order.id.desc()).limit(limit)
    rows = list(query.where(Order.status == status) if status else query)
    for row in rows:
        total = f"{row.money(row.total)} {row.currency}"
        click.echo(f"{row.number}  {row.status:11}{row.payment_status:19}{total:>14}  {row.email}")
    if not rows:
        click.echo("Nothing is there.", err=True)


@orders.command()
@click.argument("number")
def show(number: str) -> None:
    """Show what an order contains.

    Example: bodega orders show 261122-7K3M9Q
    """
    order = _named(number)
    click.echo(f"{order.number}  {order.status}, {order.payment_status}  {order.email}")
    for line in lines_of([order.id])[order.id]:
        total = order.money(line.total)
        click.echo(f"  {line.quantity:4} x {line.sku or line.name:40}{total!s:>14}")
    click.echo(f"  {'Total':47}{order.money(order.total)!s:>14} {order.currency}")


def _named(number: str) -> Order:
    order: Order | None = Order.get_or_none(Order.number == number.upper())
    if order is None:
        raise click.ClickException("there is no order with this number; see 'bodega orders list'")
    return order


@contextmanager
def _held(number: str) -> Iterator[Order]:
    """Hold an order, and say what became of it."""
    key = _named(number).id
    try:
        with transaction():
            order = Order.find(key, lock=True)
            if order is None:
                raise click.ClickException("the order is gone")
            yield order
    except Problem as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(f"Order {order.number} is {order.status}.")


def _step(name: str, help: str, step: Callable[..., None]) -> None:
    @orders.command(name, help=f"{help}\n\nExample: bodega orders {name} 261122-7K3M9Q")
    @click.argument("number")
    def run(number: str) -> None:
        with _held(number) as order:
            step(order, _OPERATOR)


_step("confirm", "Confirm an order: what it contains is sold.", changing.confirm)
_step("process", "Begin to get an order ready.", changing.process)
_step("deliver", "Write down that an order arrived.", changing.deliver)


@orders.command()
@click.argument("number")
@click.option("--carrier", default="", help="Who brings it.")
@click.option("--tracking-number", default="", help="What the carrier calls it.")
@click.option("--tracking-url", default="", help="Where the customer can follow it.")
def ship(number: str, carrier: str, tracking_number: str, tracking_url: str) -> None:
    """Send an order.

    Example: bodega orders ship 261122-7K3M9Q --carrier DHL --tracking-number 00340
    """
    with _held(number) as order:
        changing.ship(
            order, _OPERATOR, tracking_number=tracking_number[:100], carrier=carrier[:100],
            tracking_url=tracking_url[:2000],
        )  # fmt: skip


@orders.command()
@click.argument("number")
@click.option("--reason", required=True, help="Why; the customer reads it.")
def cancel(number: str, reason: str) -> None:
    """Cancel an order: its stock is free again.

    Example: bodega orders cancel 261122-7K3M9Q --reason "It cannot be had any more."
    """
    with _held(number) as order:
        changing.cancel(order, _OPERATOR, reason[:500])


@orders.command()
def expire() -> None:
    """Cancel orders that nobody paid for in time, without waiting for the job.

    Example: bodega orders expire
    """
    count = 0
    more = True
    while more:
        with transaction():
            more = expiring.expire()
            count += more
    click.echo(f"Orders whose time was over: {count}.")

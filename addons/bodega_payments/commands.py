"""Commands: ``bodega payments …``."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import click

from bodega_payments import choosing, paying, reconciling, refunding
from bodega_payments.models import Payment
from bodega_payments.providers import BadSignature, Provider, ProviderError
from bodega_sdk import Money, now
from bodega_sdk.errors import Problem


@click.group()
def payments() -> None:
    """List, capture and refund payments; check and reconcile with providers.

    Example: bodega payments list
    """


@payments.command("list")
@click.option("--flagged", is_flag=True, help="Only those that somebody should look at.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, help="How many at most.")
def list_payments(flagged: bool, limit: int) -> None:
    """List payments, the newest first.

    Example: bodega payments list --flagged
    """
    query = Payment.select().order_by(Payment.id.desc()).limit(limit)
    if flagged:
        query = query.where(Payment.flag != "")
    for row in query:
        shown = f"{Money(row.amount, row.currency)} {row.currency}"
        click.echo(f"{row.id}  {row.order_number}  {row.status}  {shown}  {row.flag}".rstrip())


@payments.command()
@click.argument("payment_id", type=click.UUID)
@click.argument("amount", required=False)
def capture(payment_id: UUID, amount: str | None) -> None:
    """Take what is held, or a part of it; the rest is let go.

    Example: bodega payments capture 0190f4a2-7c1e-7000-8000-000000000001 20.00
    """
    row = _told(lambda: paying.capture(payment_id, _minor(payment_id, amount)))
    click.echo(f"Captured {Money(row.captured, row.currency)} {row.currency}.")


@payments.command()
@click.argument("payment_id", type=click.UUID)
@click.argument("amount", required=False)
@click.option("--note", default="", help="Why; for staff.")
def refund(payment_id: UUID, amount: str | None, note: str) -> None:
    """Give back what was captured, or a part of it.

    Example: bodega payments refund 0190f4a2-7c1e-7000-8000-000000000001 5.00 --note scratched
    """
    reason = refunding.REASONS[0]
    row = _told(
        lambda: refunding.refund(
            payment_id, _minor(payment_id, amount), reason, note[:500], None, ""
        )
    )
    click.echo(f"Refund of {Money(row.amount, row.currency)} {row.currency}: {row.status}.")


@payments.command()
def reconcile() -> None:
    """Ask providers about what is unsettled, and repair what got lost.

    Example: bodega payments reconcile
    """
    found = reconciling.reconcile(timedelta(0))
    click.echo(
        f"{found.asked} payment(s) asked about, {found.repaired} repaired, {found.calls} call(s) "
        f"made again, {found.silent} without an answer."
    )


@payments.command()
def check() -> None:
    """Find out whether the provider of new payments answers to the keys that it has.

    Example: bodega payments check
    """
    try:
        provider = choosing.current()
        found = provider.usage(now())
        _check_webhooks(provider)
    except ProviderError as error:
        raise click.ClickException(str(error)) from None
    money = "test money" if provider.is_test else "real money"
    currencies = ", ".join(item.currency for item in found) or "none yet"
    click.echo(f"{provider.name} answers ({money}; currencies: {currencies}).")


def _check_webhooks(provider: Provider) -> None:
    """Let through a provider that could tell who signed an event."""
    with suppress(BadSignature):
        provider.read_event({}, b"")


def _minor(payment_id: UUID, amount: str | None) -> int | None:
    row = Payment.find(payment_id)
    if row is None:
        raise click.ClickException(f"there is no payment {payment_id}; see 'bodega payments list'")
    try:
        return None if amount is None else Money.parse(amount, row.currency).minor
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _told(do: Callable[[], Any]) -> Any:
    try:
        return do()
    except Problem as error:
        raise click.ClickException(error.detail) from None

"""Commands: ``bodega gift-cards …``."""

import json
from datetime import datetime
from typing import Any

import click
from bodega_sdk import transaction
from bodega_sdk.schemas import load

from bodega_gift_cards.issuing import issue_from
from bodega_gift_cards.schemas import GiftCardSchema


@click.group("gift-cards")
def gift_cards() -> None:
    """Issue gift cards.

    Example: bodega gift-cards issue --amount 50 --currency EUR
    """


@gift_cards.command()
@click.option("--amount", help="What is on it, e.g. 50; the product's when left out.")
@click.option("--currency", help="ISO 4217 code; the shop's when left out.")
@click.option("--product", "product_id", help="Id of the product that it is sold as.")
@click.option(
    "--expires", type=click.DateTime(["%Y-%m-%d"]), help="Last moment (UTC), e.g. 2030-12-31."
)
@click.option("--note", help="What it is for.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def issue(expires: datetime | None, as_json: bool, **options: str | None) -> None:
    """Issue a gift card and print its code, which nothing can show again.

    Example: bodega gift-cards issue --amount 50 --currency EUR --note "For the raffle"
    """
    data: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    if expires is not None:
        data["expires_at"] = f"{expires:%Y-%m-%d}T23:59:59Z"
    loaded = load(GiftCardSchema(), data)
    with transaction():
        card = issue_from(loaded)
    if as_json:
        click.echo(json.dumps(GiftCardSchema().dump(card), indent=2))
        return
    until = f"{card.expires_at:%Y-%m-%d}"
    click.echo(f"{card.code}  {card.amount} {card.currency}, good until {until} ({card.id})")

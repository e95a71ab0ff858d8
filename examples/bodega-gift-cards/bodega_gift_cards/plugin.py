"""The addon's index: every hook it implements, and where."""

from collections.abc import Generator, Iterable
from uuid import UUID

import click
from bodega_products.api import PriceFacts
from bodega_sdk import (
    Channel,
    ConsolePage,
    Event,
    Extension,
    Job,
    Model,
    Money,
    Routes,
    Subscriptions,
    hookimpl,
)

from bodega_gift_cards import commands, console, events, jobs, products, resources
from bodega_gift_cards.extensions import Gift
from bodega_gift_cards.models import Card, Movement
from bodega_gift_cards.products import reason_to_keep
from bodega_gift_cards.schemas import GiftCardProductSchema


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """Return the tables, but for those of extensions."""
    return [Card, Movement]


@hookimpl
def register_extensions() -> Iterable[Extension]:
    """Return what products show of it."""
    return [Extension(Gift, GiftCardProductSchema, filters=("is_gift_card",))]


@hookimpl
def register_routes(routes: Routes) -> None:
    """Declare the routes."""
    routes.collection("/gift-cards", resources.GiftCards)


@hookimpl
def register_jobs() -> Iterable[Job]:
    """Return the jobs."""
    return [jobs.expire_cards]


@hookimpl
def register_events() -> Iterable[Event]:
    """Return the events that it publishes."""
    return list(events.BY_KIND.values())


@hookimpl
def register_channels() -> Iterable[Channel]:
    """Return the channels."""
    names = tuple(event.name for event in events.BY_KIND.values())
    summary = "What happens to one gift card, with its balance."
    return [Channel("gift_cards.{id}", names, "gift_cards.read", summary)]


@hookimpl
def register_subscriptions(events: Subscriptions) -> None:
    """Say which events it reacts to."""
    events.on("product.deleted", products.forget)


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """Return the commands."""
    return [commands.gift_cards]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """Return the pages of the console."""
    title, summary = "Gift cards", "What is left on them, the newest first."
    return [
        ConsolePage(
            "gift-cards", title, "gift_cards.read", console.balances, summary, (console.PAGE,)
        )
    ]


@hookimpl
def refuse_deletion(products: tuple[UUID, ...]) -> str | None:
    """Keep products while cards that were issued from them can be used."""
    return reason_to_keep(products)


# Outermost of all wrappers, so that no discount comes after it.
@hookimpl(wrapper=True, tryfirst=True)
def quote_price(product: PriceFacts) -> Generator[None, Money | None, Money | None]:
    """Let a gift card cost what the catalogue says: money is not sold at a discount."""
    price = yield
    return products.price_of(product, price)

"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import click

from bodega_orders import (
    cart_models,
    cart_resources,
    commands,
    console,
    events,
    guests,
    jobs,
    keeping,
    models,
    notices,
    reaching,
    resources,
    returns,
    rules_console,
    rules_models,
    rules_resources,
    sample_data,
)
from bodega_sdk import (
    Channel,
    ConsolePage,
    Event,
    Job,
    Model,
    Routes,
    SampleData,
    Subscriptions,
    hookimpl,
)


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return [*cart_models.MODELS, *rules_models.MODELS, *models.MODELS]


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.collection("/orders/lines", resources.Lines)
    routes.collection("/orders/returns", returns.Returns)
    routes.collection("/orders", resources.Orders)
    routes.add(*cart_resources.routes())
    routes.collection("/tax-rates", rules_resources.TaxRates)
    routes.collection("/shipping-methods", rules_resources.ShippingMethods)


@hookimpl
def register_jobs() -> Iterable[Job]:
    """The jobs."""
    return jobs.JOBS


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return [*events.ALL, events.cart_item_added]


@hookimpl
def register_subscriptions(events: Subscriptions) -> None:
    """What guests are written about."""
    for name in guests.TOLD:
        events.on(name, guests.write)


@hookimpl
def register_channels() -> Iterable[Channel]:
    """The real-time channel of one order."""
    names = tuple(event.name for event in events.ALL)
    summary = "What becomes of one order"
    may, path = reaching.may_follow, "orders/{id}/"
    return [Channel("orders.{id}", names, reaching.USE, summary, may, path=path)]


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [commands.orders]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """The console's pages."""
    return [*console.pages(), *rules_console.pages()]


@hookimpl
def register_sample_data() -> Iterable[SampleData]:
    """Orders to try the shop out with, ways of shipping, and taxes."""
    return sample_data.declared()


@hookimpl
def account_links(links: dict[str, str], account_id: UUID) -> dict[str, str]:
    """One's own orders."""
    return links | {"orders": "/api/v1/orders"}


@hookimpl
def refuse_deletion(products: tuple[UUID, ...]) -> str | None:
    """Products of orders that are still to be sent are kept."""
    return keeping.why_not(products)


@hookimpl(optionalhook=True)
def has_purchased(user: UUID, products: tuple[UUID, ...]) -> frozenset[UUID]:
    """Which products somebody has bought: their reviews are verified."""
    return keeping.bought(user, products)


@hookimpl(optionalhook=True)
def notification_types(types: tuple[Any, ...]) -> tuple[Any, ...]:
    """What customers and staff are told, where notifications are enabled."""
    return (*types, *notices.types())

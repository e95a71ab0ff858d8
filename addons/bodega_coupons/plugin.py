"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

import click

from bodega_coupons import (
    commands,
    console,
    discounting,
    events,
    hearing,
    redeeming,
    resources,
    sample_data,
)
from bodega_coupons.models import MODELS
from bodega_orders.api import Discounts, Draft, OrderFacts
from bodega_sdk import (
    ConsolePage,
    Event,
    Model,
    Routes,
    SampleData,
    Subscriptions,
    hookimpl,
)


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return MODELS


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.collection("/coupons", resources.Coupons)
    routes.collection("/coupons/{id}/redemptions", resources.Redemptions)


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return events.ALL


@hookimpl
def register_subscriptions(events: Subscriptions) -> None:
    """Orders that are cancelled."""
    events.on("order.cancelled", hearing.give_back)


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [commands.coupons]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """The console's page."""
    return console.pages()


@hookimpl
def register_sample_data() -> Iterable[SampleData]:
    """Coupons to try the shop out with."""
    return sample_data.declared()


@hookimpl
def quote_discounts(discounts: Discounts, draft: Draft) -> Discounts:
    """What the codes of a purchase take off."""
    return discounting.with_coupons(discounts, draft)


@hookimpl
def refuse_order(order: OrderFacts) -> str | None:
    """Use up what an order was given, or say why not."""
    return redeeming.redeem(order)

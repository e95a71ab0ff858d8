"""The index of lending: every hook it implements, and where."""

from collections.abc import Iterable

import click
from bodega_lending import commands, console, events, jobs, pricing, resources
from bodega_lending.events import close_offer
from bodega_lending.models import Loan, Offer, ProductWear
from bodega_lending.schemas import WearSchema

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


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """Return the tables."""
    return [Offer, Loan]


@hookimpl
def register_extensions() -> Iterable[Extension]:
    """Say how worn products are."""
    return [Extension(ProductWear, WearSchema, filters=("worn",), orderings=("worn",))]


@hookimpl
def register_routes(routes: Routes) -> None:
    """Serve offers and loans."""
    routes.collection("/lending/offers", resources.Offers)
    routes.collection("/lending/loans", resources.Loans)


@hookimpl
def register_jobs() -> Iterable[Job]:
    """Return the jobs."""
    return [jobs.remind, jobs.forget_returned]


@hookimpl
def register_events() -> Iterable[Event]:
    """Return the events."""
    return events.ALL


@hookimpl
def register_subscriptions(events: Subscriptions) -> None:
    """Close offers of products that are made inactive."""
    events.on("product.updated", close_offer)


@hookimpl
def register_channels() -> Iterable[Channel]:
    """Return the real-time channel of one loan."""
    names = tuple(event.name for event in events.ALL)
    return [Channel("lending.{id}", names, "lending.read", "What happens to one loan")]


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """Return the commands."""
    return [commands.lending]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """Return the page of late loans."""
    return [
        ConsolePage(
            "lending", "Lending", "lending.read", console.late_loans,
            "What is lent out, and who is late.", parameters=console.PARAMETERS,
        )
    ]  # fmt: skip


@hookimpl(tryfirst=True)
def quote_price(product: PriceFacts) -> Money | None:
    """Ask less for what is worn."""
    return pricing.worn_price(product)

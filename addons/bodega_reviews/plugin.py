"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

import click

from bodega_reviews import (
    commands,
    console,
    events,
    hearing,
    notices,
    resources,
    sample_data,
)
from bodega_reviews.models import MODELS, Rating
from bodega_reviews.schemas import RatingSchema
from bodega_sdk import (
    ConsolePage,
    Event,
    Extension,
    Filter,
    Model,
    Parameter,
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
def register_extensions() -> Iterable[Extension]:
    """The rating of a product."""

    def rated(least: Decimal) -> Any:
        found = Rating.rating >= least
        # A product without a rating has none of these rows.
        return found | Rating.id.is_null() if least <= 0 else found

    parameter = Parameter(
        "rating_min", Decimal, "At least so many stars on average.", minimum=0, maximum=5
    )
    return [
        Extension(
            Rating, RatingSchema, filters=("rating", "count"), orderings=("rating", "count"),
            short={"rating_min": Filter(parameter, rated)},
        )
    ]  # fmt: skip


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.collection("/reviews", resources.Reviews)
    routes.collection("/reviews/mine", resources.Mine)
    routes.collection("/reviews/reports", resources.Reports)


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return events.ALL


@hookimpl
def register_subscriptions(events: Subscriptions) -> None:
    """Accounts that go, and products that do."""
    events.on("account.deleted", hearing.forget_authors)
    for name in hearing.PRODUCTS:
        events.on_batch(name, hearing.follow_products)


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [commands.reviews]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """The console's page."""
    return console.pages()


@hookimpl
def register_sample_data() -> Iterable[SampleData]:
    """Reviews to try the shop out with."""
    return sample_data.declared()


@hookimpl
def account_links(links: dict[str, str], account_id: UUID) -> dict[str, str]:
    """One's own reviews."""
    return links | {"reviews": "/api/v1/reviews/mine"}


@hookimpl(optionalhook=True)
def notification_types(
    types: tuple[Any, ...],
) -> tuple[Any, ...]:
    """What authors and moderators are told."""
    found: tuple[Any, ...] = notices.with_own(types)
    return found

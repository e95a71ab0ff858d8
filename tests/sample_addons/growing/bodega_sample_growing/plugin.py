"""The index of growing: every hook it implements, and where."""

from collections.abc import Iterable

from bodega_sample_growing import planting, resources
from bodega_sample_growing.models import Sprout

from bodega_sdk import Channel, Event, Job, Model, Routes, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """Return the table."""
    return [Sprout]


@hookimpl
def register_routes(routes: Routes) -> None:
    """Serve the sprouts."""
    routes.collection("/growing/sprouts", resources.Sprouts)


@hookimpl
def register_jobs() -> Iterable[Job]:
    """Return the job."""
    return [planting.water]


@hookimpl
def register_events() -> Iterable[Event]:
    """Return the event."""
    return [planting.sprout_planted]


@hookimpl
def register_channels() -> Iterable[Channel]:
    """Return the channel of one bed."""
    return [Channel("growing.{bed}", ("sprout.planted",), "growing.follow", "What grows in a bed")]

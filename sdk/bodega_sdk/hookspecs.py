"""Every hook of the kernel: the table of contents of the platform.

``register_*`` hooks declare; the kernel calls them once per Assembly, in dependency
order. ``on_*`` hooks act. A name ending in ``_specs`` lets an addon publish hooks of
its own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import click

from bodega_sdk._markers import hookspec, manifest_spec
from bodega_sdk.console import ConsolePage
from bodega_sdk.events import Channel, Event, Subscriptions
from bodega_sdk.extensions import Extension
from bodega_sdk.http import Routes
from bodega_sdk.identity import Credential
from bodega_sdk.includes import Include
from bodega_sdk.jobs import Job
from bodega_sdk.manifest import Manifest
from bodega_sdk.models import Model
from bodega_sdk.samples import SampleData
from bodega_sdk.services import Service


@dataclass
class FirstStart:
    """A shop starting for the first time.

    Args:
        admin_email, admin_password: the administrator the operator asked for; the
            password is None when one shall be made up.
        lines: what to tell the operator at the end.

    Example::

        >>> start = FirstStart("admin@shop.example", None)
        >>> start.lines.append("Ten awards were made up.")
    """

    admin_email: str
    admin_password: str | None
    lines: list[str] = field(default_factory=list)


@manifest_spec
def addon_manifest() -> Manifest:
    """Return the addon's manifest; the only hook of its manifest module.

    Example::

        >>> @manifest_hook
        ... def addon_manifest() -> Manifest:
        ...     return Manifest("loyalty", "1.0.0", "bodega_loyalty", "Points on every paid order")
    """
    raise AssertionError("a specification is not called")


@hookspec
def register_models() -> Iterable[type[Model]]:
    """Return the addon's tables. Their names begin with the addon's name and ``_``.

    Example::

        >>> @hookimpl
        ... def register_models() -> list[type[Model]]:
        ...     return [Award]
    """
    raise AssertionError("a specification is not called")


@hookspec
def register_extensions() -> Iterable[Extension]:
    """Return what the addon adds to other addons' resources, one for each; their tables too.

    Example::

        >>> @hookimpl
        ... def register_extensions() -> list[Extension]:
        ...     return [Extension(ProductPoints, ProductPointsSchema, filters=("points",))]
    """
    raise AssertionError("a specification is not called")


@hookspec
def register_includes() -> Iterable[Include]:
    """Return what rows show when ``?include=`` asks for it; of own rows, or of those it depends on.

    Example::

        >>> @hookimpl
        ... def register_includes() -> list[Include]:
        ...     def fetch(ids: Sequence[UUID], request: Request) -> dict[UUID, list[Any]]:
        ...         return {key: [{"points": 3}] for key in ids}
        ...     return [Include("products.product", "awards", AwardSchema, fetch, "Its awards.")]
    """
    raise AssertionError("a specification is not called")


@hookspec
def register_routes(routes: Routes) -> None:
    """Declare the addon's routes, below its own roots.

    Args:
        routes: what they are added to.

    Example::

        >>> @hookimpl
        ... def register_routes(routes: Routes) -> None:
        ...     routes.collection("/loyalty/awards", Awards)
    """


@hookspec
def register_jobs() -> Iterable[Job]:
    """Return the addon's jobs and schedules. Their names begin with the addon's name and ``.``.

    Example::

        >>> @hookimpl
        ... def register_jobs() -> list[Job]:
        ...     return [Job("loyalty.add_up", add_up, every=timedelta(hours=1))]
    """
    raise AssertionError("a specification is not called")


@hookspec
def register_services() -> Iterable[Service]:
    """Return what every worker process runs all the time. Names begin with the addon's and ``.``.

    Example::

        >>> @hookimpl
        ... def register_services() -> list[Service]:
        ...     def send(service: ServiceRun) -> None:
        ...         while not service.wait(1.0):
        ...             ...
        ...     return [Service("loyalty.sender", send)]
    """
    raise AssertionError("a specification is not called")


@hookspec
def register_events() -> Iterable[Event]:
    """Return the events that the addon publishes.

    Example::

        >>> @hookimpl
        ... def register_events() -> list[Event]:
        ...     return [awarded]
    """
    raise AssertionError("a specification is not called")


@hookspec
def register_subscriptions(events: Subscriptions) -> None:
    """Say which events of other addons this one reacts to, one by one or in batches.

    Args:
        events: what they are added to.

    Example::

        >>> @hookimpl
        ... def register_subscriptions(events: Subscriptions) -> None:
        ...     events.on("order.paid", lambda event: None)
        ...     events.on_batch("order.*", lambda batch: None, size=100)
    """


@hookspec
def register_channels() -> Iterable[Channel]:
    """Return the real-time channels that the addon offers.

    Example::

        >>> @hookimpl
        ... def register_channels() -> list[Channel]:
        ...     return [Channel("loyalty.{id}", ("loyalty.awarded",), "loyalty.read", "Points")]
    """
    raise AssertionError("a specification is not called")


@hookspec
def register_commands() -> Iterable[click.Command]:
    """Return commands to stand beside ``bodega up``. They run with the shop bound.

    Example::

        >>> @hookimpl
        ... def register_commands() -> list[click.Command]:
        ...     return [click.Command("add-up", callback=add_up, help="Add up everybody's points.")]
    """
    raise AssertionError("a specification is not called")


@hookspec
def register_console_pages() -> Iterable[ConsolePage]:
    """Return pages of the console. Their paths begin with the addon's name or a route root.

    Example::

        >>> @hookimpl
        ... def register_console_pages() -> list[ConsolePage]:
        ...     def show(request: Request) -> list[Block]:
        ...         return [Facts([("Points", 3)])]
        ...     return [ConsolePage("loyalty", "Points", "loyalty.read", show)]
    """
    raise AssertionError("a specification is not called")


@hookspec
def register_credentials() -> Iterable[Credential]:
    """Return the kinds of credential, such as API keys, that the addon knows the holders of.

    Example::

        >>> @hookimpl
        ... def register_credentials() -> list[Credential]:
        ...     return [Credential("loyaltycard_", lambda sent: None)]
    """
    raise AssertionError("a specification is not called")


@hookspec
def register_secret_sources() -> Iterable[Callable[[str], str | None]]:
    """Return functions that give secret settings from elsewhere, such as a vault.

    Each is called with a setting's name, ``"payments.api_key"``, and returns its value as
    text, or None for the next source, and at last what an operator stored. What it raises
    makes the setting unavailable (503), which is better than a wrong key. Values are kept for
    60 seconds in each process. While a source is asked, the settings that it reads itself come
    from no source. It is asked in the middle of requests: it should answer within a second.

    Example::

        >>> @hookimpl
        ... def register_secret_sources() -> list[Callable[[str], str | None]]:
        ...     return [{"payments.api_key": "from the vault"}.get]
    """
    raise AssertionError("a specification is not called")


@hookspec
def register_sample_data() -> Iterable[SampleData]:
    """Return what makes up rows for trying the shop out, and takes them away again.

    ``bodega sample-data`` calls it, each in a transaction of its own: to make in the order in
    which addons depend on each other, to remove in the reverse. A second run must change
    nothing, so give the rows ids of :func:`bodega_sdk.samples.sample_id`.

    Example::

        >>> @hookimpl
        ... def register_sample_data() -> list[SampleData]:
        ...     def make(run: SampleRun) -> None:
        ...         for number in range(run.count):
        ...             Award.create(id=sample_id("loyalty.award", number), points=number)
        ...     return [SampleData(make, lambda run: None)]
    """
    raise AssertionError("a specification is not called")


@hookspec
def on_first_start(start: FirstStart) -> None:
    """Make what a new shop needs; called once, in the transaction of the first start.

    Args:
        start: what the operator asked for, and is told.

    Example::

        >>> @hookimpl
        ... def on_first_start(start: FirstStart) -> None:
        ...     Award.create(points=1)
        ...     start.lines.append("The first award was given.")
    """


def hook_names() -> tuple[str, ...]:
    """Return the names of the kernel's hooks, in the order they are declared."""
    marked: list[Any] = [item for item in globals().values() if hasattr(item, "bodega_spec")]
    return tuple(item.__name__ for item in marked)

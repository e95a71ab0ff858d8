"""Sample data of the whole shop: what the enabled addons make up, one after the other."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from bodega.errors import OperatorError
from bodega.shop import Shop
from bodega_sdk.models import transaction
from bodega_sdk.samples import SampleData, SampleRun


class NotATrialShop(OperatorError):
    """There are rows that are no samples: the shop is somebody's."""


@dataclass(frozen=True)
class Told:
    """What became of an addon's samples.

    Args:
        changed: noun → rows made or taken away.
        kept: noun → rows that were there already.
    """

    addon: str
    changed: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)


#: Told of an addon's progress: its name, how many are done, how many there are.
Progress = Callable[[str, int, int], None]


def declared(shop: Shop) -> list[tuple[str, SampleData]]:
    """Return the addons that make something up, in dependency order."""
    addons = shop.assembly.addons
    return [(addon.name, item) for addon in addons for item in addon.sample_data]


def refuse_somebodys(found: Iterable[tuple[str, SampleData]]) -> None:
    """Let nothing be made up where there is real data.

    Raises:
        NotATrialShop: naming the addons that have it, and how much.
    """
    counted = ((name, item.others()) for name, item in found)
    real = [f"{name}: {count:,}" for name, count in counted if count]
    if real:
        raise NotATrialShop(
            f"this shop has rows that are no samples ({'; '.join(real)}); add the samples to "
            "them with --beside-real-data, or use another shop with --home"
        )


def make(shop: Shop, count: int, seed: int, progress: Progress) -> Iterator[Told]:
    """Make samples up, addon by addon; each has a transaction of its own."""
    for name, item in declared(shop):
        yield _run(name, item.make, count, seed, progress)


def remove(shop: Shop, progress: Progress) -> Iterator[Told]:
    """Take samples away again: of those that depend on others first."""
    for name, item in reversed(declared(shop)):
        yield _run(name, item.remove, 0, 0, progress)


def _run(
    name: str, work: Callable[[SampleRun], None], count: int, seed: int, progress: Progress
) -> Told:
    run = SampleRun(count, seed, lambda done, total: progress(name, done, total))
    with transaction():
        work(run)
    return Told(name, dict(+run.changed), dict(+run.kept))

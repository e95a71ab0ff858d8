"""Which processes follow: serve a generation, and run the code that the shop was upgraded to."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from bodega.addons.plans import Step
from bodega.processes import Process

if TYPE_CHECKING:
    from bodega.shop import Shop


def ready(living: Iterable[Process], step: Step, fingerprint: str) -> bool:
    """Whether a step can be taken now: contracting waits while a process runs other code."""
    if step.verb != "contract":
        return True
    return all(item.code.get(step.addon, fingerprint) == fingerprint for item in living)


def wait_for(
    shop: "Shop",
    generation: int,
    timeout: float,
    sleep: Callable[[float], None] = time.sleep,
    *,
    code: Mapping[str, str] | None = None,
) -> list[Process]:
    """Wait until every living process serves a generation; return the laggards.

    Args:
        timeout: seconds.
        code: fingerprint of the code that they should run, by addon.
    """
    deadline = time.monotonic() + timeout
    while True:
        lagging = _laggards(shop, generation, code or {})
        if not lagging or time.monotonic() > deadline:
            return lagging
        sleep(0.05)


def _laggards(shop: "Shop", generation: int, wanted: Mapping[str, str]) -> list[Process]:
    return [
        process
        for process in shop.register.living()
        if process.generation < generation
        or any(process.code.get(name) != code for name, code in wanted.items())
    ]

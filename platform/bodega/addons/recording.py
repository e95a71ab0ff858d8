"""What the audit log is told of the lifecycle of addons."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from bodega import capabilities
from bodega.addons.plans import Plan, Step

if TYPE_CHECKING:
    from bodega.shop import Shop

_DONE = {
    "install": "installed",
    "enable": "enabled",
    "disable": "disabled",
    "upgrade": "upgraded",
    "contract": "contracted",
    "uninstall": "uninstalled",
    "purge": "purged",
}


def taken(shop: "Shop", made: Plan, steps: Iterable[Step]) -> None:
    """Write down the steps of a plan that were taken, and what was approved by them."""
    for step in steps:
        target = f"addon:{step.addon}"
        shop.audit(f"addon.{_DONE[step.verb]}", target, version=step.version, plan=made.id)
        uses = made.uses if step.verb == "install" else made.asks
        if step.verb in capabilities.APPROVING and step.addon in uses:
            words = capabilities.in_words(uses[step.addon])
            shop.audit("addon.capabilities_approved", target, uses=words, plan=made.id)


def removed(shop: "Shop", made: Plan, step: Step, path: Path | None) -> None:
    """Write down that an addon was removed, and where its rows are."""
    more = {} if path is None else {"archive": path.name}
    shop.audit(f"addon.{_DONE[step.verb]}", f"addon:{step.addon}", plan=made.id, **more)

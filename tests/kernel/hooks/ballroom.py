"""A shop with the sample addon ballroom, whose hooks tests implement."""

from collections.abc import Callable
from typing import Any

from falcon import testing
from prometheus_client import REGISTRY

from bodega.addons import lifecycle
from bodega.http.gate import Gate
from bodega.shop import Shop

NEEDS = 'depends=("ballroom",)'
#: kind → a hook of ballroom, its arguments, and what a sound implementation returns.
HOOKS: dict[str, tuple[str, str, str]] = {
    "provide": ("choose_seat", "guest, taken", "7"),
    "filter": ("announce", "text, guest", "text + '?'"),
    "veto": ("refuse_guest", "guest", "None"),
    "observe": ("guest_arrived", "guest, notes", "None"),
}
CLOSED = ("provide", "filter", "veto")


class Ballroom:
    """A shop with the sample addon ballroom; tests add guests that implement its hooks."""

    def __init__(self, shop: Shop, site: Any, rebind: Callable[[], None]) -> None:
        self.shop, self.site, self._rebind = shop, site, rebind
        site.install("ballroom")

    def enable(self, *names: str) -> None:
        """Enable addons and bind the test to the Assembly that has them."""
        for name in names:
            lifecycle.enable(self.shop, name)
        self._rebind()

    def implement(self, name: str, kind: str, body: str, marks: str = "") -> None:
        """Write an addon that implements a hook, and enable it."""
        self.site.write(name, implementation(kind, body, marks), fields=NEEDS)
        self.enable(name)

    def call(self, kind: str) -> Any:
        """Call the hook of a kind."""
        arguments = {"provide": ("Ada", [1]), "filter": ("Ada", "Ada"), "veto": ("Ada",),
                     "observe": ("Ada", {})}  # fmt: skip
        return self.hook(kind)(*arguments[kind])

    def hook(self, kind: str) -> Any:
        """The hook of a kind."""
        return getattr(self.site.module("ballroom", "hookspecs"), HOOKS[kind][0])

    def guests(self) -> list[str]:
        """The names in ballroom's table."""
        model = self.site.module("ballroom", "models").Guest
        return [row.name for row in model.select().order_by(model.created_at, model.id)]

    def come_in(self) -> testing.Result:
        """Come in, through the API."""
        return testing.simulate_post(Gate(self.shop), "/api/v1/ballroom/guests")


def implementation(kind: str, body: str, marks: str = "") -> str:
    """Return a plugin that implements the hook of a kind."""
    name, arguments, _ = HOOKS[kind]
    return f"""
from bodega_sdk import hookimpl
from bodega_sample_ballroom.models import Guest


@hookimpl({marks})
def {name}({arguments}):
    {body}
"""


def outcome(kind: str, addon: str, outcome: str) -> float:
    """How often an implementation's calls ended so, in this process."""
    labels = {"hook": f"ballroom.{HOOKS[kind][0]}", "addon": addon, "outcome": outcome}
    return REGISTRY.get_sample_value("bodega_hook_calls_total", labels) or 0.0

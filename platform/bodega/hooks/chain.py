"""Chains: which implementations of a hook are called, in which order; part of an Assembly."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bodega.addons.faults import Fault
from bodega.addons.graph import closure
from bodega.hooks.implementations import Implementation
from bodega.hooks.returns import stated
from bodega_sdk import hookspecs
from bodega_sdk.hooks import Hook
from bodega_sdk.manifest import Manifest

if TYPE_CHECKING:
    from bodega.addons.loading import LoadedAddon


@dataclass(frozen=True)
class Chain:
    """A hook and who implements it.

    Args:
        publisher: the addon that publishes it.
        wrappers: the outermost first.
        implementations: in the order in which they are called.
        types: of which a result must be one.
    """

    hook: Hook[..., Any]
    publisher: str
    wrappers: tuple[Implementation, ...] = ()
    implementations: tuple[Implementation, ...] = ()
    types: tuple[type, ...] = ()

    @property
    def name(self) -> str:
        """The name to say to people, e.g. ``products.quote_price``."""
        return f"{self.publisher}.{self.hook.name}"

    @property
    def called(self) -> tuple[Implementation, ...]:
        """All that is called, in the order in which it is entered."""
        return self.wrappers + self.implementations


def chains(addons: Iterable["LoadedAddon"]) -> dict[str, Chain]:
    """Return the chain of every hook, by the hook's name.

    Args:
        addons: in dependency order.
    """
    addons = tuple(addons)
    found = [item for addon in addons for item in addon.implementations]
    return {
        hook.name: _chain(hook, addon.name, [item for item in found if item.hook == hook.name])
        for addon in addons
        for hook in addon.hooks
    }


def _chain(hook: Hook[..., Any], publisher: str, found: list[Implementation]) -> Chain:
    # Sorting is stable: within a group the dependency order stays.
    plain = sorted((item for item in found if not item.wrapper), key=_rank)
    # Who comes later in that order surrounds who came before; tryfirst is entered first.
    wrappers = sorted([item for item in found[::-1] if item.wrapper], key=_rank)
    return Chain(hook, publisher, tuple(wrappers), tuple(plain), stated(hook))


def _rank(item: Implementation) -> int:
    return int(item.trylast) - int(item.tryfirst)


def misfit(addons: Iterable["LoadedAddon"]) -> Fault | None:
    """Return the fault of an addon that implements a hook which nobody publishes, or badly."""
    addons = tuple(addons)
    published = {hook.name: hook for addon in addons for hook in addon.hooks}
    publishers = {hook.name: addon.name for addon in addons for hook in addon.hooks}
    manifests = {addon.name: addon.manifest for addon in addons}
    for addon in addons:
        near = closure([addon.name], manifests) | set(addon.manifest.uses.get("addons", ()))
        for item in addon.implementations:
            found = published.get(item.hook)
            if found is None and not item.optional:
                return _unknown(item, published)
            if found is not None and publishers[item.hook] not in near:
                return _stranger(item, publishers[item.hook], addon.manifest)
            reason = item.misfit(found) if found else None
            if reason:
                return Fault(
                    addon.name,
                    addon.name,
                    f"its implementation of {item.hook!r} does not fit: {reason} ({item.place})",
                    f"Mend {addon.manifest.package}, or disable {addon.name}",
                )
    return None


def _stranger(item: Implementation, publisher: str, manifest: Manifest) -> Fault:
    uses = (*manifest.uses.get("addons", ()), publisher)
    return Fault(
        item.addon,
        item.addon,
        f"it implements {item.hook!r}, a hook of {publisher}, which its manifest does not name "
        f"({item.place})",
        f"Write {publisher!r} among depends there, or uses={{'addons': {uses!r}}} if it can do "
        "without",
    )


def _unknown(item: Implementation, published: Mapping[str, Any]) -> Fault:
    known = [*hookspecs.hook_names(), *published]
    close = difflib.get_close_matches(item.hook, known, 1)
    meant = f"; perhaps {close[0]!r} is meant" if close else ""
    return Fault(
        item.addon,
        item.addon,
        f"unknown hook {item.hook!r} ({item.place}): no enabled addon publishes it{meant}",
        "Enable the addon that publishes it, mend the name, or mark it "
        "@hookimpl(optionalhook=True)",
    )


def implemented(chains: Mapping[str, Chain]) -> Iterator[str]:
    """Yield who implements what, e.g. ``quote_price by loyalty``, as plans show it."""
    for name, chain in chains.items():
        for item in chain.called:
            yield f"{name} by {item.addon}"

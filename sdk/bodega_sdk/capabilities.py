"""Capabilities: what a manifest says its addon ``uses``, and who is held to it.

The SDK's handles ask the shop which addon is at work and hold what it reaches for
against what its manifest names and an operator approved. It is a fence against
mistakes and surprises, no sandbox: an addon is Python in the shop's own process.
"""

import importlib
import ipaddress
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from bodega_sdk.errors import CapabilityError
from bodega_sdk.runtime import runtime

#: Kind of capability → names, as a manifest's ``uses`` has them.
Uses = Mapping[str, tuple[str, ...]]

#: The kinds there are, with what one of each is called.
KINDS = {"events": "event", "hosts": "host", "secrets": "secret", "jobs": "job", "addons": "addon"}

_NOUN = r"[a-z][a-z0-9_]*"
_LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_SHAPES = {
    "events": (rf"\*|{_NOUN}(\.{_NOUN})*\.(\*|{_NOUN})", "'order.paid', 'order.*' or '*'"),
    "hosts": (rf"\*|(\*\.)?{_LABEL}(\.{_LABEL})*", "'points.example', '*.example.com' or '*'"),
    "secrets": (rf"{_NOUN}\.{_NOUN}", "'addon.setting'"),
    "jobs": (rf"{_NOUN}(\.\w+)+", "'addon.job'"),
    "addons": (_NOUN, "an addon's name"),
}


def faults(uses: Any) -> Iterator[str]:
    """Yield what is wrong with a manifest's ``uses``, in words."""
    if not isinstance(uses, Mapping):
        yield f"uses must be a dict such as {{'events': ('order.paid',)}}, found {uses!r}"
        return
    for kind, names in uses.items():
        if kind not in KINDS:
            yield f"uses {kind!r} is unknown, expected one of {', '.join(KINDS)}"
        elif not isinstance(names, tuple):
            yield f"uses {kind!r} must be a tuple, such as ('x',) with its comma, found {names!r}"
        else:
            yield from (_fault(kind, name) for name in names if not _is_sound(kind, name))


def _fault(kind: str, name: Any) -> str:
    return f"uses {kind!r}: expected {_SHAPES[kind][1]}, found {name!r}"


def _is_sound(kind: str, name: Any) -> bool:
    if not isinstance(name, str):
        return False
    return bool(re.fullmatch(_SHAPES[kind][0], name)) or (kind == "hosts" and _is_address(name))


def _is_address(text: str) -> bool:
    try:
        return str(ipaddress.ip_address(text)) == text
    except ValueError:
        return False


def covers(kind: str, given: Iterable[str], wanted: str) -> bool:
    """Whether names that are given include one that is wanted."""
    return any(_includes(kind, pattern, wanted) for pattern in given)


def _includes(kind: str, pattern: str, wanted: str) -> bool:
    return pattern == wanted or (kind == "hosts" and pattern == "*") or _widens(
        kind, pattern, wanted
    )  # fmt: skip


def _widens(kind: str, pattern: str, wanted: str) -> bool:
    """Whether a pattern includes a name, or another pattern."""
    if kind == "events":
        return pattern.endswith("*") and wanted.startswith(pattern[:-1])
    return kind == "hosts" and pattern.startswith("*.") and wanted.endswith(pattern[1:])


def beyond(asked: Uses, approved: Uses | None) -> dict[str, tuple[str, ...]]:
    """Return what is asked for of which nothing that was approved includes it.

    The host ``*`` includes no other one here: what is named may be at a private address.
    """
    if approved is None:
        return {}
    found = {
        kind: tuple(name for name in names if not _approved(kind, approved.get(kind, ()), name))
        for kind, names in asked.items()
    }
    return {kind: names for kind, names in found.items() if names}


def _approved(kind: str, approved: Iterable[str], name: str) -> bool:
    return any(item == name or _widens(kind, item, name) for item in approved)


@dataclass(frozen=True, slots=True)
class Grant:
    """What an addon may use: of what its manifest names, that which was approved.

    Args:
        addon: its name.
        asked: its manifest's ``uses``.
        approved: by an operator; None when all of it is.
        depends: names of the addons that it depends on.
    """

    addon: str
    asked: Uses = field(default_factory=dict)
    approved: Uses | None = None
    depends: frozenset[str] = frozenset()

    def granted(self, kind: str) -> tuple[str, ...]:
        """Return the names and patterns that are both asked for and approved."""
        asked = self.asked.get(kind, ())
        if self.approved is None:
            return asked
        given = self.approved.get(kind, ())
        both = [name for name in asked if _approved(kind, given, name)]
        both += [name for name in given if _approved(kind, asked, name)]
        return tuple(dict.fromkeys(both))

    def allows(self, kind: str, name: str) -> bool:
        """Whether it may use this; what is its own it always may."""
        return self._is_own(kind, name) or covers(kind, self.granted(kind), name)

    def require(self, kind: str, name: str) -> None:
        """Let through what it may use.

        Raises:
            CapabilityError: naming the line to add, or the command that approves it.
        """
        if not self.allows(kind, name):
            raise CapabilityError(self.addon, kind, name, self.objection(kind, name))

    def objection(self, kind: str, name: str) -> str:
        """Return why it may not use something, and the remedy."""
        asked = self.asked.get(kind, ())
        if covers(kind, asked, name):
            return (
                f"no operator has approved the {KINDS[kind]} {name!r} that its manifest asks "
                f"for; run 'bodega addons upgrade {self.addon} --approve'"
            )
        line = f"uses={{{kind!r}: {(*asked, name)!r}}}"
        return f"its manifest does not name the {KINDS[kind]} {name!r}; write {line} there"

    def _is_own(self, kind: str, name: str) -> bool:
        if kind == "addons":
            return name == self.addon or name in self.depends
        return kind in ("secrets", "jobs") and name.startswith(f"{self.addon}.")


class Callers:
    """Finds out which addon is at work: the innermost one whose code is on the call stack.

    Args:
        packages: import name of an addon's package → what it may use.
    """

    def __init__(self, packages: Mapping[str, Grant]) -> None:
        self._packages = packages
        # A module's name → its addon; there are never more than modules.
        self._known: dict[str, Grant | None] = {}

    def at_work(self) -> Grant | None:
        """Return what the addon at work may use; None when it is the house itself."""
        frame = sys._getframe(1)
        while frame is not None:
            found = self._of_module(frame.f_globals.get("__name__", ""))
            if found is not None:
                return found
            frame = frame.f_back  # type: ignore[assignment]
        return None

    def _of_module(self, name: str) -> Grant | None:
        try:
            return self._known[name]
        except KeyError:
            return self._known.setdefault(name, self._looked_up(name))

    def _looked_up(self, name: str) -> Grant | None:
        while name and name not in self._packages:
            name = name.rpartition(".")[0]
        return self._packages.get(name)


def addon_api(name: str) -> ModuleType | None:
    """Return the module ``api`` of an addon, or None while that addon is not enabled.

    It lets an addon make use of another that need not be there. One that it depends on
    it imports instead.

    Args:
        name: the addon's.

    Raises:
        CapabilityError: the manifest of the calling addon names it neither in
            ``depends`` nor in ``uses["addons"]``.

    Example::

        >>> addon_api("loyalty") is None
        True
        >>> addon_api("products").__name__
        'bodega_products.api'
    """
    grant = runtime().grant()
    if grant is not None:
        grant.require("addons", name)
    package = runtime().package_of(name)
    return None if package is None else importlib.import_module(f"{package}.api")

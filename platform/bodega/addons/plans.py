"""Plans: what a verb would do, computed without doing it, with a hash to hold it to."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from bodega.addons.claims import Claim
from bodega.assembly import Assembly
from bodega.errors import OperatorError
from bodega.hooks.chain import implemented
from bodega_sdk.encoding import to_json

#: Verbs of steps that run migrations.
MIGRATING = ("install", "upgrade", "contract")
VERBS = ("install", "enable", "disable", "upgrade", "uninstall", "purge")


@dataclass(frozen=True, slots=True)
class Step:
    """One verb on one addon.

    Args:
        verb: one of :data:`VERBS`, or ``contract``: what of an upgrade takes away what older
            code needs, done when every process runs the new one.
        addon: its name.
        version: of the package that is there; empty when it is gone.
        statements: what will be executed on the addon's own tables, in order.
    """

    verb: str
    addon: str
    version: str = ""
    statements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is in a table.

    Args:
        rows: exactly.
        bytes: on disk with its indexes; None where the engine does not tell.
    """

    rows: int
    bytes: int | None


@dataclass(frozen=True)
class Plan:
    """What a verb would do.

    Args:
        verb, addon, cascade: what was asked for.
        generation: of the state it was computed from.
        steps: in the order in which they will be done.
        added, removed: names that the Assembly would gain and lose, by kind: routes,
            operations and schemas of the documentation, permissions, settings, events, …
        dependents: other addons that the steps touch.
        lost: what the dropped tables hold.
        uses: capabilities that doing it approves, by addon and kind.
        asks: those of them that are new to an addon that was approved before.
    """

    verb: str
    addon: str
    cascade: bool
    generation: int
    steps: tuple[Step, ...]
    added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    removed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dependents: tuple[str, ...] = ()
    lost: Mapping[str, Extent] = field(default_factory=dict)
    uses: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    asks: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The plan's name: what was asked for and a hash of all that it says."""
        digest = hashlib.blake2b(to_json(self._content()), digest_size=8).hexdigest()
        options = "+cascade" if self.cascade else ""
        return f"{self.verb}{options}:{self.addon}:{digest}"

    def as_json(self) -> dict[str, Any]:
        """Return the plan as the API and ``--json`` show it."""
        return {"id": self.id} | self._content()

    def _content(self) -> dict[str, Any]:
        return asdict(self)


def read_id(plan_id: str) -> tuple[str, str, bool]:
    """Return the verb, the addon and whether it cascades, of a plan's id.

    Raises:
        OperatorError: it is no plan's id.
    """
    parts = plan_id.split(":")
    verb, _, option = parts[0].partition("+")
    if len(parts) != 3 or verb not in VERBS or option not in ("", "cascade"):
        raise OperatorError(
            f"{plan_id!r} is no plan; take the id that '--plan' prints, e.g. 'enable:notes:0f3c…'"
        )
    return verb, parts[1], option == "cascade"


def difference(
    before: Assembly, after: Assembly, known: Mapping[str, Iterable[Claim]] = {}
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Return what an Assembly has that another has not, both ways, by kind.

    Args:
        known: what addons own whose newer code is on the disk already: processes serve
            the older one, which cannot be loaded here any more.
    """
    old, new = _claims(before), _claims(after)
    for name, owned in known.items():
        old |= {*owned, *(claim for claim in new if claim.name.endswith(f" by {name}"))}
    return _by_kind(new - old), _by_kind(old - new)


def _claims(assembly: Assembly) -> set[Claim]:
    links = {Claim("hook implementation", name) for name in implemented(assembly.chains)}
    links |= {
        Claim("extension", f"{resource} by {item.addon}")
        for resource, items in assembly.extensions.items()
        for item in items
    }
    return links | {claim for addon in assembly.addons for claim in addon.claims}


def _by_kind(found: Iterable[Claim]) -> dict[str, tuple[str, ...]]:
    kinds: dict[str, list[str]] = {}
    for claim in sorted(found):
        kinds.setdefault(claim.kind, []).append(claim.name)
    return {kind: tuple(names) for kind, names in kinds.items()}


def of_definition(statements: Iterable[str]) -> list[str]:
    """Return the statements that define tables and indexes.

    Those that move data depend on the rows there are; a rehearsal has none, so only
    definitions are held against the plan.
    """
    return [item for item in statements if item.split()[0].upper() in ("CREATE", "ALTER", "DROP")]

"""Explaining hooks: what there is, who implements it, and in which order."""

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bodega.assembly import Assembly
from bodega.hooks.chain import Chain
from bodega.hooks.implementations import Implementation

FAILURE = {
    "provide": "closed: the operation answers 503 naming the addon",
    "filter": "closed: the operation answers 503 naming the addon",
    "veto": "closed: the operation answers 503 naming the addon; it never passes",
    "observe": "open: it is logged, and the next implementation is called",
}


@dataclass(frozen=True, slots=True)
class Link:
    """One implementation in a chain.

    Args:
        at: ``file:line``.
        marks: out of ``wrapper tryfirst trylast``.
        quarantined: why it is not called; None when it is.
    """

    addon: str
    at: str
    marks: tuple[str, ...]
    quarantined: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A hook as the operator sees it.

    Args:
        name: with its publisher, e.g. ``products.quote_price``.
        budget: seconds.
        failure: what a failing implementation means.
        chain: in the order in which they are entered, wrappers first.
    """

    name: str
    kind: str
    budget: float
    publisher: str
    signature: str
    failure: str
    doc: str
    at: str
    chain: tuple[Link, ...]

    @property
    def short(self) -> str:
        """The name without its publisher: no other hook of the shop has it."""
        return self.name.rpartition(".")[2]

    def as_json(self) -> dict[str, Any]:
        """Return it as the API and ``--json`` show it."""
        return asdict(self)


def explain_all(
    assembly: Assembly, quarantined: Mapping[tuple[str, str], str]
) -> list[Explanation]:
    """Explain every hook that the enabled addons publish, by name.

    Args:
        quarantined: addon and hook → why, as the database knows it.
    """
    found = [_explain(chain, quarantined) for chain in assembly.chains.values()]
    return sorted(found, key=lambda item: item.name)


def _explain(chain: Chain, quarantined: Mapping[tuple[str, str], str]) -> Explanation:
    hook = chain.hook
    return Explanation(
        chain.name,
        hook.kind,
        hook.budget,
        chain.publisher,
        f"{hook.name}{inspect.signature(hook.function)}",
        FAILURE[hook.kind],
        hook.doc,
        f"{hook.file}:{hook.line}",
        tuple(_link(item, quarantined.get((item.addon, chain.name))) for item in chain.called),
    )


def _link(item: Implementation, quarantined: str | None) -> Link:
    return Link(item.addon, item.place, item.marks, quarantined)

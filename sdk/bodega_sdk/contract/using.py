"""Which symbols of the SDK a package uses, and what follows from it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from bodega_sdk.contract.symbols import FOLDER, Snapshot, snapshots
from bodega_sdk.contract.usage import Reader, Use


class Needs(NamedTuple):
    """Which versions of the SDK a package runs on.

    Args:
        least: the first one with all that it uses.
        removed_in: the first one that lacks something of it; None while none is known.
        uses: each use of the contract.
        outside: each import of the SDK that no contract promises.
    """

    least: str
    removed_in: str | None
    uses: list[Use]
    outside: list[Use]

    @property
    def range(self) -> str:
        """The range for its manifest, e.g. ``">=1.0,<2"``."""
        return f">={self.least},<{self.removed_in or Version(self.least).major + 1}"


def needed(package: Path, folder: Path = FOLDER) -> Needs:
    """Return which versions of the SDK a package runs on, going by what it uses.

    Args:
        package: its folder; every Python file below is read, none is imported.
        folder: of the snapshots.

    Raises:
        SyntaxError: a file cannot be parsed.
    """
    known = snapshots(folder)
    uses, outside = [], []
    for path in sorted(package.rglob("*.py")):
        reader = Reader(known, str(path.relative_to(package.parent)))
        reader.visit(ast.parse(path.read_bytes(), str(path)))
        uses += reader.uses
        outside += reader.outside
    return Needs(_least(known, uses), _removed_in(known, uses), uses, outside)


def objections(needs: Needs, allowed: str, folder: Path = FOLDER) -> Iterator[tuple[str, Use]]:
    """Yield why a package does not run on all versions that its manifest allows, and where.

    Args:
        needs: of the package.
        allowed: the manifest's ``sdk``, e.g. ``">=1.0,<2"``.
        folder: of the snapshots.
    """
    known, may = snapshots(folder), SpecifierSet(allowed)
    first = {item.symbol: item for item in reversed(needs.uses)}
    for symbol, use in sorted(first.items(), key=lambda pair: pair[1][1:]):
        came, goes = Version(since(known, symbol)), gone(known, symbol)
        before = [item.version for item in known if Version(item.version) < came]
        lacking = [*before, *([goes] if goes else [])]
        if admitted := next((item for item in lacking if may.contains(item)), None):
            yield f"uses {symbol}, which SDK {admitted} has not, and sdk={allowed!r} admits", use
    for use in needs.outside:
        yield f"imports {use.symbol}, which no version of the SDK promises", use


def since(known: list[Snapshot], symbol: str) -> str:
    """Return the first version that has a symbol."""
    return next(item.symbols[symbol].since for item in known if symbol in item.symbols)


def gone(known: list[Snapshot], symbol: str) -> str | None:
    """Return the first version without a symbol, or that is said to be; None while unknown."""
    having = [item for item in known if symbol in item.symbols]
    if having[-1] is not known[-1]:
        return known[known.index(having[-1]) + 1].version
    return having[-1].symbols[symbol].removed or None


def _least(known: list[Snapshot], uses: list[Use]) -> str:
    found = {since(known, item.symbol) for item in uses}
    return max(found, key=Version, default=known[0].version)


def _removed_in(known: list[Snapshot], uses: list[Use]) -> str | None:
    found = {gone(known, item.symbol) for item in uses}
    return min((item for item in found if item), key=Version, default=None)

"""Snapshots: every public symbol of one SDK version, in a file for each minor version.

A symbol is a dotted name, ``bodega_sdk.Money.parse``; ``bodega_sdk.fetch(url)`` is a
parameter of the function, or of the class's constructor.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from packaging.version import Version

from bodega_sdk.manifest import SDK_VERSION

FOLDER = Path(__file__).parent
_HEAD = "# The contract of SDK {version}; made by 'python -m bodega_sdk.contract renew'.\n"


@dataclass(frozen=True, slots=True)
class Symbol:
    """What is promised of a symbol.

    Args:
        kind: class, function, hook, fixture, constant, alias, module, method, classmethod,
            staticmethod, property, attribute or parameter.
        since: the SDK version that brought it.
        type: its annotation; of what is called, what it returns.
        place: of a parameter, its position; None when it has none.
        optional: of a parameter, whether it may be left out.
        value: of a constant, as it is written.
        bases: of a class.
        of: of an alias, the other name.
        deprecated, use, removed: see :class:`bodega_sdk.deprecations.Deprecation`.
    """

    kind: str
    since: str = ""
    type: str = ""
    place: int | None = None
    optional: bool = False
    value: str = ""
    bases: tuple[str, ...] = ()
    of: str = ""
    deprecated: str = ""
    use: str = ""
    removed: str = ""

    def written(self) -> str:
        """Return it as an inline table of TOML."""
        told = {item.name: getattr(self, item.name) for item in fields(self)}
        said = {
            name: value
            for name, value in told.items()
            if value not in ("", None, (), False) or (name == "place" and value == 0)
        }
        inner = ", ".join(
            f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in said.items()
        )
        return f"{{{inner}}}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The contract of one SDK version.

    Args:
        version: ``"1.0"``.
        released: the day it was released, ISO 8601; empty while it is being developed.
        symbols: by name.
    """

    version: str
    symbols: Mapping[str, Symbol]
    released: str = ""

    def look_up(self, name: str) -> str | None:
        """Return the symbol that a name means here: its own, an alias's or a base class's."""
        owner, rest = split(name)
        for one in self._lineage(owner):
            if one + rest in self.symbols:
                found = self.symbols[one + rest]
                return found.of if found.of in self.symbols else one + rest
        return None

    def _lineage(self, owner: str) -> Iterator[str]:
        """Yield a symbol, what it is another name of, and the classes that it inherits from."""
        yield owner
        found = self.symbols.get(owner)
        for other in (found.of, *found.bases) if found else ():
            if other:
                yield from self._lineage(other)

    def written(self) -> str:
        """Return it as TOML, a line for each symbol."""
        head = _HEAD.format(version=self.version)
        head += f'version = "{self.version}"\nreleased = "{self.released}"\n\n[symbols]\n'
        lines = (f'"{name}" = {item.written()}\n' for name, item in sorted(self.symbols.items()))
        return head + "".join(lines)


def split(name: str) -> tuple[str, str]:
    """Part a member or a parameter from what owns it: ``C.m(x)`` into ``C`` and ``.m(x)``.

    What owns it is a name that begins in upper case, or else all but the parameter.
    """
    dotted, bracket, parameter = name.partition("(")
    parts = dotted.split(".")
    # A class is the last capitalised part but for constants such as bodega_sdk.PUBLIC.
    at = next((i for i, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    rest = "".join(f".{part}" for part in parts[at + 1 :])
    return ".".join(parts[: at + 1]), rest + bracket + parameter


def minor(version: str) -> str:
    """Return the minor version: ``1.0`` of ``1.0.0``."""
    found = Version(version)
    return f"{found.major}.{found.minor}"


def read(text: str) -> Snapshot:
    """Read a snapshot from TOML."""
    data: dict[str, Any] = tomllib.loads(text)
    symbols = {
        name: Symbol(**(item | {"bases": tuple(item.get("bases", ()))}))
        for name, item in data["symbols"].items()
    }
    return Snapshot(data["version"], symbols, data["released"])


def snapshots(folder: Path = FOLDER) -> list[Snapshot]:
    """Return the snapshots of all versions, oldest first."""
    found = [read(path.read_text("utf-8")) for path in folder.glob("*.toml")]
    return sorted(found, key=lambda item: Version(item.version))


def current(folder: Path = FOLDER) -> Snapshot:
    """Return the contract of this SDK.

    Raises:
        LookupError: there is none yet.
    """
    wanted = minor(SDK_VERSION)
    for item in snapshots(folder):
        if item.version == wanted:
            return item
    raise LookupError(f"SDK {wanted} has no contract; run 'python -m bodega_sdk.contract renew'")


def last_released(folder: Path = FOLDER) -> Snapshot | None:
    """Return the contract of the last version that was released; None before the first."""
    return next((item for item in reversed(snapshots(folder)) if item.released), None)

"""Editions: what a deployment assembles, written in TOML."""

import importlib.metadata
import tomllib
from dataclasses import dataclass
from pathlib import Path

from bodega.errors import ConfigurationError

GROUP = "bodega.editions"


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition.

    Args:
        name: its file's name without ``.toml``.
        addons: what a new shop begins with; dependencies must be named too.
    """

    name: str
    addons: tuple[str, ...]


def editions() -> dict[str, Path]:
    """Return the files of all editions that installed packages bring."""
    found: dict[str, Path] = {}
    for entry in importlib.metadata.entry_points(group=GROUP):
        folder = Path(entry.load().__file__).parent
        found |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return found


def read_edition(name: str) -> Edition:
    """Read an edition by its name, or by the path of a TOML file.

    Raises:
        ConfigurationError: there is none, or it cannot be read.
    """
    known = editions()
    path = Path(name) if name.endswith(".toml") else known.get(name)
    if path is None:
        raise ConfigurationError(
            f"BODEGA_EDITION: there is no edition {name!r}; "
            f"expected one of {', '.join(sorted(known))}, or the path of a .toml file"
        )
    try:
        content = tomllib.loads(path.read_text())
        addons = content["addons"]
        if not isinstance(addons, list) or not all(isinstance(item, str) for item in addons):
            raise TypeError("'addons' must be a list of names")
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ConfigurationError(f"edition {path}: {error!r}; see the storefront edition") from None
    return Edition(path.stem, tuple(addons))

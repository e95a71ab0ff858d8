"""The addon that is looked at: its entry point, manifest, folder, sources and declarations."""

import ast
import importlib
import importlib.metadata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bodega.addons import codes
from bodega.addons.discovery import GROUP, discover
from bodega_sdk.manifest import Manifest

if TYPE_CHECKING:
    from bodega.assembly import Assembly


@dataclass
class Source:
    """A Python file of the package.

    Args:
        path: the file.
        module: its name, e.g. ``bodega_loyalty.models``.
        tree: None when it cannot be parsed; then ``error`` says why.
    """

    path: Path
    module: str
    tree: ast.Module | None
    error: str = ""
    line: int = 0

    @property
    def migration(self) -> bool:
        """Whether it lies in the folder of migrations."""
        return self.path.parent.name == "migrations"

    @property
    def tests(self) -> bool:
        """Whether it is a test, which may import more, and is not imported here."""
        parts = self.module.split(".")[1:]
        return any(part in ("tests", "conftest") or part.startswith("test_") for part in parts)


@dataclass
class Subject:
    """An addon by its name; whatever is asked of it is found out when it is asked first."""

    name: str
    _loaded: Any = field(default=None, repr=False)

    @cached_property
    def entry(self) -> importlib.metadata.EntryPoint | None:
        """Its entry point."""
        return next(iter(importlib.metadata.entry_points(group=GROUP, name=self.name)), None)

    @cached_property
    def fault(self) -> str:
        """Why its manifest cannot be used; empty when it can."""
        found = self._catalogue
        if self.name in found.faults:
            return str(found.faults[self.name].reason)
        return "" if self.name in found.manifests else "no entry point of 'bodega.addons' has it"

    @cached_property
    def _catalogue(self) -> Any:
        return discover()

    @property
    def manifests(self) -> dict[str, Manifest]:
        """The manifests of all addons on this machine."""
        found: dict[str, Manifest] = self._catalogue.manifests
        return found

    @property
    def manifest(self) -> Manifest:
        """Its manifest."""
        return self.manifests[self.name]

    @cached_property
    def folders(self) -> list[Path]:
        """Where its package lies."""
        return [path.resolve() for path in codes.package_folders(self.manifest.package)]

    @property
    def migrations(self) -> Path | None:
        """The folder of its migrations."""
        found = (folder / "migrations" for folder in self.folders)
        return next((folder for folder in found if folder.is_dir()), None)

    @cached_property
    def sources(self) -> list[Source]:
        """Its Python files."""
        return [
            _parse(path, folder, self.manifest.package)
            for folder in self.folders
            for path in sorted(folder.rglob("*.py"))
        ]

    def place(self, file: str | Path, line: int = 0) -> str:
        """Return a place as ``file:line``, relative to what holds the package."""
        path = Path(file).resolve()
        for folder in self.folders:
            if path.is_relative_to(folder):
                path = path.relative_to(folder.parent)
                break
        return f"{path}:{line}" if line else str(path)

    def owns(self, file: str) -> bool:
        """Whether a file lies in its package."""
        if file.startswith("<"):
            return False
        path = Path(file).resolve()
        return any(path.is_relative_to(folder) for folder in self.folders)

    def needed(self) -> tuple[str, ...]:
        """Return what it depends on, directly and indirectly, by name."""
        return self._below([self.name])

    def _below(self, names: list[str]) -> tuple[str, ...]:
        found: list[str] = []
        waiting = list(names)
        while waiting:
            manifest = self.manifests.get(waiting.pop())
            for item in manifest.dependencies if manifest else ():
                if item.name not in (*found, self.name):
                    found.append(item.name)
                    waiting.append(item.name)
        return tuple(sorted(found))

    @cached_property
    def assembly(self) -> "Assembly":
        """The Assembly of it and of what it depends on, without a database."""
        from bodega.assembly import build

        return build(self._catalogue, (*self.needed(), self.name))

    @cached_property
    def events(self) -> set[str]:
        """The events that it can hear of: those of addons that it may use without need, too."""
        from bodega.assembly import build

        wanted = self.manifest.uses.get("addons", ())
        others = [name for name in wanted if name in self.manifests and name != self.name]
        if not others:
            return set(self.assembly.events)
        chosen = {*self.needed(), *others, *self._below(others), self.name}
        return set(build(self._catalogue, sorted(chosen)).events)

    @property
    def loaded(self) -> Any:
        """What it declares; None when it is quarantined."""
        return next((item for item in self.assembly.addons if item.name == self.name), None)

    def constants(self) -> Iterator[tuple[str, str]]:
        """Yield the texts in its code besides the manifest, each with its place."""
        manifest = self.entry.module if self.entry else ""
        for source in self.sources:
            if source.tree is None or source.module == manifest or source.tests:
                continue
            for node in ast.walk(source.tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value, self.place(source.path, node.lineno)


def _parse(path: Path, folder: Path, package: str) -> Source:
    parts = path.relative_to(folder).with_suffix("").parts
    module = ".".join((package, *parts)).removesuffix(".__init__")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Source(path, module, ast.parse(path.read_bytes(), str(path)))
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 0) or 0
        return Source(path, module, None, f"{type(error).__name__}: {error}", line)

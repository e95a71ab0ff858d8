"""Finding addons: the entry points of group ``bodega.addons``, each guarded.

The value of an entry point is a manifest module. Importing it must import nothing
else of the addon, so a catalogue of a hundred addons costs a hundred small modules.
"""

import importlib
import importlib.metadata
import site
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pluggy

from bodega.addons import codes
from bodega.addons.faults import Fault
from bodega_sdk import hookspecs
from bodega_sdk._markers import MANIFEST_PROJECT
from bodega_sdk.manifest import Manifest

GROUP = "bodega.addons"
#: Left on an imported manifest module: the manifest that it returned.
_MARK = "__bodega_manifest__"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is on this machine.

    Args:
        manifests: by name.
        faults: entry points whose manifest cannot be used.
    """

    manifests: dict[str, Manifest]
    faults: dict[str, Fault]


def discover() -> Catalogue:
    """Read the manifests of all installed addons.

    Packages installed since this process began are found too.
    """
    for folder in site.getsitepackages():
        if folder in sys.path:
            site.addsitedir(folder)
    importlib.invalidate_caches()
    return read_catalogue(importlib.metadata.entry_points(group=GROUP))


def read_catalogue(entries: Iterable[importlib.metadata.EntryPoint]) -> Catalogue:
    """Read manifests from entry points; one that fails becomes a fault."""
    catalogue = Catalogue({}, {})
    sources: dict[str, str] = {}
    for entry in sorted(entries, key=lambda item: (item.name, item.value)):
        if sources.get(entry.name) == entry.value:
            continue  # The same distribution seen twice on sys.path.
        if entry.name in sources:
            _refuse_duplicate(catalogue, entry, sources[entry.name])
            continue
        sources[entry.name] = entry.value
        _read_one(catalogue, entry)
    return catalogue


def _read_one(catalogue: Catalogue, entry: importlib.metadata.EntryPoint) -> None:
    try:
        manifest = _manifest_of(entry)
    except KeyboardInterrupt:
        raise
    # An addon may do anything at import, sys.exit() included; the house stays open.
    except BaseException as error:
        catalogue.faults[entry.name] = Fault(
            entry.name,
            entry.name,
            f"its manifest {entry.value} cannot be read: {type(error).__name__}: {error}",
            f"Mend {entry.value} or uninstall the package that brings it",
        )
    else:
        catalogue.manifests[manifest.name] = manifest


def _manifest_of(entry: importlib.metadata.EntryPoint) -> Manifest:
    module = _import(entry)
    manifest: Manifest | None = getattr(module, _MARK, None)
    if manifest is None:
        manifest = _asked(entry, module)
    if manifest.name != entry.name:
        raise ValueError(f"the entry point is named {entry.name!r}, the manifest {manifest.name!r}")
    if isinstance(module, ModuleType):
        setattr(module, _MARK, manifest)
    return manifest


def _asked(entry: importlib.metadata.EntryPoint, module: Any) -> Manifest:
    # A manager for each: a manifest module may be named like a plugin.
    manager = pluggy.PluginManager(MANIFEST_PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module, name=entry.name)
    manager.check_pending()
    found = manager.hook.addon_manifest()
    if len(found) != 1 or not isinstance(found[0], Manifest):
        raise TypeError(
            "expected one function marked @manifest_hook, named addon_manifest, "
            f"that returns a Manifest; found {found!r}"
        )
    manifest: Manifest = found[0]
    return manifest


def _import(entry: importlib.metadata.EntryPoint) -> Any:
    codes.forget_stale_manifest(entry.module)
    if entry.module not in sys.modules:
        source = codes.manifest_source(entry.module)
        codes.mark_manifest(importlib.import_module(entry.module), source)
    return entry.load()


def _refuse_duplicate(
    catalogue: Catalogue, entry: importlib.metadata.EntryPoint, other: str
) -> None:
    catalogue.manifests.pop(entry.name, None)
    catalogue.faults[entry.name] = Fault(
        entry.name,
        entry.name,
        f"two packages bring an addon of this name: {other} and {entry.value}",
        "Uninstall one of them",
    )

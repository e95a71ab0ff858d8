"""An addon's code: which one this process imported, and which one is on disk.

A process keeps the code it imported while ``pip`` changes what is on disk. The mark of
what was imported is left on the imported module itself, so that both are forgotten
together.
"""

import hashlib
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from bodega_sdk.manifest import Manifest

_MARK = "__bodega_code__"
_NOWHERE = ModuleType("nowhere")
_CONTRACTS = re.compile(r"\d+_contract_")


@dataclass(frozen=True, slots=True)
class Code:
    """An addon's code.

    Args:
        fingerprint: of the content of its package's files.
        migrations: names of the migrations that it knows, in order.
    """

    fingerprint: str = ""
    migrations: tuple[str, ...] = ()


def contracts(migration: str) -> bool:
    """Whether a migration takes away what older code needs; its name says so."""
    return _CONTRACTS.match(migration) is not None


def expanding(waiting: Iterable[str]) -> tuple[str, ...]:
    """Return those of the waiting migrations that may run while older code serves."""
    found: list[str] = []
    for name in waiting:
        if contracts(name):
            break
        found.append(name)
    return tuple(found)


def current(manifest: Manifest) -> Code:
    """Return the code that this process imported, or would import now."""
    module = sys.modules.get(f"{manifest.package}.plugin")
    kept: Code | None = getattr(module, _MARK, None)
    return kept or on_disk(manifest)


def keep(module: ModuleType, code: Code) -> Code:
    """Leave the mark of its code on a plugin that was imported just now; return its mark."""
    kept: Code = module.__dict__.setdefault(_MARK, code)
    return kept


def on_disk(manifest: Manifest) -> Code:
    """Return the code that a new process would import."""
    folders = package_folders(manifest.package)
    digest = hashlib.blake2b(digest_size=12)
    for folder in folders:
        for path in _files(folder):
            digest.update(str(path.relative_to(folder)).encode() + b"\0")
            digest.update(hashlib.blake2b(path.read_bytes(), digest_size=16).digest())
    names = (name for folder in folders for name in _migrations(folder / "migrations"))
    return Code(digest.hexdigest() if folders else "", tuple(sorted(names)))


def package_folders(package: str) -> list[Path]:
    """Return where a package lies, without importing it."""
    try:
        spec = importlib.util.find_spec(package)
    # A package inside another imports that one, which may do anything.
    except (Exception, SystemExit):
        return []
    return [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix != ".pyc" and path.is_file():
            yield path


def _migrations(folder: Path) -> Iterator[str]:
    # As peewee's runner names them.
    return (path.stem for path in folder.glob("*.py") if path.stem[:1].isdigit())


def manifest_source(module: str) -> str:
    """Return a fingerprint of a manifest module's source; empty when there is none."""
    spec = importlib.util.find_spec(module)
    return _digest(spec.origin) if spec and spec.origin else ""


def mark_manifest(module: ModuleType, source: str) -> None:
    """Leave the mark of its source on a manifest module that was imported just now."""
    module.__dict__.setdefault(_MARK, source)


def forget_stale_manifest(module: str) -> None:
    """Have a manifest read anew that changed on disk before its addon was imported.

    Manifests outside of their addon's package are those of the house, which changes as a
    whole, when the processes are started again.

    Args:
        module: the manifest's, e.g. ``"bodega_loyalty.manifest"``.
    """
    known = sys.modules.get(module)
    package = module.rpartition(".")[0]
    if known is None or known.__file__ is None or f"{package}.plugin" in sys.modules:
        return
    within = Path(known.__file__).with_name("plugin.py").exists()
    if within and getattr(known, _MARK, "") != _digest(known.__file__):
        forget_package(package)


def forget_package(package: str, *but: str) -> None:
    """Forget the imported modules of a package, but for those that are named."""
    for name in list(sys.modules):
        if (name == package or name.startswith(f"{package}.")) and name not in but:
            del sys.modules[name]
            parent, _, child = name.rpartition(".")
            # Else `from package import module` would find the old one.
            vars(sys.modules.get(parent, _NOWHERE)).pop(child, None)


def _digest(path: str) -> str:
    try:
        return hashlib.blake2b(Path(path).read_bytes(), digest_size=12).hexdigest()
    except OSError:
        return ""

"""V109 to V115, V303 and V304: what the source says, read without running it."""

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bodega_sdk.contract import needed, objections
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.subject import Source, Subject

KERNEL = ("bodega", "bodega_realtime", "bodega_manifests")
_MIGRATION = re.compile(r"\d{4}_[a-z0-9_]+")


@dataclass(frozen=True)
class Import:
    """One import.

    Args:
        module: what it names; of ``from a import b`` that is ``a``.
        name: then ``b``, which may be a module; empty otherwise.
    """

    module: str
    name: str
    line: int
    relative: bool = False

    @property
    def whole(self) -> str:
        """Both together."""
        return f"{self.module}.{self.name}" if self.name else self.module


def imported(tree: ast.AST) -> Iterator[Import]:
    """Yield every import, also those in functions and under TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield Import(node.module or "", alias.name, node.lineno, node.level > 0)
        elif isinstance(node, ast.Call) and (name := _called_import(node)):
            yield Import(name, "", node.lineno)


def _called_import(node: ast.Call) -> str:
    """Return what ``import_module("…")`` or ``__import__("…")`` names."""
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    first = node.args[0] if node.args else None
    text = first.value if isinstance(first, ast.Constant) else None
    known = name in ("import_module", "__import__") and isinstance(text, str)
    return str(text) if known else ""


def check(subject: Subject) -> Iterator[Finding]:
    """Look at every Python file of the package."""
    declared = _declared(subject)
    for source in subject.sources:
        if source.tree is None:
            yield Finding("V109", source.error, subject.place(source.path, source.line))
            continue
        for found in imported(source.tree):
            yield from _import_faults(subject, source, found, declared)
    yield from _migrations(subject)
    yield from _promises(subject)


def _promises(subject: Subject) -> Iterator[Finding]:
    """Yield what it uses of the SDK that the contract of a version it admits has not."""
    if any(source.tree is None for source in subject.sources):
        return  # V109 says so.
    for folder in subject.folders:
        for message, use in objections(needed(folder), subject.manifest.sdk):
            yield Finding("V115", message, f"{use.file}:{use.line}")


def _import_faults(
    subject: Subject, source: Source, found: Import, declared: frozenset[str]
) -> Iterator[Finding]:
    place = subject.place(source.path, found.line)
    if found.relative:
        yield Finding("V112", f"imports {'.' + found.whole} relatively", place)
        return
    if why := _objection(subject, source, found):
        yield Finding("V111", f"imports {found.whole}: {why}", place)
    parts = found.whole.split(".")
    if parts[0] == "bodega_sdk" and any(part.startswith("_") for part in parts[1:]):
        yield Finding("V113", f"imports {found.whole}", place)
    root = parts[0]
    if not source.tests and _from_outside(subject, root) and root not in declared:
        told = f"imports {root}, which its distribution does not require"
        yield Finding("V114", told, place)
    if source.migration and _unfrozen(subject, root):
        yield Finding("V304", f"a migration imports {found.whole}", place)


def _objection(subject: Subject, source: Source, found: Import) -> str:
    root, own = found.module.partition(".")[0], subject.manifest.package
    if _within(found.module, own):
        return ""
    if root in KERNEL:
        return "that is the kernel, which changes without notice"
    if _within(found.whole, "bodega_sdk.testing") and not source.tests:
        return "that is for tests only"
    for manifest in subject.manifests.values():
        if manifest.name != subject.name and _within(found.whole, manifest.package):
            return _about_addon(subject, manifest.name, manifest.package, found)
    if root.startswith("bodega_") and root != "bodega_sdk" and not _is_known(root):
        return "no addon of that package is installed, so the manifest cannot depend on it"
    return ""


def _about_addon(subject: Subject, name: str, package: str, found: Import) -> str:
    if name not in {item.name for item in subject.manifest.dependencies}:
        return f"the manifest does not depend on {name}"
    if _within(found.module, f"{package}.api") or found.whole == f"{package}.api":
        return ""
    return f"of {name} only {package}.api is open"


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _is_known(root: str) -> bool:
    return root in importlib.metadata.packages_distributions()


def _from_outside(subject: Subject, root: str) -> bool:
    own = subject.manifest.package.partition(".")[0]
    return root not in sys.stdlib_module_names and root != own and not root.startswith("bodega")


def _declared(subject: Subject) -> frozenset[str]:
    """Return the import names of what the addon's distribution and Bodega require."""
    found = subject.entry.dist if subject.entry else None
    wanted = {canonicalize_name(name) for name in ("bodega", found.name if found else "bodega")}
    required = {name for item in wanted for name in _required(item)} | wanted
    distributions = importlib.metadata.packages_distributions()
    return frozenset(
        root
        for root, names in distributions.items()
        if any(canonicalize_name(name) in required for name in names)
    )


def _required(distribution: str) -> set[str]:
    try:
        lines = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return set()
    parsed = map(Requirement, lines)
    return {
        str(canonicalize_name(item.name))
        for item in parsed
        if item.marker is None or "extra" not in str(item.marker)
    }


def _unfrozen(subject: Subject, root: str) -> bool:
    frozen = ("bodega_sdk", "peewee", "playhouse")
    return root not in (*sys.stdlib_module_names, *frozen)


def _migrations(subject: Subject) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for source in subject.sources:
        name, place = source.path.stem, subject.place(source.path)
        if not source.migration or name == "__init__":
            continue
        if not _MIGRATION.fullmatch(name):
            yield Finding("V303", f"{name}.py is not called NNNN_words.py", place)
        number = re.match(r"\d*", name)[0]  # type: ignore[index]
        if number and number in seen:
            yield Finding("V303", f"{name}.py and {seen[number]}.py have one number", place)
        seen[number] = name
        if source.tree is not None and not _defines_up(source.tree):
            yield Finding("V303", f"{name}.py has no function 'up'", place)


def _defines_up(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "up" for node in tree.body)

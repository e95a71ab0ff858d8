"""V101 to V108: the entry point, the manifest, and what comes beside the code."""

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from bodega_sdk.manifest import SDK_VERSION
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.sources import imported
from bodega_sdk.testing.conformance.subject import Source, Subject
from bodega_sdk.testing.conformance.wording import is_sentence

LONGEST_SUMMARY = 100


def check(subject: Subject) -> Iterator[Finding]:
    """Look at the manifest and at what is beside the code."""
    if subject.fault:
        yield Finding("V101", subject.fault)
        return
    yield from _brought_along(subject)
    yield from _imports(subject)
    yield from _version(subject)
    if not is_sentence(subject.manifest.summary, LONGEST_SUMMARY):
        yield Finding("V105", f"the summary is {subject.manifest.summary!r}")
    yield from _sdk_range(subject)
    yield from _beside(subject)


def _brought_along(subject: Subject) -> Iterator[Finding]:
    package, entry = subject.manifest.package, subject.entry
    known = {package, entry.module if entry else ""}
    # What holds the manifest holds it rightly: bodega_loyalty.about.manifest needs two packages.
    known |= {name.rpartition(".")[0] for name in known}
    for name in sorted(sys.modules):
        if name.startswith(f"{package}.") and name not in known:
            yield Finding("V102", f"importing {entry and entry.module} imports {name}")


def _imports(subject: Subject) -> Iterator[Finding]:
    names = {subject.manifest.package, subject.entry.module if subject.entry else ""}
    for source in subject.sources:
        if source.module in names and source.tree is not None:
            yield from _foreign(subject, source)


def _foreign(subject: Subject, source: Source) -> Iterator[Finding]:
    own = subject.manifest.package
    for found in imported(source.tree or ast.Module([], [])):
        root = found.module.partition(".")[0]
        if found.relative or root in (*sys.stdlib_module_names, "bodega_sdk", own):
            continue
        place = subject.place(source.path, found.line)
        yield Finding("V103", f"{source.module} imports {found.module}", place)


def _version(subject: Subject) -> Iterator[Finding]:
    found = subject.entry.dist if subject.entry else None
    if found is not None and Version(found.version) != Version(subject.manifest.version):
        told = f"the manifest says {subject.manifest.version}, {found.name} is {found.version}"
        yield Finding("V104", told)


def _sdk_range(subject: Subject) -> Iterator[Finding]:
    allowed, major = SpecifierSet(subject.manifest.sdk), Version(SDK_VERSION).major
    if not allowed.contains(SDK_VERSION, prereleases=True):
        yield Finding("V106", f"sdk={subject.manifest.sdk!r} does not admit SDK {SDK_VERSION}")
    for other in (f"{major + 1}.0.0", f"{major - 1}.9.9" if major > 0 else ""):
        if other and allowed.contains(other, prereleases=True):
            yield Finding("V106", f"sdk={subject.manifest.sdk!r} admits SDK {other}")


def _beside(subject: Subject) -> Iterator[Finding]:
    places = [place for folder in subject.folders for place in (folder, *_project(folder))]
    readmes = [path for place in places for path in place.glob("README*") if path.is_file()]
    described = bool(_description(subject.entry.dist if subject.entry else None))
    if not described and not any(path.read_bytes().strip() for path in readmes):
        yield Finding("V107", "there is no README in the package, beside it, or in its metadata")
    if not any((folder / "py.typed").is_file() for folder in subject.folders):
        yield Finding("V108", f"{subject.manifest.package} has no py.typed")


def _project(folder: Path) -> list[Path]:
    """Return what holds the package if that is a project; site-packages is not one."""
    names = ("pyproject.toml", "setup.cfg", "setup.py")
    return [folder.parent] if any((folder.parent / name).is_file() for name in names) else []


def _description(found: importlib.metadata.Distribution | None) -> str:
    text = (found.read_text("METADATA") or found.read_text("PKG-INFO") or "") if found else ""
    return re.split(r"\r?\n\r?\n", text, maxsplit=1)[-1].strip() if "\n\n" in text else ""

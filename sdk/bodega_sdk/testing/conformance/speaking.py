"""V551, V561 and V571: commands, extensions, and the public face api.py."""

import importlib
import importlib.util
import inspect
from collections.abc import Iterator
from typing import Any

import click

from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.places import place_of
from bodega_sdk.testing.conformance.subject import Subject
from bodega_sdk.testing.conformance.wording import says_something


def check(subject: Subject) -> Iterator[Finding]:
    """Look at commands, extensions and api."""
    for command in subject.loaded.commands:
        yield from _command(subject, command, str(command.name))
    for extension in getattr(subject.loaded, "extensions", ()):
        yield from (Finding("V561", fault) for fault in extension.faults())
    yield from _api(subject)


def _command(subject: Subject, command: click.Command, name: str) -> Iterator[Finding]:
    if not says_something(command.help or command.short_help, words=2):
        place = place_of(subject, command.callback)
        yield Finding("V551", f"command 'bodega {name}' has the help {command.help!r}", place)
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _command(subject, inner, f"{name} {inner.name}")


def _api(subject: Subject) -> Iterator[Finding]:
    module = f"{subject.manifest.package}.api"
    if importlib.util.find_spec(module) is None:
        return
    found = importlib.import_module(module)
    for name in _public(found, subject.manifest.package):
        item = getattr(found, name, None)
        if item is None:
            yield Finding("V571", f"__all__ of {module} names {name!r}, which is not there")
        elif inspect.isclass(item) or inspect.isfunction(item):
            yield from _offered(subject, name, item)


def _public(module: Any, package: str) -> list[str]:
    stated = getattr(module, "__all__", None)
    if stated is not None:
        return list(stated)
    return [
        name
        for name, item in vars(module).items()
        if not name.startswith("_")
        and str(getattr(item, "__module__", "")).partition(".")[0] == package.partition(".")[0]
    ]


def _offered(subject: Subject, name: str, item: Any) -> Iterator[Finding]:
    place = place_of(subject, item) if inspect.isfunction(item) else ""
    if not says_something(item.__doc__) or (inspect.isclass(item) and _made_up_doc(item)):
        yield Finding("V571", f"api.{name} has no docstring", place)
    if not inspect.isfunction(item):
        return
    signature = inspect.signature(item)
    for parameter in signature.parameters.values():
        if parameter.annotation is inspect.Parameter.empty:
            told = f"api.{name}: argument {parameter.name!r} has no annotation"
            yield Finding("V571", told, place)
    if signature.return_annotation is inspect.Signature.empty:
        yield Finding("V571", f"api.{name}: what it returns has no annotation", place)


def _made_up_doc(item: Any) -> bool:
    """Whether a class's docstring is the one that @dataclass makes up."""
    return str(item.__doc__).startswith(f"{item.__name__}(")

"""V401 to V404 and V407: what routes declare; the other declarations are looked at from here."""

import importlib
import inspect
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

from bodega_sdk.http import Route
from bodega_sdk.permissions import PUBLIC
from bodega_sdk.testing.conformance import hooking, naming, speaking, working
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.places import place_of
from bodega_sdk.testing.conformance.subject import Subject
from bodega_sdk.testing.conformance.wording import is_sentence, says_something

_READS = re.compile(r"\.(body|stream)\b|\.raw\.(media|stream|bounded_stream|get_media)\b")
LONGEST_SUMMARY = 80


def assemble(subject: Subject) -> Iterator[Finding]:
    """V201, as far as it can be told without a database."""
    fault = subject.assembly.faults.get(subject.name)
    if fault is not None:
        yield Finding("V201", str(fault.reason), remedy=fault.remedy.rstrip("."))
        yield from _extensions(subject)


def _extensions(subject: Subject) -> Iterator[Finding]:
    """V561: what the kernel has refused an addon for, by a name of its own."""
    with suppress(Exception):
        plugin = importlib.import_module(f"{subject.manifest.package}.plugin")
        for extension in plugin.register_extensions():
            yield from (Finding("V561", fault) for fault in extension.faults())


def check(subject: Subject) -> Iterator[Finding]:
    """Look at everything that the plugin declares."""
    addon = subject.loaded
    if addon is None:
        return
    for route in addon.routes:
        yield from _route(subject, route)
    yield from chain(
        working.check(subject), speaking.check(subject), naming.check(subject),
        hooking.check(subject),
    )  # fmt: skip


def shown(route: Route) -> str:
    """Return a route as it is called."""
    return f"{route.method} {route.path}"


def _route(subject: Subject, route: Route) -> Iterator[Finding]:
    place = place_of(subject, route.handler)
    if not is_sentence(route.summary, LONGEST_SUMMARY, words=1):
        yield Finding("V401", f"{shown(route)}: the summary is {route.summary!r}", place)
    for item in route.parameters:
        if not says_something(item.help):
            told = f"{shown(route)}: parameter {item.name!r} has the help {item.help!r}"
            yield Finding("V402", told, place)
    yield from _body(route, place)
    if route.returns is None and not route.produces and route.status != 204:
        told = f"{shown(route)} states neither 'returns' nor status=204"
        yield Finding("V404", told, place)
    # What the caller proves by a header to be their own is not everybody's to change.
    proven = route.objects == "own" and bool(route.reads)
    if route.method in ("PUT", "PATCH", "DELETE") and route.permission == PUBLIC and not proven:
        yield Finding("V407", f"{shown(route)} is public", place)


def _body(route: Route, place: str) -> Iterator[Finding]:
    stated = route.body is not None or bool(route.media)
    if route.method in ("PUT", "PATCH") and not stated:
        yield Finding("V403", f"{shown(route)} has neither body nor media", place)
    elif route.method in ("GET", "DELETE") and stated:
        yield Finding("V403", f"{shown(route)} has a body, which nobody sends there", place)
    elif route.method == "POST" and not stated and _READS.search(_source(route.handler)):
        yield Finding("V403", f"{shown(route)} reads a body that it does not declare", place)


def _source(function: object) -> str:
    try:
        return inspect.getsource(inspect.unwrap(function))  # type: ignore[arg-type]
    except (OSError, TypeError):
        return ""

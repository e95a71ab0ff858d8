"""V501 to V515: jobs, events, subscriptions and channels, as they are declared."""

import inspect
import re
import types
import typing
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bodega_sdk.events import Channel, Event, Subscription
from bodega_sdk.jobs import Job
from bodega_sdk.permissions import PUBLIC
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.places import place_of
from bodega_sdk.testing.conformance.subject import Subject
from bodega_sdk.testing.conformance.wording import is_sentence, says_something

_EVENT = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\.[a-z][a-z0-9]*(_[a-z0-9]+)*")
_PARTICIPLES = """
    paid sent begun lost left sold gone put set cut read made done won built bought found held kept
    shown drawn taken given written chosen broken split spent withdrawn frozen hidden known seen
    told met grown thrown overdue
"""
_IRREGULAR = frozenset(_PARTICIPLES.split())
_JSON = (str, int, float, bool, type(None), Any)
_LONGEST = timedelta(days=366)


def check(subject: Subject) -> Iterator[Finding]:
    """Look at jobs, events, subscriptions and channels."""
    addon, events = subject.loaded, set(subject.assembly.events)
    for job in addon.jobs:
        yield from _job(subject, job)
    for event in addon.events:
        yield from _event(event)
    for item in addon.subscriptions:
        yield from _subscription(subject, item)
    for channel in addon.channels:
        yield from _channel(subject, channel, events)


def _job(subject: Subject, job: Job) -> Iterator[Finding]:
    place = place_of(subject, job.handler)
    parameters = list(inspect.signature(job.handler).parameters.values())
    if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        yield Finding("V501", f"the handler of {job.name} does not take the run first", place)
    yield from _payload(job, parameters[1:], place)
    if not says_something(inspect.getdoc(job.handler)):
        yield Finding("V502", f"the handler of {job.name} has no docstring", place)
    if job.max_attempts < 1:
        yield Finding("V503", f"{job.name} has max_attempts={job.max_attempts}", place)
    if job.every is not None:
        yield from _schedule(job, parameters[1:], place)


def _payload(job: Job, parameters: list[inspect.Parameter], place: str) -> Iterator[Finding]:
    for item in parameters:
        annotation = _read(job.handler, item.annotation)
        if item.annotation is inspect.Parameter.empty:
            yield Finding("V501", f"{job.name}: payload {item.name!r} has no annotation", place)
        elif not is_json(annotation):
            told = f"{job.name}: payload {item.name!r} is {_named(annotation)}"
            yield Finding("V501", told, place)


def _read(function: Any, annotation: Any) -> Any:
    """Return an annotation; one that is a text is read where the function is."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, function.__globals__)  # noqa: S307 - as typing.get_type_hints does
    # It may be any text, also of what is there for type checkers only.
    except Exception:
        return annotation


def _named(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def is_json(annotation: Any) -> bool:
    """Whether what is annotated so comes back from JSON as it was."""
    if annotation in _JSON:
        return True
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (list, dict) or origin in (list, dict, typing.Union, types.UnionType):
        return all(map(is_json, inner))
    if origin is typing.Literal:
        return all(type(value) in _JSON for value in inner)
    return bool(typing.is_typeddict(annotation))


def _schedule(job: Job, parameters: list[inspect.Parameter], place: str) -> Iterator[Finding]:
    every: Any = job.every
    if not isinstance(every, timedelta) or not timedelta(seconds=1) <= every <= _LONGEST:
        yield Finding("V503", f"{job.name} has every={every!r}", place)
    loose = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    for item in parameters:
        if item.default is inspect.Parameter.empty and item.kind not in loose:
            told = f"{job.name} is scheduled, but needs the payload {item.name!r}"
            yield Finding("V503", told, place)


def _event(event: Event) -> Iterator[Finding]:
    last = event.name.rpartition(".")[2].rpartition("_")[2]
    if not _EVENT.fullmatch(event.name) or not (last.endswith("ed") or last in _IRREGULAR):
        yield Finding("V511", f"event {event.name!r}")
    if not is_sentence(event.summary, words=2):
        yield Finding("V512", f"event {event.name}: the summary is {event.summary!r}")
    if type(event.version) is not int or event.version < 1:
        yield Finding("V512", f"event {event.name}: the version is {event.version!r}")
    if not event.fields:
        yield Finding("V512", f"event {event.name} declares no members")
    for name, text in dict(event.fields).items():
        if not says_something(text):
            yield Finding("V512", f"event {event.name}: member {name!r} says {text!r}")


def _subscription(subject: Subject, item: Subscription) -> Iterator[Finding]:
    place = place_of(subject, item.handler)
    if item.event != "*" and not any(map(item.matches, subject.events)):
        told = f"{item.event!r} is published neither by it nor by what it depends on or uses"
        yield Finding("V514", told, place)
    try:
        inspect.signature(item.handler).bind(None)
    except TypeError:
        yield Finding("V514", f"the handler of {item.event!r} takes more or less than one", place)


def _channel(subject: Subject, channel: Channel, events: set[str]) -> Iterator[Finding]:
    own = (subject.name, *subject.manifest.route_roots)
    shown = f"channel {channel.name!r}"
    if not is_sentence(channel.summary, words=2):
        yield Finding("V515", f"{shown}: the summary is {channel.summary!r}")
    if not channel.events:
        yield Finding("V515", f"{shown} carries no events")
    for name in channel.events:
        if name not in events:
            yield Finding("V515", f"{shown} carries {name!r}, which nobody publishes")
    if channel.permission == PUBLIC:
        yield Finding("V515", f"{shown} is public")
    if channel.name.partition(".")[0] not in own:
        yield Finding("V515", f"{shown} does not begin with {' or '.join(own)}")
    if channel.path is not None and channel.path.partition("/")[0] not in own:
        yield Finding("V515", f"{shown}: its path does not begin with {' or '.join(own)}")

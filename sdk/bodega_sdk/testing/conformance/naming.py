"""V521 to V532: settings and permissions, declared and used."""

import ast
from collections.abc import Iterator

from bodega.permissions import PERMISSIONS
from bodega_sdk.permissions import AUTHENTICATED, PUBLIC
from bodega_sdk.settings import Setting
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.subject import Subject
from bodega_sdk.testing.conformance.wording import is_sentence, says_something

_SECRETS = ("password", "secret", "token", "api_key", "private_key")


def check(subject: Subject) -> Iterator[Finding]:
    """Look at settings and permissions."""
    texts = {text for text, _ in subject.constants()}
    # A name that is put together counts by its parts.
    loose = {f"{subject.name}.{text}" for text in texts} if _computed(subject) else set()
    for item in subject.manifest.settings:
        yield from _setting(subject, item, texts | loose)
    yield from _unknown_settings(subject)
    for name, meaning in subject.manifest.permissions.items():
        if not is_sentence(meaning, words=2):
            yield Finding("V531", f"permission {name!r} says {meaning!r}")
        if name not in texts and name not in _asked_for(subject):
            yield Finding("V532", f"permission {name!r} is asked for nowhere")
    yield from _unknown_permissions(subject)


def _setting(subject: Subject, item: Setting, texts: set[str]) -> Iterator[Finding]:
    if not says_something(item.help, words=2):
        yield Finding("V521", f"setting {item.name!r} has the help {item.help!r}")
    if item.secret and (item.type is not str or item.default not in ("", None)):
        told = f"secret {item.name!r} is {item.type.__name__} with a default"
        yield Finding("V522", told)
    if not item.secret and _sounds_secret(item):
        yield Finding("V522", f"setting {item.name!r} is open")
    if f"{subject.name}.{item.name}" not in texts:
        yield Finding("V523", f"setting {subject.name}.{item.name} is used nowhere")


def _sounds_secret(item: Setting) -> bool:
    named = any(item.name == word or item.name.endswith(f"_{word}") for word in _SECRETS)
    return named and item.type is str


def _calls(subject: Subject, function: str) -> Iterator[tuple[str, str]]:
    """Yield the text that each call of a function begins with, and its place."""
    for source in subject.sources:
        for node in ast.walk(source.tree) if source.tree and not source.tests else ():
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first = node.args[0]
            text = first.value if isinstance(first, ast.Constant) else None
            if name == function and isinstance(text, str):
                yield text, subject.place(source.path, node.lineno)


def _computed(subject: Subject) -> bool:
    """Whether it asks for a setting whose name is not written out."""
    return any(
        isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) == "setting"
        and not all(isinstance(item, ast.Constant) for item in node.args)
        for source in subject.sources
        if source.tree is not None and not source.tests
        for node in ast.walk(source.tree)
    )


def _unknown_settings(subject: Subject) -> Iterator[Finding]:
    needed = [subject.manifests[name] for name in (*subject.needed(), subject.name)]
    known = {f"{manifest.name}.{item.name}" for manifest in needed for item in manifest.settings}
    for text, place in _calls(subject, "setting"):
        if text not in known:
            told = f"setting {text!r} is declared neither by it nor by what it depends on"
            yield Finding("V523", told, place)


def _unknown_permissions(subject: Subject) -> Iterator[Finding]:
    needed = [subject.manifests[name] for name in (*subject.needed(), subject.name)]
    known = {name for manifest in needed for name in manifest.permissions}
    known |= {PUBLIC, AUTHENTICATED, *PERMISSIONS}
    for text, place in _calls(subject, "may"):
        if text not in known:
            told = f"permission {text!r} is declared neither by it nor by what it depends on"
            yield Finding("V532", told, place)


def _asked_for(subject: Subject) -> set[str]:
    addon = subject.loaded
    asking = (*addon.routes, *addon.channels, *addon.console_pages)
    return {item.permission for item in asking}

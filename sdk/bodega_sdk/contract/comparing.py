"""What breaks the contract: the differences of two versions that an addon could notice."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace

from packaging.version import Version

from bodega_sdk.contract.symbols import Snapshot, Symbol, split

_READ = ("attribute", "property")
_CALLED = ("function", "method", "classmethod", "staticmethod", "hook", "fixture")


def renewed(
    found: Mapping[str, Symbol], version: str, before: Snapshot | None, was: Snapshot | None = None
) -> Snapshot:
    """Return the snapshot of a version: what is found, each with the version that brought it.

    Args:
        before: the last release.
        was: the snapshot of this version until now, which may know patch versions.
    """
    known = dict(was.symbols if was else {}) | dict(before.symbols if before else {})
    symbols = {
        name: replace(item, since=known[name].since if name in known else version)
        for name, item in found.items()
    }
    return Snapshot(version, symbols, was.released if was else "")


def breaches(old: Snapshot, new: Snapshot) -> Iterator[str]:
    """Yield what an addon that runs on the old version would miss in the new one.

    What the old version had deprecated already may be gone from the version on that it named.
    """
    for name, item in sorted(old.symbols.items()):
        if _may_go(name, old, new):
            continue
        there = new.look_up(name)
        if there is None:
            yield f"{name} is gone; {_remedy(old, new)}"
        else:
            for fault in _differences(name, item, old, there, new):
                yield f"{name}: {fault}"
    yield from _demands(old, new)


def _may_go(name: str, old: Snapshot, new: Snapshot) -> bool:
    """Whether a symbol, or what it belongs to, was announced to be gone by now."""
    owner = split(name)[0]
    for one in (name, name.partition("(")[0], owner):
        said = old.symbols.get(one)
        if said is not None and said.removed and Version(said.removed) <= Version(new.version):
            return True
    return False


def _remedy(old: Snapshot, new: Snapshot) -> str:
    major = Version(new.version).major + 1
    return f"deprecate it in SDK {new.version}, and let it go in SDK {major}.0"


def _differences(name: str, was: Symbol, old: Snapshot, there: str, new: Snapshot) -> Iterator[str]:
    now = new.symbols[there]
    if was.kind == "alias" and was.of in old.symbols:
        return
    if was.kind != now.kind and not (was.kind in _READ and now.kind in _READ):
        yield f"was a {was.kind}, is a {now.kind}"
        return
    if was.kind == "parameter":
        yield from _parameter(was, now)
        if not _wider(was.type, now.type):
            yield f"took {was.type}, takes {now.type or 'nothing that is said'}"
    elif was.kind == "hook":
        if not _wider(was.type, now.type):
            yield f"was to return {was.type}, is to return {now.type}"
    elif was.kind in (*_CALLED, *_READ) and not _wider(now.type, was.type):
        yield f"was {was.type}, is {now.type or 'nothing that is said'}"
    elif was.kind == "constant" and (was.value, was.type) != (now.value, now.type):
        yield f"was {was.value or was.type}, is {now.value or now.type}"
    if was.kind == "attribute" and was.value not in ("", now.value):
        yield f"was {was.value}, is {now.value}"
    for base in was.bases:
        if base not in _ancestors(there, new):
            yield f"is no {base} any more"


def _parameter(was: Symbol, now: Symbol) -> Iterator[str]:
    if was.optional and not now.optional:
        yield "could be left out, is required"
    if was.place != now.place and was.place is not None:
        yield f"was argument {was.place + 1}, is {_place(now.place)}"


def _place(place: int | None) -> str:
    return "a keyword only" if place is None else f"argument {place + 1}"


def _demands(old: Snapshot, new: Snapshot) -> Iterator[str]:
    """Yield parameters that are new, required, and of something that was there."""
    for name, item in sorted(new.symbols.items()):
        owner = name.partition("(")[0]
        called = old.symbols.get(owner)
        if item.kind != "parameter" or item.optional or called is None or name in old.symbols:
            continue
        if called.kind != "hook" and old.look_up(name) is None:
            yield f"{name} is new and required; give it a default"


def _ancestors(name: str, snapshot: Snapshot) -> set[str]:
    found: set[str] = set()
    waiting = list(snapshot.symbols[name].bases) if name in snapshot.symbols else []
    while waiting:
        base = waiting.pop()
        found.add(base)
        waiting += snapshot.symbols[base].bases if base in snapshot.symbols else ()
    return found


def _wider(narrow: str, wide: str) -> bool:
    """Whether one annotation takes all that another one does, as far as their texts tell."""
    if narrow == wide or wide in ("Any", "object", ""):
        return True
    return bool(narrow) and _choices(narrow) <= _choices(wide)


def _choices(annotation: str) -> set[str]:
    """Return the members of a union."""
    node = ast.parse(annotation, mode="eval").body
    waiting, found = [node], set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.BitOr):
            waiting += [one.left, one.right]
        else:
            found.add(ast.unparse(one))
    return found

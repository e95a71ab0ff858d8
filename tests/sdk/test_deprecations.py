"""Deprecations: one warning for each addon and place, which says what to do until when."""

import sys
import warnings
from collections.abc import Callable, Iterator
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

from bodega_sdk import deprecations
from bodega_sdk.capabilities import Callers, Grant
from bodega_sdk.deprecations import DEPRECATED, DeprecatedInBodega, Deprecation
from bodega_sdk.runtime import bound

SAID = Deprecation("1.2", "Y", "2.0")
TABLE = {
    "bodega_sdk.made_up.ask": SAID,
    "bodega_sdk.made_up.tell(loudly)": SAID,
    "bodega_sdk.made_up.Thing": SAID,
    "bodega_sdk.made_up.OLD": SAID,
    "bodega_sdk.hookspecs.register_routes": SAID,
    "bodega_sdk.hookspecs.on_first_start(start)": SAID,
}
MADE_UP = """
from bodega_sdk.deprecations import deprecated, moved

@deprecated("bodega_sdk.made_up.ask")
def ask(question): return question.upper()

@deprecated("bodega_sdk.made_up.tell(loudly)")
def tell(text, loudly=False): return text

@deprecated("bodega_sdk.made_up.Thing")
class Thing:
    def __init__(self, size): self.size = size

def through(): return ask("inside")

__getattr__ = moved(__name__, {"OLD": lambda: 7})
"""
Plugin = Callable[[str], ModuleType]


@pytest.fixture(autouse=True)
def sdk(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the SDK in which everything is deprecated."""
    monkeypatch.setattr(deprecations, "_told", set())
    for name, said in TABLE.items():
        monkeypatch.setitem(DEPRECATED, name, said)
    made = ModuleType("bodega_sdk.made_up")
    made.__path__ = []  # As the package bodega_sdk, whose attributes the import machinery reads.
    exec(compile(MADE_UP, "bodega_sdk/made_up.py", "exec"), made.__dict__)
    monkeypatch.setitem(sys.modules, "bodega_sdk.made_up", made)
    return made


@pytest.fixture
def plugin() -> Plugin:
    """A module of the addon loyalty."""

    def make(source: str, package: str = "bodega_loyalty") -> ModuleType:
        made = ModuleType(f"{package}.plugin")
        place = f"/srv/site/{package}/plugin.py"
        exec(compile(dedent(source), place, "exec"), made.__dict__)
        return made

    return make


@pytest.fixture
def told() -> Iterator[list[str]]:
    """The warnings."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield _Texts(found)


class _Texts(list[str]):
    def __init__(self, found: Any) -> None:
        self._found = found

    def __eq__(self, other: object) -> bool:
        assert all(item.category is DeprecatedInBodega for item in self._found)
        return [str(item.message) for item in self._found] == other

    def __repr__(self) -> str:
        return repr([str(item.message) for item in self._found])

    __hash__ = None  # type: ignore[assignment]


def text(symbol: str, line: int, addon: str = "loyalty") -> str:
    return (
        f"addon {addon!r} (bodega_{addon}/plugin.py:{line}) uses bodega_sdk.{symbol}, "
        "deprecated since SDK 1.2; use Y instead; it goes in SDK 2.0"
    )


def test_a_function_warns_once_for_each_place(plugin: Plugin, told: list[str]) -> None:
    made = plugin("""
        from bodega_sdk.made_up import ask
        def one(): return ask("a")
        def two(): return ask(question="b")
    """)
    assert [made.one(), made.one(), made.two()] == ["A", "A", "B"]
    assert told == [text("made_up.ask", 3), text("made_up.ask", 4)]


def test_two_addons_are_told_apart(plugin: Any, told: list[str]) -> None:
    source = "from bodega_sdk.made_up import ask\nask('a')\n"
    for package in ("bodega_loyalty", "bodega_gifts", "bodega_loyalty"):
        plugin(source, package)
    assert told == [text("made_up.ask", 2), text("made_up.ask", 2, "gifts")]


def test_the_place_is_the_addons_also_when_the_sdk_calls_itself(
    plugin: Plugin, told: list[str]
) -> None:
    plugin("from bodega_sdk import made_up\n\nmade_up.through()\n")
    assert told == [text("made_up.ask", 3)]


def test_a_parameter_warns_when_it_is_given(plugin: Plugin, told: list[str]) -> None:
    plugin("""
        from bodega_sdk.made_up import tell
        tell("x")
        tell("x", loudly=True)
        tell("x", True)
    """)
    assert told == [text("made_up.tell(loudly)", 4), text("made_up.tell(loudly)", 5)]


def test_a_class_warns_when_it_is_made_and_stays_a_class(plugin: Plugin, told: list[str]) -> None:
    made = plugin("""
        from bodega_sdk.made_up import Thing
        class Own(Thing): pass
        found = Own(3)
    """)
    assert told == [text("made_up.Thing", 4)]
    assert isinstance(made.found, sys.modules["bodega_sdk.made_up"].Thing)
    assert made.found.size == 3


def test_an_attribute_of_a_module_warns_when_it_is_asked_for(
    plugin: Plugin, told: list[str]
) -> None:
    made = plugin("""
        from bodega_sdk import made_up
        found = made_up.OLD
        from bodega_sdk.made_up import OLD
    """)
    assert (made.found, made.OLD) == (7, 7)
    assert told == [text("made_up.OLD", 3), text("made_up.OLD", 4)]
    with pytest.raises(AttributeError, match="no attribute 'NEW'"):
        sys.modules["bodega_sdk.made_up"].NEW  # noqa: B018


def test_a_hook_warns_at_the_line_of_its_implementation(plugin: Plugin, told: list[str]) -> None:
    made = plugin("""
        from bodega_sdk import hookimpl

        @hookimpl
        def register_routes(routes): pass

        @hookimpl(specname="on_first_start")
        def begin(start): pass

        @hookimpl
        def register_jobs(): return []

        def register_events(): return []
    """)
    for _ in range(2):
        deprecations.warn_of_hooks("loyalty", made)
    assert told == [
        text("hookspecs.register_routes", 4),
        text("hookspecs.on_first_start(start)", 7),
    ]


def test_where_a_shop_is_bound_the_addon_is_named_as_the_shop_names_it(
    plugin: Any, told: list[str]
) -> None:
    made = plugin("from bodega_sdk.made_up import ask\ndef one(): ask('a')\n", "strangers_points")
    callers = Callers({"strangers_points": Grant("points")})
    with bound(Shop(callers)):  # type: ignore[arg-type]
        made.one()
    assert "addon 'points' (strangers_points/plugin.py:2) uses" in repr(told)


class Shop:
    """Of a shop, only what knows which addon is at work."""

    def __init__(self, callers: Callers) -> None:
        self.grant = callers.at_work


def test_as_an_error_it_stops_each_time(plugin: Plugin) -> None:
    made = plugin("from bodega_sdk.made_up import ask\ndef one(): ask('a')\n")
    for _ in range(2):
        with pytest.raises(DeprecatedInBodega, match="use Y instead"):
            made.one()

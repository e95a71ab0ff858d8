"""Publishing hooks: what the mark makes of a function, and how it is called."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from bodega_sdk import Hook, hook
from bodega_sdk.errors import HookError, UnboundError
from bodega_sdk.hooks import BUDGET
from bodega_sdk.runtime import bound


@hook("filter", budget=0.2)
def decorate(text: str, count: int = 1, *, loud: bool = False) -> str:
    """Return the text, decorated.

    More of it.
    """
    raise AssertionError("a specification is not called")


class Shop:
    """As much of a shop as a hook asks for: who implements it."""

    def __init__(self, **callers: Callable[[dict[str, Any]], Any]) -> None:
        self.hook_caller = callers.get


def test_a_hook_knows_what_it_is() -> None:
    assert isinstance(decorate, Hook)
    assert (decorate.name, decorate.kind, decorate.budget) == ("decorate", "filter", 0.2)
    assert decorate.parameters == ("text", "count", "loud")
    assert decorate.doc == "Return the text, decorated.\n\nMore of it."
    assert decorate.module == __name__
    assert decorate.file == __file__
    line = Path(__file__).read_text().splitlines()[decorate.line - 1]
    assert line == '@hook("filter", budget=0.2)'
    assert decorate.closed


def test_a_hook_is_not_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        decorate.budget = 1.0  # type: ignore[misc]


def test_only_observers_are_open() -> None:
    @hook("observe")
    def seen(text: str) -> None:
        """See."""

    assert not seen.closed
    assert seen.budget == BUDGET


def test_a_hook_that_nobody_implements_is_neither_bound_nor_checked() -> None:
    with bound(Shop()):  # type: ignore[arg-type]
        assert decorate("a") == "a"
        assert decorate("a", 2, loud=True) == "a"
        assert decorate(count=2, text="b") == "b"


def test_who_implements_it_gets_the_arguments_by_name_with_their_defaults() -> None:
    got: list[dict[str, Any]] = []
    with bound(Shop(decorate=lambda values: got.append(values) or "done")):  # type: ignore
        assert decorate("a") == "done"
        decorate("a", 2)
        decorate("a", loud=True)
        decorate(count=3, text="b")
    assert got == [
        {"text": "a", "count": 1, "loud": False},
        {"text": "a", "count": 2, "loud": False},
        {"text": "a", "count": 1, "loud": True},
        {"text": "b", "count": 3, "loud": False},
    ]


def test_arguments_that_the_function_does_not_take_are_refused() -> None:
    with bound(Shop(decorate=lambda values: "x")):  # type: ignore[arg-type]
        for arguments in ((), ("a", 1, True, 4)):
            with pytest.raises(TypeError):
                decorate(*arguments)
        with pytest.raises(TypeError):
            decorate("a", lout=True)  # type: ignore[call-arg]


def test_a_hook_is_called_where_a_shop_is_bound() -> None:
    with pytest.raises(UnboundError):
        decorate("a")


def test_a_function_that_cannot_be_a_hook_is_told_with_its_name_and_place() -> None:
    with pytest.raises(HookError) as caught:

        @hook("veto")
        def refuse(text) -> str | None:  # type: ignore[no-untyped-def]
            """Say why not."""

    assert "hook 'refuse'" in str(caught.value)
    assert __file__ in str(caught.value)
    assert "its argument 'text' needs an annotation" in str(caught.value)


@pytest.mark.parametrize("thing", [int, print, "text", None, lambda: None, Shop()])
def test_what_is_no_sound_function_is_no_hook(thing: Any) -> None:
    with pytest.raises(HookError):
        hook("observe")(thing)


@pytest.mark.parametrize("budget", [0, -1, 61, True, float("nan"), float("inf"), "1", None])
def test_a_budget_is_seconds(budget: Any) -> None:
    with pytest.raises(HookError, match="its budget must be seconds"):

        @hook("observe", budget=budget)
        def seen(text: str) -> None:
            """See."""

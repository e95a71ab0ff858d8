"""Chains of hooks: who is called, in which order, with what, and for how long."""

import random
from itertools import permutations
from typing import Any

import pytest
from tests.kernel.hooks.ballroom import NEEDS, Ballroom, implementation, outcome

from bodega.addons import lifecycle
from bodega.addons.listing import listing
from bodega_sdk.errors import Vetoed

# Nobody, one, several.


def test_a_hook_that_nobody_implements_gives_what_its_kind_says(ballroom: Ballroom) -> None:
    assert ballroom.call("provide") is None
    assert ballroom.call("filter") == "Ada"
    assert ballroom.hook("filter")(guest="Bob", text="Ada") == "Ada"
    assert ballroom.call("veto") is None
    assert ballroom.call("observe") is None


def test_the_first_provider_that_returns_something_is_the_last_one_asked(
    ballroom: Ballroom,
) -> None:
    ballroom.implement("a", "provide", "return None")
    ballroom.implement("b", "provide", "return 0")
    ballroom.implement("c", "provide", "return 3")
    before = outcome("provide", "c", "ok")
    assert ballroom.call("provide") == 0
    assert outcome("provide", "c", "ok") == before


def test_each_filter_gets_what_the_one_before_returned(ballroom: Ballroom) -> None:
    for name in "bac":
        ballroom.implement(name, "filter", f"return text + '{name}'")
    assert ballroom.call("filter") == "Adaabc"


def test_a_veto_names_the_addon_and_its_reason_and_asks_nobody_after_it(
    ballroom: Ballroom,
) -> None:
    ballroom.implement("a", "veto", "return None")
    ballroom.implement("b", "veto", "return f'{guest} dances badly'")
    ballroom.implement("c", "veto", "raise ValueError")
    vetoed = outcome("veto", "b", "vetoed")
    with pytest.raises(Vetoed, match="b forbids it: Ada dances badly") as caught:
        ballroom.call("veto")
    assert caught.value.extra == {"addon": "b", "hook": "ballroom.refuse_guest"}
    assert outcome("veto", "b", "vetoed") == vetoed + 1


def test_a_veto_is_a_conflict_and_nothing_was_written(ballroom: Ballroom) -> None:
    ballroom.implement("strict", "veto", "return 'We are full.'")
    answer = ballroom.come_in()
    assert answer.status_code == 409
    assert answer.json["type"] == "/api/problems/vetoed"
    assert answer.json["addon"] == "strict"
    assert ballroom.guests() == []


def test_every_observer_is_called_and_what_it_returns_is_of_no_account(ballroom: Ballroom) -> None:
    for name in "ab":
        ballroom.implement(name, "observe", f"Guest.create(name='seen by {name}')")
    assert ballroom.call("observe") is None
    assert ballroom.guests() == ["seen by a", "seen by b"]


def test_an_implementation_takes_the_arguments_that_it_wants_by_name(ballroom: Ballroom) -> None:
    ballroom.site.write(
        "picky",
        "from bodega_sdk import hookimpl\n"
        "@hookimpl\n"
        "def announce(guest, *, text, loud=False):\n    return f'{guest} {text} {loud}'\n",
        fields=NEEDS,
    )
    ballroom.enable("picky")
    assert ballroom.call("filter") == "Ada Ada False"
    assert ballroom.hook("filter")(guest="Bob", text="Hear") == "Bob Hear False"


def test_a_call_with_other_arguments_than_the_hooks_is_the_callers_error(
    ballroom: Ballroom,
) -> None:
    ballroom.implement("a", "veto", "return None")
    before = outcome("veto", "a", "failed")
    for arguments in ((), ("Ada", "Bob")):
        with pytest.raises(TypeError):
            ballroom.hook("veto")(*arguments)
    assert outcome("veto", "a", "failed") == before


# Order.


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_five_addons_wrapping_one_hook_give_the_same_chain_in_any_order(
    site: Any, ballroom: Ballroom
) -> None:
    body = "found = yield\n    return f'{found}{__name__[-8]}'"
    for name in "edcba":
        site.write(name, implementation("filter", body, "wrapper=True"), fields=NEEDS)
    orders = list(permutations("abcde"))
    for order in random.Random(5).sample(orders, 4):
        ballroom.enable(*order)
        assert ballroom.call("filter") == "Adaabcde"
        chain = ballroom.shop.assembly.chains["announce"]
        assert [item.addon for item in chain.called] == list("edcba")
        for name in order:
            lifecycle.disable(ballroom.shop, name)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_who_depends_on_another_is_called_after_it_and_surrounds_it(
    site: Any, ballroom: Ballroom
) -> None:
    plain, wrapper = "return text + __name__[-8]", "return (yield) + __name__[-8].upper()"
    for name, needs in (("z", "ballroom"), ("a", "z")):
        text = implementation("filter", plain) + implementation(
            "filter", wrapper, "wrapper=True, specname='announce'"
        ).replace("def announce", "def around")
        site.write(name, text, fields=f'depends=("{needs}",)')
    ballroom.enable("a")
    assert ballroom.call("filter") == "AdazaZA"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_tryfirst_comes_before_and_trylast_behind_the_others(ballroom: Ballroom) -> None:
    marks = {"a": "trylast=True", "b": "", "c": "tryfirst=True", "d": "tryfirst=True"}
    for name, mark in marks.items():
        ballroom.implement(name, "filter", f"return text + '{name}'", mark)
    assert ballroom.call("filter") == "Adacdba"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_tryfirst_wrapper_is_the_outermost_and_a_trylast_one_the_innermost(
    ballroom: Ballroom,
) -> None:
    marks = {"a": ", tryfirst=True", "b": "", "c": ", trylast=True"}
    for name, mark in marks.items():
        ballroom.implement(name, "filter", f"return (yield) + '{name}'", f"wrapper=True{mark}")
    assert ballroom.call("filter") == "Adacba"


def test_a_wrapper_sees_the_result_of_the_others_and_may_change_it(ballroom: Ballroom) -> None:
    ballroom.implement("base", "provide", "return 7")
    ballroom.implement("more", "provide", "return (yield) + 1", "wrapper=True")
    assert ballroom.call("provide") == 8


def test_a_wrapper_may_find_a_reason_and_put_another_in_its_words(ballroom: Ballroom) -> None:
    ballroom.implement("base", "veto", "return 'no' if guest == 'Bob' else None")
    ballroom.implement(
        "polite", "veto", "reason = yield\n    return reason and 'Sorry: ' + reason", "wrapper=True"
    )
    ballroom.call("veto")
    with pytest.raises(Vetoed, match="polite forbids it: Sorry: no"):
        ballroom.hook("veto")("Bob")


# A hook belongs to the Assembly.


def test_who_is_disabled_is_called_no_more_and_work_in_hand_ends_as_it_began(
    ballroom: Ballroom,
) -> None:
    ballroom.implement("loud", "filter", "return text.upper()")
    lifecycle.disable(ballroom.shop, "loud")
    assert ballroom.call("filter") == "ADA"
    ballroom.enable()
    assert ballroom.call("filter") == "Ada"


def test_an_addon_whose_hook_works_is_listed_as_enabled(ballroom: Ballroom) -> None:
    ballroom.implement("fine", "veto", "return None")
    ballroom.call("veto")
    states = {item.name: item.state for item in listing(ballroom.shop)}
    assert states["fine"] == "enabled"

"""The dependency graph: one order, one verdict, whatever order it is asked in."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.addons.faults import Fault
from bodega.addons.graph import Order, closure, dependents, resolve
from bodega_sdk import Manifest

Manifests = dict[str, Manifest]


def addons(**depends: str) -> Manifests:
    """Return manifests; ``a="b c>=2"`` means that a depends on b and on c."""
    return {
        name: Manifest(name, "1.0", f"bodega_{name}", "A test's", depends=tuple(needs.split()))
        for name, needs in depends.items()
    }


def test_each_addon_stands_behind_what_it_depends_on() -> None:
    manifests = addons(shop="goods till", till="goods", goods="", bell="")
    order = resolve(manifests, manifests)
    assert order.names == ("bell", "goods", "till", "shop")
    assert order.faults == {}


def test_only_what_is_wanted_is_ordered() -> None:
    manifests = addons(goods="", till="goods", bell="")
    assert resolve(["till", "goods"], manifests).names == ("goods", "till")


def test_a_dependency_that_nobody_has_is_named() -> None:
    fault = resolve(["till"], addons(till="goods")).faults["till"]
    assert fault.culprit == "till"
    assert fault.reason == "it depends on goods, which is not installed"
    assert fault.remedy == "Install goods, or disable till"


def test_a_dependency_that_is_not_enabled_comes_with_the_command_that_enables_it() -> None:
    fault = resolve(["till"], addons(till="goods", goods="")).faults["till"]
    assert fault.reason == "it depends on goods, which is not enabled"
    assert "bodega addons enable goods" in fault.remedy


def test_a_version_that_does_not_fit_is_named_with_what_was_asked() -> None:
    manifests = addons(till="goods>=2", goods="")
    fault = resolve(manifests, manifests).faults["till"]
    assert fault.reason == "it depends on goods>=2, and 1.0 is installed"


def test_a_package_that_is_gone_quarantines_what_needs_it() -> None:
    order = resolve(["till", "goods"], addons(till="goods"))
    assert order.faults["goods"].reason == "its package is not installed"
    assert order.faults["till"].culprit == "goods"


def test_an_sdk_that_does_not_fit_is_named_with_ours() -> None:
    manifests = {"till": Manifest("till", "1.0", "bodega_till", "A test's", sdk=">=7")}
    fault = resolve(manifests, manifests).faults["till"]
    assert fault.reason == "it works with SDK >=7, and this is 1.0.0"


def test_a_conflict_keeps_out_whoever_declares_it() -> None:
    manifests = addons(goods="")
    manifests["till"] = Manifest("till", "1.0", "bodega_till", "A test's", conflicts=("goods",))
    order = resolve(manifests, manifests)
    assert order.names == ("goods",)
    assert order.faults["till"].reason == "it cannot be enabled beside goods"


@pytest.mark.parametrize(
    ("manifests", "paths"),
    [
        (addons(a="a"), {"a": "a → a"}),
        (addons(a="b", b="a"), {"a": "a → b → a", "b": "b → a → b"}),
        (
            addons(a="b", b="c", c="a"),
            {"a": "a → b → c → a", "b": "b → c → a → b", "c": "c → a → b → c"},
        ),
    ],
)
def test_a_cycle_shows_its_path(manifests: Manifests, paths: dict[str, str]) -> None:
    order = resolve(manifests, manifests)
    assert order.names == ()
    for name, path in paths.items():
        assert order.faults[name].reason == f"it depends on itself: {path}"


def test_whoever_needs_a_cycle_names_a_member_of_it_and_others_are_unharmed() -> None:
    manifests = addons(a="b", b="a", needs="a", other="")
    order = resolve(manifests, manifests)
    assert order.names == ("other",)
    assert order.faults["needs"].culprit == "a"


def test_dependents_at_any_distance_name_the_culprit_at_the_root() -> None:
    manifests = addons(root="", middle="root", far="middle", apart="")
    broken = {"root": Fault("root", "root", "it is broken", "Mend it")}
    order = resolve(manifests, manifests, broken)
    assert order.names == ("apart",)
    for name in ("middle", "far"):
        assert order.faults[name] == Fault(name, "root", "it is broken", "Mend it")
    assert str(order.faults["far"]) == (
        "far is quarantined because of root: it is broken. Mend it."
    )


def test_dependents_are_listed_outermost_first() -> None:
    manifests = addons(root="", inner="root", outer="inner")
    assert dependents("root", ["inner", "outer", "root"], manifests) == ["outer", "inner"]


def test_dependents_are_only_those_among_the_enabled() -> None:
    manifests = addons(root="", inner="root", outer="inner", other="")
    assert dependents("root", ["root", "inner", "other"], manifests) == ["inner"]
    assert dependents("other", ["root", "inner", "other"], manifests) == []


def test_a_closure_is_all_that_an_addon_needs() -> None:
    manifests = addons(a="b", b="c ghost", c="", d="a")
    assert closure(["a"], manifests) == {"a", "b", "c", "ghost"}


NAMES = [f"addon{number}" for number in range(7)]
graphs = st.fixed_dictionaries(
    {
        name: st.lists(st.sampled_from([*NAMES, "ghost", "addon0>=2"]), max_size=3).map(" ".join)
        for name in NAMES
    }
)


@given(graphs, st.sets(st.sampled_from(NAMES)), st.randoms(use_true_random=False))
def test_the_verdict_is_the_same_in_any_order(
    graph: dict[str, str], broken: set[str], shuffle: random.Random
) -> None:
    faults = {name: Fault(name, name, "broken", "Mend it") for name in sorted(broken)}
    first = resolve(NAMES, addons(**graph), faults)
    names, items = list(NAMES), list(graph.items())
    shuffle.shuffle(names)
    shuffle.shuffle(items)
    again = resolve(names, addons(**dict(items)), dict(reversed(faults.items())))
    assert again == first


@given(graphs)
def test_every_addon_is_either_ordered_behind_its_needs_or_has_a_fault(
    graph: dict[str, str],
) -> None:
    order = resolve(NAMES, addons(**graph))
    assert sorted([*order.names, *order.faults]) == NAMES
    check_order(order, graph)


def check_order(order: Order, graph: dict[str, str]) -> None:
    for place, name in enumerate(order.names):
        for needed in graph[name].split():
            assert needed in order.names[:place]
    for name, fault in order.faults.items():
        assert fault.addon == name
        assert fault.culprit in order.faults
        assert fault.reason
        assert fault.remedy

"""Manifests: what is wrong with one is said at once, by its name, and all of it."""

from typing import Any

import pytest

from bodega_sdk import Dependency, Manifest, Setting
from bodega_sdk.errors import ManifestError
from bodega_sdk.manifest import SDK_VERSION, sdk_accepts

NAN = float("nan")


def manifest(**fields: Any) -> Manifest:
    told: dict[str, Any] = {
        "name": "gift_cards",
        "version": "1.2.0",
        "package": "bodega_gift_cards",
        "summary": "Cards worth money",
    }
    return Manifest(**(told | fields))


def test_a_manifest_needs_four_things_only() -> None:
    made = manifest()
    assert (made.depends, made.conflicts, made.settings, made.routes) == ((), (), (), ())
    assert sdk_accepts(made)


def test_a_manifest_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        manifest().name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    "name", ["", "Gift", "gift-cards", "gift__cards", "_gift", "gift_", "1gift", "gift cards", "ä"]
)
def test_a_name_is_lower_snake_case(name: str) -> None:
    with pytest.raises(ManifestError, match="name must be lower_snake_case"):
        manifest(name=name)


@pytest.mark.parametrize("name", ["a", "gift", "gift_cards", "gift2", "gift_2_go"])
def test_sound_names_are_taken(name: str) -> None:
    assert manifest(name=name).name == name


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": 7}, "name must be lower_snake_case"),
        ({"version": "newest"}, "version 'newest' is no PEP 440 version"),
        ({"version": None}, "version None is no PEP 440 version"),
        ({"sdk": "one"}, "sdk 'one' is no PEP 440 range"),
        ({"sdk": None}, "sdk None is no PEP 440 range"),
        ({"depends": ("orders >> 1",)}, "dependency 'orders >> 1' cannot be read"),
        ({"depends": ("",)}, "dependency '' cannot be read"),
        ({"permissions": {"orders.read": "x"}}, "'orders.read' must begin with 'gift_cards.'"),
        ({"grants": {"staff": ("gift_cards.read",)}}, "staff is given 'gift_cards.read'"),
        ({"grants": {"boss": ()}}, "role 'boss' is unknown, expected one of user, vendor"),
        ({"uses": {"magic": ()}}, "uses 'magic' is unknown, expected one of events, hosts"),
        ({"settings": (Setting("days", int, "7", "Days"),)}, "setting days: its default is not"),
        ({"settings": (Setting("days", int, 0, "Days", minimum=1),)}, "expected at least 1"),
        ({"settings": (Setting("days", int, 9, "Days", maximum=1),)}, "expected at most 1"),
        ({"settings": (Setting("days", int, 9, "Days", choices=(1, 2)),)}, "expected one of 1, 2"),
    ],
)
def test_what_is_wrong_is_said_with_the_addons_name(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ManifestError) as caught:
        manifest(**fields)
    assert told in str(caught.value)
    assert str(fields.get("name", "gift_cards")) in str(caught.value)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ManifestError) as caught:
        manifest(version="newest", depends=("!",), permissions={"other.read": "x"})
    for word in ("newest", "'!'", "other.read"):
        assert word in str(caught.value)


@pytest.mark.parametrize("field", ["depends", "conflicts", "auto_enable_with", "routes"])
def test_a_word_where_a_tuple_belongs_is_refused(field: str) -> None:
    # A string is a sequence of letters: ("o", "r", "d", "e", "r", "s").
    with pytest.raises(ManifestError, match=field):
        manifest(**{field: "orders"})


@pytest.mark.parametrize("name", ["Days", "two words", ""])
def test_a_setting_is_named_in_lower_snake_case(name: str) -> None:
    with pytest.raises(ManifestError, match="setting"):
        manifest(settings=(Setting(name, int, 7, "Days"),))


def test_a_setting_is_named_once() -> None:
    with pytest.raises(ManifestError, match="days"):
        manifest(settings=(Setting("days", int, 7, "Days"), Setting("days", int, 8, "Days")))


def test_its_name_is_its_route_unless_it_says_otherwise() -> None:
    assert manifest().route_roots == ("gift-cards",)
    assert manifest(routes=("cards", "gifts")).route_roots == ("cards", "gifts")


def test_dependencies_are_names_with_versions() -> None:
    made = manifest(depends=("accounts", "orders>=1.0,<2"))
    accounts, orders = made.dependencies
    assert (accounts.name, orders.name) == ("accounts", "orders")
    assert accounts.accepts("0.0.1")
    assert orders.accepts("1.9")
    assert not orders.accepts("2.0")
    assert not orders.accepts("0.9")


def test_a_version_in_the_making_will_do_for_those_who_ask_for_what_comes_before() -> None:
    assert Dependency.parse("orders>=1.0").accepts("2.0.0rc1")


def test_an_sdk_is_accepted_within_its_range() -> None:
    assert sdk_accepts(manifest(sdk=f"=={SDK_VERSION}"))
    assert not sdk_accepts(manifest(sdk=">=2"))
    assert sdk_accepts(manifest(sdk=">=2"), "2.1.0")


@pytest.mark.parametrize(
    ("setting", "bad"),
    [
        (Setting("n", int, 1, "x"), [True, 1.0, "1", None]),
        (Setting("b", bool, True, "x"), [1, 0, "true", None]),
        (
            Setting("f", float, 1.0, "x", minimum=0, maximum=2),
            [1, True, -0.1, 2.1, float("nan"), None],
        ),
        (Setting("s", str, "a", "x", choices=("a", "b")), ["c", "", 1, None]),
    ],
)
def test_a_setting_takes_its_own_type_and_range_only(setting: Setting, bad: list[Any]) -> None:
    assert setting.check(setting.default) == setting.default
    for value in bad:
        with pytest.raises(ValueError, match="expected"):
            setting.check(value)

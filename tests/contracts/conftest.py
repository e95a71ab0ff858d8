"""Fixtures: the whole house in one shop, everybody who may call it, and what they call it with."""

import importlib.metadata
from collections.abc import Iterator
from typing import Any

import pytest
from tests import copied_shop
from tests.contracts.bodies import BODIES, UPLOADS
from tests.contracts.recipes import RECIPES, stocked
from tests.contracts.world import Person, World

from bodega.addons.discovery import GROUP
from bodega.http.app import build_app
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_accounts.models import Organization
from bodega_sdk import transaction
from bodega_sdk.runtime import bound

settings = copied_shop.settings


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The names of every addon of the house, so that a new one is tested at once."""
    found = importlib.metadata.entry_points(group=GROUP)
    return tuple(sorted({e.name for e in found if e.value.startswith("bodega_manifests.")}))


@pytest.fixture
def shop(settings: Settings, edition: tuple[str, ...]) -> Iterator[Shop]:
    """The shop, bound to the test."""
    made = Shop(settings, build_app, connections=10)
    made.refresh()
    assert {addon.name for addon in made.assembly.addons} == set(edition)
    with bound(made.current):
        yield made
    made.databases.close()


@pytest.fixture
def world(shop: Shop) -> World:
    """The shop with its people, but those whose tokens are no good."""
    found = World(shop, RECIPES, BODIES, UPLOADS)
    found.people["anonymous"] = Person("anonymous")
    with transaction():
        ours, theirs = (Organization.create(name=name) for name in ("Ours", "Theirs"))
    for name, role, organization in (
        ("owner", "user", None),
        ("other user", "user", None),
        ("vendor", "vendor", ours),
        ("other vendor", "vendor", theirs),
        ("vendor of none", "vendor", None),
        ("staff", "staff", None),
        ("admin", "admin", None),
    ):
        made = found.person(name, role, organization)
        found.products[made.organization] = stocked(found, made)["product"]
    return found


@pytest.fixture
def recipes() -> dict[str, Any]:
    """What makes objects."""
    return RECIPES


@pytest.fixture
def bodies() -> dict[str, Any]:
    """Bodies of requests."""
    return BODIES


@pytest.fixture
def uploads() -> dict[str, Any]:
    """Bodies that handlers read themselves."""
    return UPLOADS

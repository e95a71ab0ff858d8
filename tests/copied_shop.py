"""Fixtures: a shop with the addons that the fixture ``edition`` names, copied from a started one.

A folder takes them by assigning them in its conftest, beside an ``edition`` of its own; which of
them it takes is its own affair: many go on with the ``shop`` of ``tests/conftest.py``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bodega.http.app import build_app
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.working import Jobs

#: Connections: as many as the most hands at once take.
ENOUGH = 24


@pytest.fixture
def settings(
    engine: str, tmp_path: Path, templates: Any, edition: tuple[str, ...], request: Any
) -> Iterator[Settings]:
    """Settings of a copy of a started shop."""
    server = request.getfixturevalue("postgres_server") if engine == "postgres" else ""
    made = templates.copy(engine, edition, tmp_path / "shop", server)
    yield made
    if server:
        servers.drop_database(server, made.database_url.rpartition("/")[2])


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    """The shop, bound to the test; its subscriptions have heard all there was to hear."""
    found = Shop(settings, build_app, connections=ENOUGH)
    found.refresh()
    assert not found.assembly.faults, found.assembly.faults
    with bound(found.current):
        Jobs(found).begin_to_listen()
        yield found
    found.databases.close()


@pytest.fixture
def new_shop(shop: Shop) -> Shop:
    """The same, for fixtures elsewhere."""
    return shop

"""Fixtures: the ballroom, and what is logged."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.kernel.hooks.ballroom import Ballroom


@pytest.fixture
def ballroom(empty_shop: Any, site: Any, rebind: Any) -> Ballroom:
    made = Ballroom(empty_shop, site, rebind)
    made.enable("ballroom")
    return made


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """What is logged; unconfigured, structlog would take seconds to draw each traceback."""
    with capture_logs() as found:
        yield found

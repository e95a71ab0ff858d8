"""Fixtures: browsers at a shop."""

from typing import Any

import pytest
from tests.kernel.console.browser import Browser
from tests.kernel.console.odd_addon import FIELDS, NOTES

from bodega.addons import lifecycle
from bodega.shop import Shop


@pytest.fixture
def browser(empty_shop: Shop) -> Browser:
    return Browser(empty_shop)


@pytest.fixture
def odd(empty_shop: Shop, site: Any) -> Browser:
    """A browser at a shop with an addon whose pages are odd."""
    site.write("odd", NOTES, fields=FIELDS)
    lifecycle.enable(empty_shop, "odd")
    empty_shop.refresh()
    return Browser(empty_shop)

"""Fixtures: made-up addons, and what is found in them."""

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sdk.verify.careless_addon import CARELESS
from tests.sdk.verify.faulty_addons import NEEDY, RANDOM, RUDE, SLOPPY, TAKING
from tests.sdk.verify.installing import install
from tests.sdk.verify.sound_addon import SOUND, SOUND_FIELDS

from bodega_sdk.testing.conformance.running import verify


@pytest.fixture(scope="module")
def reports() -> Iterator[Any]:
    """The report of a made-up addon, made once."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        install(folder, "loyal", SOUND, SOUND_FIELDS)
        install(folder, "careless", CARELESS)
        install(folder, "sloppy", SLOPPY, "depends=('products',)")
        install(folder, "rude", RUDE)
        install(folder, "chancy", RANDOM)
        install(folder, "needy", NEEDY)
        install(folder, "taking", TAKING)
        install(folder, "leaving", {"plugin.py": "import os\nos._exit(3)"})
        patch.syspath_prepend(str(folder))
        yield functools.cache(verify)

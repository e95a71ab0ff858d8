"""`bodega verify` on the addons of the house and on sound sample addons, as an author calls it."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bodega_sdk.testing.conformance.rules import RULES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
HOUSE = (
    "accounts", "products", "imports", "inventory", "media", "notifications", "reviews",
    "webhooks", "wishlists", "orders", "coupons", "payments", "pulses", "analytics",
)  # fmt: skip
#: Those with most tables, routes and SQL by hand are tried on both engines.
LARGE = ("products", "imports", "orders", "payments", "pulses", "analytics")
SAMPLES = Path(__file__).parents[1] / "sample_addons"
SOUND = {"notes": "1.2.0", "pins": "0.3.1", "growing": "1.0.0", "shelves": "1.0.0"}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder that the sound sample addons are installed into, as pip would."""
    folder = tmp_path / "site"
    for name, version in SOUND.items():
        package = folder / f"bodega_sample_{name}"
        shutil.copytree(SAMPLES / name / package.name, package)
        for file, text in (("__init__.py", ""), ("py.typed", ""), ("README.md", "A sample.")):
            (package / file).write_text(text)
        metadata = folder / f"bodega_sample_{name}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: bodega-sample-{name}\nVersion: {version}\n"
        )
        (metadata / "entry_points.txt").write_text(
            f"[bodega.addons]\n{name} = {package.name}.manifest\n"
        )
    return folder


def check(name: str, postgres: str, *paths: Path, engine: str = "all") -> Any:
    """Verify an addon within two minutes; return the report."""
    told = {
        "PYTHONPATH": os.pathsep.join([*map(str, paths), *filter(None, sys.path)]),
        "BODEGA_TEST_DATABASE_URL": postgres,
    }
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "bodega", "verify", name, "--json", "--engine", engine],
        env={**os.environ, **told}, capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["clean"] else 1)
    assert time.monotonic() - begun < 120
    return report


@pytest.mark.parametrize("name", HOUSE)
def test_an_addon_of_the_house_keeps_every_rule(name: str, postgres_server: str) -> None:
    engines = ["sqlite", "postgres"]
    if name not in LARGE:
        # Minutes in all: one after the other on one engine and on the other.
        engines = [engines[HOUSE.index(name) % 2]]
    report = check(name, postgres_server, engine="all" if name in LARGE else engines[0])
    assert report["findings"] == []
    assert report["engines"] == engines
    assert report["rules"] == list(RULES)


@pytest.mark.parametrize("name", ["notes", "shelves"])
def test_a_sound_sample_addon_keeps_every_rule(name: str, site: Path, postgres_server: str) -> None:
    assert check(name, postgres_server, site)["findings"] == []

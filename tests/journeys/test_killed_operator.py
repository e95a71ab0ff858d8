"""An operator's process is killed at every step: the shop is wholly before or wholly after."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bodega.database.connection import is_postgres, open_databases
from bodega.settings import read_settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
EDITION = ("accounts", "products", "imports")
SAMPLES = Path(__file__).parent.parent / "sample_addons"
# Runs a verb and kills itself when a function is reached: before or after it did its work.
DRIVER = """
import importlib, os, signal, sys
from bodega.addons import lifecycle
from bodega.settings import read_settings
from bodega.shop import Shop

verb, module, name, when = sys.argv[1:]
place = importlib.import_module(module)
real = getattr(place, name)

def deadly(*args, **kwargs):
    if when == "after":
        real(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(place, name, deadly)
shop = Shop(read_settings())
shop.refresh()
lifecycle.apply(shop, verb, "notes")
"""
STEPS = {
    "enable": [
        ("bodega.addons.planning", "rehearse", "after"),
        ("bodega.addons.steps", "take", "before"),
        ("bodega.addons.steps", "migrate", "after"),
        ("bodega.addons.steps", "settle", "before"),
        ("bodega.addons.steps", "settle", "after"),
    ],
    "disable": [("bodega.addons.steps", "settle", "before")],
    "uninstall": [
        ("bodega.addons.journal", "begin", "after"),
        ("bodega.addons.removal", "wait_until_drained", "before"),
        ("bodega.addons.journal", "note_archives", "after"),
        ("bodega.addons.removal", "remove", "before"),
        ("bodega.addons.removal", "remove", "after"),
        ("bodega.addons.journal", "reach_cleaning", "after"),
        ("bodega.addons.journal", "recover", "before"),
    ],
    "purge": [
        ("bodega.addons.removal", "remove", "after"),
        ("bodega.addons.journal", "_clean", "before"),
    ],
}


@pytest.fixture
def notes(deployment: Any, tmp_path: Path) -> Any:
    """A deployment that has the addon notes on its path, as pip would install it."""
    site = tmp_path / "site"
    subprocess.run(["cp", "-r", str(SAMPLES / "notes") + "/.", str(site)], check=True)
    info = site / "bodega_notes-1.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bodega-notes\nVersion: 1.0.0\n")
    (info / "entry_points.txt").write_text(
        "[bodega.addons]\nnotes = bodega_sample_notes.manifest\n"
    )
    deployment.environ["PYTHONPATH"] += f":{site}"
    assert deployment.command("migrate").returncode == 0
    return deployment


def whole(deployment: Any) -> tuple[Any, ...]:
    """Return all that must be wholly before or wholly after: schema, rows, what is enabled."""
    databases = open_databases(read_settings(deployment.environ))
    shop = databases.shop
    tables = sorted(table for table in shop.get_tables() if table != "bodega_process")
    enabled = shop.execute_sql("SELECT name, enabled FROM bodega_addon ORDER BY name").fetchall()
    notes = []
    if "notes_note" in tables:
        notes = shop.execute_sql("SELECT title FROM notes_note ORDER BY title").fetchall()
    journal = shop.execute_sql("SELECT count(*) FROM bodega_journal").fetchone()[0]
    kind = is_postgres(shop)
    databases.close()
    archives = sorted(path.suffix for path in Path(
        deployment.environ["BODEGA_HOME"]).glob("archives/*"))  # fmt: skip
    return kind, tables, [tuple(row) for row in enabled], notes, journal, archives


def cases() -> list[Any]:
    return [
        pytest.param(verb, *step, id=f"{verb}-{step[1]}-{step[2]}")
        for verb, steps in STEPS.items()
        for step in steps
    ]


@pytest.mark.parametrize(("verb", "module", "name", "when"), cases())
def test_a_killed_operator_leaves_nothing_half_done(
    notes: Any, verb: str, module: str, name: str, when: str
) -> None:
    if verb != "enable":
        assert notes.command("addons", "enable", "notes").returncode == 0
    before = whole(notes)
    killed = subprocess.run(
        [sys.executable, "-c", DRIVER, verb, module, name, when],
        env=notes.environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr
    # Any command that opens the shop takes back or finishes what was left.
    assert notes.command("doctor").returncode == 0
    found = whole(notes)
    again = notes.command("addons", verb, "notes")
    if found == before:
        assert again.returncode == 0, again.stderr
    after = whole(notes)
    assert after != before
    assert found in (before, after), "between before and after"

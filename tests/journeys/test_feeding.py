"""Subscriptions in real workers that are killed: each event is written exactly once, in order."""

import itertools
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from bodega.database import outbox
from bodega.settings import read_settings
from bodega.shop import Shop
from bodega_sdk import Event, transaction
from bodega_sdk.runtime import bound
from bodega_sdk.testing.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
EVENTS = 600
PLUGIN = """
import time

import peewee
from bodega_sdk import Event, Model, hookimpl


class Row(Model):
    place = peewee.BigIntegerField()
    how = peewee.CharField(max_length=10)
    late = peewee.FloatField()

    class Meta:
        table_name = "copies_row"


def write(how, events):
    for event in events:
        Row.create(place=event.offset, how=how, late=time.time() - event.data["at"])


def one(event):
    write("one", [event])


def batch(events):
    write("batch", events)


@hookimpl
def register_models(): return [Row]


@hookimpl
def register_events(): return [Event("copy.wanted", "A copy is wanted.", {"at": "when"})]


@hookimpl
def register_subscriptions(events):
    events.on("copy.wanted", one)
    events.on_batch("copy.*", batch, size=7)
"""
MIGRATION = """
import peewee


def up(migrator, db):
    class Row(peewee.Model):
        place = peewee.BigIntegerField()
        how = peewee.CharField(max_length=10)
        late = peewee.FloatField()

        class Meta:
            database, legacy_table_names, table_name = db, False, "copies_row"

    db.create_tables([Row])
"""
MANIFEST = """
from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest():
    return Manifest("copies", "1.0.0", "bodega_copies", "Copies", uses={"events": ("copy.*",)})
"""
wanted = Event("copy.wanted", "A copy is wanted.", {"at": "when"})


def install(site: Path) -> None:
    """Install the addon's package, as pip would."""
    package, metadata = site / "bodega_copies", site / "bodega_copies-1.0.dist-info"
    (package / "migrations").mkdir(parents=True)
    metadata.mkdir()
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(PLUGIN)
    (package / "manifest.py").write_text(MANIFEST)
    (package / "migrations" / "0001_rows.py").write_text(MIGRATION)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bodega-copies\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[bodega.addons]\ncopies = bodega_copies.manifest\n")


def rows(shop: Any, how: str) -> list[tuple[int, float]]:
    """Return what a subscription wrote, in order."""
    database = shop.databases.shop
    query = f"SELECT place, late FROM copies_row WHERE how = '{how}' ORDER BY id"
    return [(int(place), float(late)) for place, late in database.execute_sql(query).fetchall()]


def publish(number: int = 1) -> None:
    with transaction():
        for _ in range(number):
            wanted.publish("k", {"at": time.time()})


def test_workers_that_are_killed_lose_no_event_and_write_none_twice(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    deployment.environ["PYTHONPATH"] += f"{os.pathsep}{tmp_path / 'site'}"
    for arguments in (("migrate",), ("addons", "enable", "copies")):
        done = deployment.command(*arguments)
        assert done.returncode == 0, done.stderr
    shop = Shop(read_settings(deployment.environ), connections=4)
    shop.refresh()
    with bound(shop.current):
        workers = [deployment.start("worker"), deployment.start("worker")]
        publish()
        deployment.wait_until(lambda: rows(shop, "one"))
        for turn, number in zip(itertools.cycle((0, 1)), range(1, EVENTS), strict=False):
            publish()
            if number % 150 == 0:
                os.kill(workers[turn].pid, signal.SIGKILL)
                workers[turn].wait(10)
                workers[turn] = deployment.start("worker")
        for how in ("one", "batch"):
            deployment.wait_until(lambda how=how: len(rows(shop, how)) >= EVENTS)
        time.sleep(1)
        offsets = [event.offset for event in outbox.read(
            shop.databases.shop, 0, EVENTS * 2, ["copy.wanted"]
        )]  # fmt: skip
        for how in ("one", "batch"):
            assert [place for place, _ in rows(shop, how)] == offsets
        # In peace it takes about a tenth of a second.
        for _ in range(10):
            publish()
            time.sleep(0.3)
        deployment.wait_until(lambda: len(rows(shop, "batch")) == EVENTS + 10)
        late = sorted(late for _, late in rows(shop, "batch")[-10:])
        assert late[5] < 0.3, late
    shop.databases.close()

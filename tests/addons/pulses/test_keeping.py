"""Pulses are backed up, archived, shown, commanded and made up like everything else."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

from bodega.addons import lifecycle
from bodega.backup import restore_backup, write_backup
from bodega.cli import bodega
from bodega.cli.context import Context
from bodega.http.app import build_app
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_pulses import api, checking, partitions, rolling
from bodega_pulses.models import Mark, Point, Rollup, Series
from bodega_sdk import database
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.client import Client


@pytest.mark.slow
def test_a_backup_and_an_archive_bring_every_point_back(
    shop: Shop, engine: str, lamp: UUID, today: datetime, tmp_path: Path, request: Any
) -> None:
    api.record([api.Pulse(lamp, today - timedelta(days=20 * n), n) for n in range(5)])
    rolling.settle()
    before = sorted(Point.select().tuples()), sorted(Rollup.select().tuples())
    write_backup(shop, tmp_path / "backup.zip")
    lifecycle.apply(shop, "uninstall", "pulses")
    assert "pulses_point" not in database.get_tables()
    assert not [name for name in database.get_tables() if name.startswith("pulses_")]
    (archive,) = (shop.settings.home / "archives").glob("pulses-*.zip")
    lifecycle.apply(shop, "install", "pulses")
    lifecycle.restore(shop, archive)
    assert (sorted(Point.select().tuples()), sorted(Rollup.select().tuples())) == before
    partitions.make(partitions.coming())
    assert (sorted(Point.select().tuples()), sorted(Rollup.select().tuples())) == before
    server = request.getfixturevalue("postgres_server") if engine == "postgres" else ""
    url = servers.create_database(server, f"test_{tmp_path.name[-20:].lower()}") if server else ""
    other = Shop(Settings(home=tmp_path / "other", database_url=url), build_app)
    restore_backup(other, tmp_path / "backup.zip")
    other.refresh()
    with bound(other.current):
        assert (sorted(Point.select().tuples()), sorted(Rollup.select().tuples())) == before
        api.record([api.Pulse(lamp, today - timedelta(days=20), 9)])
        assert list(checking.check()) == []
    other.databases.close()


def test_what_staff_see_and_operators_command(
    shop: Shop, staff: Client, lamp: UUID, today: datetime
) -> None:
    def run(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(bodega, [*arguments], obj=Context(_shop=shop))
        assert done.exit_code == code, done.output
        return str(done.output)

    api.record([api.Pulse(lamp, today + timedelta(hours=n), n, "°C", "probe") for n in range(9)])
    assert "agree" in run("pulses", "check")
    Rollup.update(count=7).where(Rollup.size == 3600).execute()
    # Nine hours, and the day that is no sum of them any more.
    assert "10 disagreement(s)" in run("pulses", "check", code=1)
    run("pulses", "check", "--repair")
    assert "agree" in run("pulses", "check")
    assert "are gone" in run("pulses", "prune")
    run("pulses", "partition")
    assert not Mark.select().exists()
    cookie = {"Cookie": f"bodega_console={staff.token}"}
    query = {"series": str(Series.get().id)}
    page = staff.get("/console/pulses", params=query, headers=cookie)
    assert page.status_code == 200, page.text[:500]
    assert "<svg" in page.text
    assert "LAMP" in page.text
    assert "Nothing crossed a line" in staff.get("/console/pulses/alerts", headers=cookie).text


def test_sample_products_are_measured(shop: Shop) -> None:
    def run(*arguments: str) -> None:
        done = CliRunner().invoke(bodega, [*arguments], obj=Context(_shop=shop))
        assert done.exit_code == 0, done.output

    run("sample-data", "--count", "11")
    assert Series.select().count() == 2
    points = Point.select().count()
    assert points == 2 * 7 * 24 * 6
    run("sample-data", "--count", "11")
    assert Point.select().count() == points
    rolling.settle()
    run("sample-data", "--remove")
    assert Series.select().count() == Point.select().count() == Rollup.select().count() == 0

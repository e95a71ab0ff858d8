"""Which code serves between expanding and contracting, and what old code must not undo."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from bodega import state
from bodega.addons import codes, lifecycle
from bodega.addons.listing import listing
from bodega.addons.upgrading import Finisher
from bodega.database.migrating import applied
from bodega.database.tables import AddonRow, JobRow, LedgerRow
from bodega.errors import AddonError
from bodega.follower import Follower
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.processes import this_process
from bodega.shop import Shop

PLUGIN = """
from bodega_sdk import PUBLIC, Model, Route, hookimpl, job
import peewee

VERSION = {version}


class Tree(Model):
    height = peewee.IntegerField(default=0)

    class Meta:
        table_name = "growth_tree"


@job("growth.water_{version}")
def water(run):
    pass


@hookimpl
def register_models():
    return [Tree]


@hookimpl
def register_jobs():
    return [water]


@hookimpl
def register_routes(routes):
    routes.add(Route("GET", "/growth", lambda request: {{"version": VERSION}}, PUBLIC, "Read"))
    routes.add(Route("GET", "/growth/{{id}}", lambda request: {{}}, PUBLIC, "Read one"))
"""
CREATE = """
def up(migrator, db):
    db.execute_sql("CREATE TABLE growth_tree (id INTEGER PRIMARY KEY, height INTEGER NOT NULL)")
"""
ADD = """
def up(migrator, db):
    db.execute_sql("ALTER TABLE growth_tree ADD COLUMN {column} INTEGER")
"""
DROP = """
def up(migrator, db):
    db.execute_sql("ALTER TABLE growth_tree DROP COLUMN {column}")
"""
# A rehearsal has no rows: it is only on the shop that this fails.
FAILS = """
def up(migrator, db):
    if db.execute_sql("SELECT count(*) FROM growth_tree").fetchone()[0]:
        raise ValueError("no")
"""
ALL = {
    1: {"m0001_create": CREATE, "m0002_old": ADD.format(column="old")},
    2: {"m0003_add_fresh": ADD.format(column="fresh"),
        "m0004_contract_old": DROP.format(column="old")},
    3: {"m0005_add_newest": ADD.format(column="newest"),
        "m0006_contract_fresh": DROP.format(column="fresh")},
}  # fmt: skip


def write(site: Any, version: int, **more: str) -> None:
    """Put a version of the addon on the path; what was imported stays imported."""
    imported = {name: module for name, module in sys.modules.items() if "sample_growth" in name}
    migrations = {name: text for step in range(1, version + 1) for name, text in ALL[step].items()}
    site.write("growth", PLUGIN.format(version=version),
               fields=f'{{"version": "{version}.0.0"}}', **migrations | more)  # fmt: skip
    sys.modules.update(imported)


def columns(shop: Shop) -> set[str]:
    return {column.name for column in shop.databases.shop.get_columns("growth_tree")}


@pytest.fixture
def growing(empty_shop: Shop, site: Any, rebind: Callable[[], None]) -> Shop:
    """A shop with version 1 of the addon enabled, imported in this process."""
    write(site, 1)
    lifecycle.enable(empty_shop, "growth")
    rebind()
    return empty_shop


def old_process(shop: Shop, **changes: Any) -> Any:
    """Write another process into the register, which runs the code of this one now."""
    process = replace(this_process("web", 9, shop.assembly.code), host="elsewhere", **changes)
    shop.register.beat(process)
    return process


def client_of(shop: Shop) -> testing.TestClient:
    shop._view = build_app
    shop.adopt(shop.assembly)
    return testing.TestClient(Gate(shop))


def test_an_expanding_migration_is_one_before_the_first_that_contracts() -> None:
    names = ("0001_a", "0002_contract_b", "0003_c")
    assert codes.expanding(names) == ("0001_a",)
    assert codes.expanding(names[:1]) == names[:1]
    assert [codes.contracts(name) for name in names] == [False, True, False]
    assert not codes.contracts("0004_contraction")


def test_a_plan_shows_what_is_added_before_and_taken_away_after(growing: Shop, site: Any) -> None:
    write(site, 2)
    site.forget()
    plan = lifecycle.plan(growing, "upgrade", "growth")
    assert [(step.verb, step.statements[0]) for step in plan.steps] == [
        ("upgrade", "ALTER TABLE growth_tree ADD COLUMN fresh INTEGER"),
        ("contract", "ALTER TABLE growth_tree DROP COLUMN old"),
    ]
    assert columns(growing) == {"id", "height", "old"}


def test_a_plan_of_an_upgrade_lists_only_what_the_newer_code_brings(
    growing: Shop, site: Any
) -> None:
    write(site, 2)
    plugin = site.package("growth") / "plugin.py"
    plugin.write_text(
        plugin.read_text()
        + "\n\n@hookimpl\ndef register_events():\n"
        + "    from bodega_sdk import Event\n"
        + "    return [Event('growth.doubled', 'It doubled.', {})]\n"
    )
    site.forget()
    growing.refresh()
    plan = lifecycle.plan(growing, "upgrade", "growth")
    assert plan.added == {"event": ("growth.doubled",), "job": ("growth.water_2",)}
    assert plan.removed == {"job": ("growth.water_1",)}
    (listed,) = (item for item in listing(growing) if item.name == "growth")
    assert listed.state == "pending_upgrade"


def test_with_nobody_on_older_code_all_of_an_upgrade_happens_at_once(
    growing: Shop, site: Any
) -> None:
    write(site, 2)
    site.forget()
    change = lifecycle.apply(growing, "upgrade", "growth")
    assert change.waiting == ()
    assert columns(growing) == {"id", "height", "fresh"}


def test_what_older_code_needs_stays_while_a_process_runs_it(growing: Shop, site: Any) -> None:
    process = old_process(growing)
    write(site, 2)
    site.forget()
    change = lifecycle.apply(growing, "upgrade", "growth")
    assert change.waiting == ("growth",)
    assert columns(growing) == {"id", "height", "old", "fresh"}
    growing.refresh()
    (found,) = [item for item in listing(growing) if item.name == "growth"]
    assert (found.state, found.waiting) == ("enabled", ("0004_contract_old",))
    Finisher(growing).step()
    assert "old" in columns(growing)
    growing.register.leave(process.id)
    Finisher(growing).step()
    assert columns(growing) == {"id", "height", "fresh"}
    with pytest.raises(AddonError, match="up to date"):
        lifecycle.apply(growing, "upgrade", "growth")


def test_old_code_serves_after_expanding_and_answers_503_after_contracting(
    growing: Shop, site: Any
) -> None:
    old = dict(sys.modules)
    write(site, 2)
    process = old_process(growing)
    site.forget()
    lifecycle.apply(growing, "upgrade", "growth")
    as_before(old)
    growing.refresh()
    assert client_of(growing).simulate_get("/api/v1/growth").json == {"version": 1}
    site.forget()
    growing.register.leave(process.id)
    lifecycle.apply(growing, "upgrade", "growth")
    as_before(old)
    growing.refresh()
    client = client_of(growing)
    answer = client.simulate_get("/api/v1/growth")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["type"] == "/api/problems/migration-pending"
    assert answer.json["addon"] == "growth"
    assert "0004_contract_old of a newer version took away" in answer.json["detail"]
    assert client.simulate_get("/api/v1/growth/17").status_code == 503
    assert client.simulate_get("/api/v1/growth/17/leaves").status_code == 404
    assert client.simulate_get("/api/v1/auth/me").status_code == 401


def as_before(modules: dict[str, Any]) -> None:
    """Have this process hold the addon's old code again."""
    for name, module in modules.items():
        if "sample_growth" in name:
            sys.modules[name] = module


def test_new_code_waits_for_its_migrations_with_503(growing: Shop, site: Any) -> None:
    write(site, 2)
    site.forget()
    growing.refresh()
    answer = client_of(growing).simulate_get("/api/v1/growth")
    assert (answer.status_code, answer.json["type"]) == (503, "/api/problems/migration-pending")
    assert "migration 0003_add_fresh is pending" in answer.json["detail"]


def test_a_skipped_release_contracts_before_it_expands_again(growing: Shop, site: Any) -> None:
    process = old_process(growing)
    write(site, 3)
    site.forget()
    assert lifecycle.apply(growing, "upgrade", "growth").waiting == ("growth",)
    assert columns(growing) == {"id", "height", "old", "fresh"}
    growing.refresh()
    assert growing.assembly.faults["growth"].code == "migration-pending"
    growing.register.leave(process.id)
    lifecycle.apply(growing, "upgrade", "growth")
    assert columns(growing) == {"id", "height", "newest"}
    growing.refresh()
    assert client_of(growing).simulate_get("/api/v1/growth").json == {"version": 3}


def test_a_contraction_that_fails_leaves_what_serves(growing: Shop, site: Any) -> None:
    process = old_process(growing)
    growing.databases.shop.execute_sql("INSERT INTO growth_tree (id, height) VALUES (1, 2)")
    write(site, 2, m0004_contract_old=FAILS)
    site.forget()
    lifecycle.apply(growing, "upgrade", "growth")
    growing.register.leave(process.id)
    with pytest.raises(AddonError, match="ValueError: no"):
        lifecycle.apply(growing, "upgrade", "growth")
    assert columns(growing) == {"id", "height", "old", "fresh"}
    growing.refresh()
    assert client_of(growing).simulate_get("/api/v1/growth").json == {"version": 2}
    finisher, before = Finisher(growing), state.read_generation()
    finisher.step()
    finisher.step()
    assert state.read_generation() == before


def test_a_process_is_replaced_once_the_new_code_is_on_its_disk(growing: Shop, site: Any) -> None:
    asked: list[bool] = []
    follower = Follower(growing, "web", renew=lambda: asked.append(True))
    old = dict(sys.modules)
    write(site, 2)
    follower.step()
    assert not asked
    site.forget()
    lifecycle.apply(growing, "upgrade", "growth")
    as_before(old)
    write(site, 1)
    follower.step()
    assert not asked, "what is on disk is no newer"
    write(site, 2)
    follower._looked = 0.0
    follower.step()
    assert asked == [True]
    follower.step()
    assert asked == [True], "it asks again only after a while"


def test_a_disabled_addons_new_version_is_read_without_a_new_process(
    growing: Shop, site: Any
) -> None:
    lifecycle.disable(growing, "growth")
    site.forget()
    growing.refresh()
    assert growing.catalogue.manifests["growth"].version == "1.0.0"
    imported = sys.modules["bodega_sample_growth.manifest"]
    write(site, 2)
    growing.refresh()
    assert growing.catalogue.manifests["growth"].version == "2.0.0"
    assert sys.modules["bodega_sample_growth.manifest"] is not imported


def test_old_code_undoes_nothing_that_newer_code_wrote(growing: Shop, site: Any) -> None:
    old = dict(sys.modules)
    old_process(growing)
    write(site, 2)
    site.forget()
    lifecycle.apply(growing, "upgrade", "growth")
    growing.refresh()
    with growing.transaction():
        JobRow.create(name="growth.water_2", lane="default", payload={}, max_attempts=3)
    as_before(old)
    site.write("other", "", fields="{}")
    as_before(old)
    lifecycle.enable(growing, "other")
    row = AddonRow.get_by_id("growth")
    assert row.version == "2.0.0"
    jobs = LedgerRow.select(LedgerRow.name).where(LedgerRow.addon == "growth",
                                                  LedgerRow.kind == "job")  # fmt: skip
    assert [name for (name,) in jobs.tuples()] == ["growth.water_2"]
    assert JobRow.get(JobRow.name == "growth.water_2").status == "queued"
    assert "growth" in growing.refresh().behind


# Boots a shop as `bodega migrate` does, and as every process does, again and again.
BOOT = """
from bodega.addons import lifecycle
from bodega.settings import read_settings
from bodega.shop import Shop

shop = Shop(read_settings(), connections=2)
for _ in range({cycles}):
    lifecycle.prepare(shop)
    shop.refresh()
    growth = shop.assembly.faults.get("growth")
    assert growth is None, growth
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_thousand_boots_of_old_and_new_code_change_nothing(
    growing: Shop, site: Any, terminal: Any, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    (tmp_path / "site").rename(old)
    (tmp_path / "site").mkdir()
    holder = old_process(growing)
    write(site, 2)
    site.forget()
    lifecycle.apply(growing, "upgrade", "growth")
    before = rows(growing)
    assert before[0][1] == "2.0.0"
    path = terminal.environ["PYTHONPATH"]
    paths = [path, path.replace(str(site.folder), str(old))]
    for turns in range(5):
        running = [
            subprocess.Popen([sys.executable, "-c", BOOT.format(cycles=50)],
                             env=terminal.environ | {"PYTHONPATH": chosen})
            for chosen in random.Random(turns).sample(paths * 2, 4)
        ]  # fmt: skip
        while any(item.poll() is None for item in running):
            growing.register.beat(holder)
            time.sleep(0.5)
        assert [item.returncode for item in running] == [0, 0, 0, 0]
    assert rows(growing) == before
    assert "old" in columns(growing)


def rows(shop: Shop) -> list[Any]:
    query = AddonRow.select(AddonRow.name, AddonRow.version, AddonRow.enabled, AddonRow.installed,
                            AddonRow.code).where(AddonRow.name == "growth")  # fmt: skip
    history = applied(shop.databases.shop, "growth")
    return [*query.tuples(), history, state.read_generation()]


def test_a_new_start_finishes_what_waits(growing: Shop, site: Any) -> None:
    process = old_process(growing)
    write(site, 2)
    site.forget()
    lifecycle.apply(growing, "upgrade", "growth")
    lifecycle.prepare(growing)
    assert "old" in columns(growing)
    growing.register.leave(process.id)
    assert lifecycle.prepare(growing).migrations == ("growth 0004_contract_old",)
    assert "old" not in columns(growing)


@pytest.mark.slow
def test_strict_commands_fail_when_an_addon_is_quarantined(
    growing: Shop, terminal: Any, site: Any
) -> None:
    assert terminal.run("addons", "list", "--strict").returncode == 0
    plugin = site.package("growth") / "plugin.py"
    plugin.write_text("raise RuntimeError('broken')\n")
    for command in (("addons", "list"), ("migrate",)):
        assert terminal.run(*command).returncode == 0
        ran = terminal.run(*command, "--strict")
        assert ran.returncode == 3, (ran.stdout, ran.stderr)
        assert "growth is quarantined" in ran.stderr
        assert "RuntimeError: broken" in ran.stderr
    for command in (("serve", "--port", "0"), ("worker",), ("realtime", "--port", "0")):
        ran = terminal.run(*command, "--strict")
        assert ran.returncode == 3, (command, ran.stdout, ran.stderr)
    told = replace(terminal, environ=terminal.environ | {"BODEGA_STRICT": "1"})
    assert told.run("worker").returncode == 3


def test_an_older_register_of_processes_gets_what_it_lacks(empty_shop: Shop) -> None:
    database = empty_shop.databases.runtime
    database.execute_sql("ALTER TABLE bodega_process DROP COLUMN code")
    empty_shop.register.create()
    empty_shop.register.beat(this_process("worker", 1, {"notes": "abc"}))
    (found,) = empty_shop.register.living()
    assert found.code == {"notes": "abc"}

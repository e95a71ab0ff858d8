"""What the audit log says of the kernel's own acts, and how operators read it."""

import getpass
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bodega.addons import lifecycle
from bodega.backup import restore_backup, write_backup
from bodega.database.tables import AddonRow, AuditRow
from bodega.editions import Edition
from bodega.errors import AddonError
from bodega.hooks import quarantine
from bodega.hooks.breakers import FAILURES, Admission
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.processes import this_process
from bodega.security import audit_check
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk import audit, transaction
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.working import run_due

PLUGIN = """
import peewee

from bodega_sdk import Job, Model, audit, database, hookimpl


class Thing(Model):
    id = peewee.IntegerField(primary_key=True)

    class Meta:
        table_name = "things_thing"


def run_it(run, fails=False, stolen=False):
    with run.transaction():
        audit("thing.made", "thing:7")
        if stolen:
            database.execute_sql("UPDATE bodega_job SET fence = fence + 1")
    if fails:
        raise ValueError("fails")


do = Job("things.do", run_it, max_attempts=1)


@hookimpl
def register_models():
    return [Thing]


@hookimpl
def register_jobs():
    return [do]
"""
FIELDS = """{"settings": (
    Setting("size", int, default=3, help="How large"),
    Setting("api_key", str, default="", secret=True, help="For somebody"),
), "uses": {"hosts": ("points.example",)}}"""
MIGRATION = """
from bodega_sdk import audit


def up(migrator, db):
    db.execute_sql("CREATE TABLE things_thing (id INTEGER PRIMARY KEY)")
    audit("thing.migrated")


def down(migrator, db):
    db.execute_sql("DROP TABLE things_thing")
"""


@pytest.fixture
def house(new_shop: Shop, site: Any) -> Iterator[Shop]:
    """A started shop without addons, bound to the test; the addon things is there to install."""
    site.write("things", PLUGIN, fields=FIELDS, m0001_create=MIGRATION)
    lifecycle.prepare(new_shop, Edition("test", ()))
    new_shop.refresh()
    with bound(new_shop.current):
        yield new_shop


@pytest.fixture
def things(house: Shop, rebind: Callable[[], None]) -> Shop:
    """The shop with the addon things enabled."""
    lifecycle.enable(house, "things")
    rebind()
    return house


@pytest.fixture
def anybody(house: Shop) -> Client:
    """A client that nobody is logged in with."""
    return Client(Gate(house), house)


def acts(start: str = "") -> list[tuple[str, str]]:
    """Return the actions and their targets, in order."""
    rows = AuditRow.select().where(AuditRow.action.startswith(start)).order_by(AuditRow.seq)
    return [(row.action, row.target) for row in rows]


def details_of(action: str) -> dict[str, Any]:
    row = AuditRow.select().where(AuditRow.action == action).order_by(AuditRow.seq.desc()).get()
    found: dict[str, Any] = json.loads(row.details)
    return found


def check(shop: Shop) -> None:
    """Assert that the log is good and its head file follows it."""
    found = audit_check.verify(shop.audit_log)
    assert found.broken is None
    assert shop.audit_log.file.read() == found.head


# Addons.


def test_the_first_start_is_the_first_entry(house: Shop) -> None:
    assert acts() == [("shop.created", "")]
    check(house)


def test_the_life_of_an_addon_is_written_down_with_its_plans(house: Shop) -> None:
    plan = lifecycle.plan(house, "enable", "things")
    lifecycle.apply_plan(house, plan.id)
    lifecycle.disable(house, "things")
    archive = lifecycle.apply(house, "uninstall", "things").archives[0]
    lifecycle.apply(house, "install", "things")
    lifecycle.restore(house, Path(archive))
    lifecycle.enable(house, "things")
    lifecycle.apply(house, "purge", "things")
    told = [action.removeprefix("addon.") for action, _ in acts("addon.")]
    assert told == [
        "installed", "capabilities_approved", "enabled", "disabled", "uninstalled",
        "installed", "capabilities_approved", "restored", "enabled", "disabled", "purged",
    ]  # fmt: skip
    assert {target for _, target in acts("addon.")} == {"addon:things"}
    first = AuditRow.get(AuditRow.action == "addon.installed")
    assert json.loads(first.details) == {"plan": plan.id, "version": "1.0.0"}
    assert details_of("addon.uninstalled")["archive"] == Path(archive).name
    assert details_of("addon.restored")["archive"] == Path(archive).name
    assert details_of("addon.capabilities_approved")["uses"] == "host points.example"
    check(house)


def test_a_plan_writes_nothing_down(house: Shop) -> None:
    before = acts()
    lifecycle.plan(house, "enable", "things")
    assert acts() == before


def test_what_a_migration_writes_down_stands_there_once(things: Shop) -> None:
    assert acts("thing.") == [("thing.migrated", "")]


def test_an_addon_that_is_refused_leaves_no_entry(house: Shop, site: Any) -> None:
    site.install("failing_migration")
    before = acts()
    with pytest.raises(AddonError):
        lifecycle.enable(house, "failing_migration")
    assert acts() == before


def test_a_removal_that_was_undone_is_written_down(
    things: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega.addons.removal.wait_until_drained.__defaults__", (0.1,))
    # A process that never lets go.
    things.register.beat(replace(this_process("web", 0), draining=1))
    with pytest.raises(AddonError, match="still hold on"):
        lifecycle.apply(things, "uninstall", "things")
    assert [action for action, _ in acts("addon.")][-2:] == [
        "addon.disabled",
        "addon.removal_undone",
    ]
    assert AddonRow.get_by_id("things").enabled
    check(things)


def test_a_quarantine_by_a_breaker_is_the_systems_act(things: Shop) -> None:
    breaker = things.breakers.of("things", "ballroom.choose_seat")
    for _ in range(FAILURES):
        breaker.failed(Admission.ORDINARY, "ValueError: in a mood")
    quarantine.settle(things)
    row = AuditRow.get(AuditRow.action == "addon.quarantined")
    assert (row.actor, row.target) == ("system", "addon:things")
    assert json.loads(row.details)["reason"] == "ValueError: in a mood"
    lifecycle.retry(things, "things")
    breaker.reset()
    quarantine.settle(things)
    assert acts("addon.")[-1] == ("addon.retried", "addon:things")


# Settings and jobs, through the API.


def test_a_changed_setting_is_written_down_with_who_changed_it(
    things: Shop, anybody: Client
) -> None:
    admin = anybody.as_admin()
    answer = admin.put(
        "/api/v1/settings/things.size", {"value": 5}, headers={"X-Request-ID": "mine-1"}
    )
    answer.expect(200)
    row = AuditRow.get(AuditRow.action == "setting.changed")
    claims = things.current.read_token(admin.token or "", "access")
    assert row.actor == f"account:{claims['sub']}"
    assert (row.target, row.request_id) == ("setting:things.size", "mine-1")
    assert row.address == "127.0.0.1"
    assert json.loads(row.details) == {"was": 3, "now": 5}
    admin.delete("/api/v1/settings/things.size").expect(204)
    assert details_of("setting.reset") == {"was": 5, "now": 3}


def test_the_value_of_a_secret_setting_is_not_written_down(things: Shop, anybody: Client) -> None:
    admin = anybody.as_admin()
    admin.put("/api/v1/settings/things.api_key", {"value": "hunter2"}).expect(200)
    assert acts("setting.") == [("setting.changed", "setting:things.api_key")]
    assert details_of("setting.changed") == {}


def test_a_refused_change_leaves_no_entry(things: Shop, anybody: Client) -> None:
    anybody.as_admin().put("/api/v1/settings/things.size", {"value": "x"}).expect(422)
    assert acts("setting.") == []


def test_what_a_job_does_is_its_own_act(things: Shop, site: Any) -> None:
    with transaction():
        site.module("things", "plugin").do.enqueue()
    run_due(things)
    row = AuditRow.get(AuditRow.action == "thing.made")
    assert (row.actor, row.address) == ("job:things.do", "")


def test_trying_a_job_again_and_cancelling_it_is_written_down(
    things: Shop, site: Any, anybody: Client
) -> None:
    with transaction():
        job_id = site.module("things", "plugin").do.enqueue(fails=True)
    run_due(things)
    admin = anybody.as_admin()
    admin.post(f"/api/v1/jobs/{job_id}/retry").expect(200)
    admin.post(f"/api/v1/jobs/{job_id}/cancel").expect(200)
    target = f"job:{job_id}"
    assert acts("job.") == [("job.retried", target), ("job.cancelled", target)]
    assert details_of("job.cancelled") == {"name": "things.do"}
    assert AuditRow.get(AuditRow.action == "job.retried").actor.startswith("account:")


def test_a_job_that_lost_its_lease_leaves_no_entry(things: Shop, site: Any) -> None:
    with transaction():
        site.module("things", "plugin").do.enqueue(stolen=True)
    run_due(things)
    assert acts("thing.made") == []


# The API and the console.


def test_only_administrators_read_the_log(house: Shop, anybody: Client) -> None:
    anybody.get("/api/v1/audit").expect(401)
    for role in ("user", "vendor", "staff"):
        anybody.as_user(role).get("/api/v1/audit").expect(403)
    (entry,) = anybody.as_admin().get("/api/v1/audit").expect(200)["results"]
    assert entry["action"] == "shop.created"
    assert entry.keys() == {
        "seq", "at", "actor", "action", "target", "address", "request_id", "details", "hash",
    }  # fmt: skip


def write_many(number: int) -> None:
    for turn in range(number):
        audit("card.made" if turn % 2 else "card.blocked", f"card:{turn}", turn=turn)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("action=card.made", 5), ("action=card.*", 10), ("action=c*", 10), ("action=card", 0),
        ("action=*", 11), ("action=card_made", 0), ("action=%25*", 0), ("target=card:3", 1),
        ("actor=system", 11), ("actor=account:1", 0), ("since=2100-01-01", 0),
        ("until=2100-01-01T00:00:00Z", 11), ("since=2020-01-01&until=2020-01-02", 0),
    ],
)  # fmt: skip
def test_the_log_is_searched(house: Shop, anybody: Client, query: str, found: int) -> None:
    write_many(10)
    answer = anybody.as_admin().get(f"/api/v1/audit?{query}").expect(200)
    assert answer["count"] == len(answer["results"]) == found


@pytest.mark.parametrize(
    "query", ["since=yesterday", "until=", "since=0001-01-01T00:00:00%2B14:00", "who=me"]
)
def test_a_wrong_search_is_refused(house: Shop, anybody: Client, query: str) -> None:
    name = query.partition("=")[0]
    assert name in str(anybody.as_admin().get(f"/api/v1/audit?{query}").expect(400))


def test_pages_stay_as_they_are_while_the_log_grows(house: Shop, anybody: Client) -> None:
    write_many(10)
    admin, seen = anybody.as_admin(), list[int]()
    query = "cursor=&page_size=3"
    while query:
        answer = admin.get(f"/api/v1/audit?{query}").expect(200)
        seen += [entry["seq"] for entry in answer["results"]]
        query = urlsplit(answer["next"] or "").query
        write_many(2)
    assert seen == list(range(11, 0, -1))


def test_the_count_follows_the_log(house: Shop, anybody: Client) -> None:
    admin = anybody.as_admin()
    for expected in (1, 3, 5):
        assert admin.get("/api/v1/audit").expect(200)["count"] == expected
        write_many(2)


def test_the_console_shows_the_log_to_administrators(house: Shop, anybody: Client) -> None:
    audit("card.made", "card:<b>", note="<script>")
    page = console(anybody.as_admin(), "/console/audit?action=card.*")
    assert page.status_code == 200
    assert "card.made" in page.text
    assert "<script>" not in page.text
    assert "shop.created" not in page.text
    assert console(anybody.as_user("staff"), "/console/audit").status_code == 403


def console(client: Client, address: str) -> Any:
    cookie = {"Cookie": f"bodega_console={client.token}"}
    return replace(client, token=None).get(address, headers=cookie)


# The command line.


def test_commands_are_acts_of_the_user_who_runs_them(things: Shop, terminal: Any) -> None:
    terminal.run("settings", "set", "things.size", "9")
    row = AuditRow.get(AuditRow.action == "setting.changed")
    assert row.actor == f"command:{getpass.getuser()}"


def test_the_command_line_lists_and_checks_the_log(house: Shop, terminal: Any) -> None:
    write_many(4)
    listed = terminal.run("audit", "list", "--action", "card.*", "--limit", "3", "--json")
    assert [entry["target"] for entry in json.loads(listed.stdout)] == [
        "card:3",
        "card:2",
        "card:1",
    ]
    shown = terminal.run("audit", "list", "--target", "card:2").stdout
    assert "card.blocked" in shown
    assert "turn=2" in shown
    assert "card" not in terminal.run("audit", "list", "--since", "2100-01-01").stdout
    assert terminal.run("audit", "list", "--since", "soon").returncode == 2
    head = terminal.run("audit", "head").stdout.strip()
    good = terminal.run("audit", "verify", "--head", head)
    assert good.returncode == 0, good.stderr
    assert f"5 entries are as they were written; the head is {head}." in good.stdout


def test_verifying_a_broken_log_exits_with_1_and_names_the_entry(
    house: Shop, terminal: Any
) -> None:
    write_many(4)
    assert "ok    audit" in terminal.run("doctor").stdout
    AuditRow.update(actor="account:9").where(AuditRow.seq == 3).execute()
    found = terminal.run("audit", "verify")
    assert found.returncode == 1
    assert found.stdout.startswith("BROKEN at entry 3 (edited): it was edited")
    told = json.loads(terminal.run("audit", "verify", "--json").stdout)
    assert (told["ok"], told["broken"]["seq"]) == (False, 3)


def test_the_doctor_notices_a_log_that_was_cut(house: Shop, terminal: Any) -> None:
    write_many(4)
    AuditRow.delete().where(AuditRow.seq > 3).execute()
    found = terminal.run("doctor")
    assert found.returncode == 1
    assert "the audit log is broken at entry 4" in found.stdout


@pytest.mark.parametrize("head", ["", "5", "5:xyz", "-1:" + "0" * 64])
def test_what_is_no_head_is_refused(house: Shop, terminal: Any, head: str) -> None:
    refused = terminal.run("audit", "verify", f"--head={head}")
    assert refused.returncode == 1
    assert "bodega audit head" in refused.stderr


# Backups.


@pytest.fixture
def other(
    engine: str, settings: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Settings]:
    """Settings of another shop that is not there yet."""
    url = ""
    if engine == "postgres":
        server = request.getfixturevalue("postgres_server")
        url = servers.create_database(server, f"other_{settings.database_url.rpartition('_')[2]}")
    yield replace(settings, home=tmp_path / "other", database_url=url)
    if url:
        servers.drop_database(server, url.rpartition("/")[2])


def restored(settings: Settings, path: Path, **options: Any) -> Shop:
    """Restore a backup, and open the shop."""
    target = Shop(settings, connections=5)
    restore_backup(target, path, **options)
    target.databases.close()
    return Shop(settings, build_app, connections=5)


def test_a_backup_is_written_down(house: Shop, tmp_path: Path) -> None:
    write_backup(house, tmp_path / "shop.zip", with_secret_key=True)
    assert details_of("shop.backed_up") == {"file": "shop.zip", "with_secret_key": True}


@pytest.mark.from_nothing
def test_a_restored_log_goes_on_and_its_head_file_with_it(
    house: Shop, other: Settings, tmp_path: Path
) -> None:
    write_many(4)
    write_backup(house, tmp_path / "shop.zip")
    made = restored(other, tmp_path / "shop.zip")
    assert acts()[-2:] == [("card.made", "card:3"), ("shop.restored", "")]
    assert details_of("shop.restored")["file"] == "shop.zip"
    check(made)
    made.databases.close()


@pytest.mark.from_nothing
def test_a_log_that_is_set_back_by_a_restore_says_how_far_it_went(
    house: Shop, tmp_path: Path
) -> None:
    write_backup(house, tmp_path / "shop.zip")
    write_many(4)
    kept = house.audit_log.last()
    assert kept is not None
    house.databases.close()
    made = restored(house.settings, tmp_path / "shop.zip", replace=True)
    assert details_of("shop.restored")["head_before"] == str(kept)
    check(made)
    assert audit_check.verify(made.audit_log, kept).broken is not None
    audit_log_goes_on(made)
    made.databases.close()


def audit_log_goes_on(shop: Shop) -> None:
    shop.audit("card.made")
    check(shop)


@pytest.mark.from_nothing
def test_a_restore_without_the_shops_key_adds_nothing_that_would_break_the_chain(
    house: Shop, other: Settings, tmp_path: Path
) -> None:
    write_backup(house, tmp_path / "shop.zip")
    stranger = restored(replace(other, secret_key="another key of somebody"), tmp_path / "shop.zip")
    assert "shop.restored" not in dict(acts())
    stranger.databases.close()
    found = Shop(other, connections=2)
    check(found)
    found.databases.close()


@pytest.mark.from_nothing
def test_a_restore_that_fails_leaves_the_head_file_as_it_was(
    house: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_backup(house, tmp_path / "shop.zip")
    write_many(2)
    before = house.audit_log.file.read()

    def fail(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("bodega.restoring._forget_stream", fail)
    house.databases.close()
    with pytest.raises(Exception, match="no space left"):
        restore_backup(Shop(house.settings, connections=5), tmp_path / "shop.zip", replace=True)
    assert house.audit_log.file.read() == before
    check(house)

"""The audit log: what stands in it, and that nothing can be taken out or altered unseen."""

import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import peewee
import pytest
import structlog

from bodega.addons import lifecycle
from bodega.database.tables import AuditHeadRow, AuditRow
from bodega.editions import Edition
from bodega.security import audit_check
from bodega.security.audit_check import Verdict
from bodega.security.audit_entries import GENESIS, LARGEST, looks_secret
from bodega.security.audit_head import Head
from bodega.security.callers import Caller, calling
from bodega.security.secrets import MASK
from bodega.shop import Shop
from bodega_sdk import audit, transaction
from bodega_sdk.runtime import bound

POSTGRES = pytest.mark.parametrize("engine", ["postgres"], indirect=True)
COLUMNS = "seq, at, actor, action, target, address, request_id, details, previous, hash"


@pytest.fixture
def house(new_shop: Shop, site: Any) -> Iterator[Shop]:
    """A started shop without addons whose log is empty, bound to the test."""
    lifecycle.prepare(new_shop, Edition("test", ()))
    new_shop.refresh()
    database = new_shop.databases.shop
    database.execute_sql("DELETE FROM bodega_audit")
    database.execute_sql(f"UPDATE bodega_audit_head SET seq = 0, hash = '{GENESIS}'")
    new_shop.audit_log.file.put(None)
    with bound(new_shop.current):
        yield new_shop


@pytest.fixture
def written(house: Shop) -> Shop:
    """A shop with five entries."""
    for number in range(1, 6):
        with calling(Caller(f"account:{number}", "203.0.113.9", f"request-{number}")):
            audit("card.blocked", f"card:{number}", reason="lost")
    return house


@pytest.fixture
def change(house: Shop) -> Callable[..., None]:
    """Execute SQL as somebody who can write to the database and nothing else."""

    def execute(statement: str, *values: Any) -> None:
        mark = house.databases.shop.param
        house.databases.shop.execute_sql(statement.replace("?", mark), values)

    return execute


def verdict(shop: Shop, kept: Head | None = None) -> Verdict:
    return audit_check.verify(shop.audit_log, kept)


def broken(shop: Shop, kept: Head | None = None) -> tuple[int, str]:
    """Return where and how the log is broken."""
    found = verdict(shop, kept).broken
    assert found is not None, "nothing was noticed"
    return found.seq, found.fault


def actions() -> list[str]:
    return [row.action for row in AuditRow.select().order_by(AuditRow.seq)]


def details_of(action: str) -> dict[str, Any]:
    row = AuditRow.select().where(AuditRow.action == action).order_by(AuditRow.seq.desc()).get()
    found: dict[str, Any] = json.loads(row.details)
    return found


def last_head(shop: Shop) -> Head:
    found = shop.audit_log.last()
    assert found is not None
    return found


# Writing.


def test_an_entry_says_who_did_what_from_where(written: Shop) -> None:
    row = AuditRow.get_by_id(3)
    assert (row.actor, row.action, row.target) == ("account:3", "card.blocked", "card:3")
    assert (row.address, row.request_id) == ("203.0.113.9", "request-3")
    assert json.loads(row.details) == {"reason": "lost"}


def test_a_log_that_nobody_touched_is_good(written: Shop) -> None:
    found = verdict(written)
    assert found.broken is None
    assert found.entries == 5
    assert found.held_against == ("audit.head",)
    assert written.audit_log.file.read() == found.head == last_head(written)
    assert audit_check.glance(written.audit_log) == found.head


def test_an_empty_log_is_good(house: Shop) -> None:
    assert verdict(house).broken is None
    assert audit_check.glance(house.audit_log).seq == 0


def test_each_entry_names_the_one_before_it(written: Shop) -> None:
    rows = list(AuditRow.select().order_by(AuditRow.seq))
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert [row.previous for row in rows] == [GENESIS, *(row.hash for row in rows[:-1])]


def test_entries_are_written_with_their_transaction(house: Shop) -> None:
    with transaction():
        audit("card.made", "card:1")
        audit("card.blocked", "card:1")
        assert actions() == []
    assert actions() == ["card.made", "card.blocked"]


def test_what_is_rolled_back_leaves_nothing(house: Shop, undone: Any) -> None:
    with undone(transaction()):
        audit("card.made")
    audit("card.blocked")
    assert actions() == ["card.blocked"]
    assert verdict(house).broken is None


def test_a_savepoint_that_is_rolled_back_takes_its_entries_along(house: Shop, undone: Any) -> None:
    with transaction():
        audit("card.made")
        with undone(transaction()):
            audit("card.burnt")
            with transaction():
                audit("card.drowned")
        with transaction():
            audit("card.blocked")
    assert actions() == ["card.made", "card.blocked"]


def test_a_commit_that_fails_leaves_nothing(house: Shop) -> None:
    database = house.databases.shop
    database.execute_sql("CREATE TABLE odd_parent (id INTEGER PRIMARY KEY)")
    database.execute_sql(
        "CREATE TABLE odd_child (id INTEGER PRIMARY KEY, parent INTEGER "
        "REFERENCES odd_parent (id) DEFERRABLE INITIALLY DEFERRED)"
    )

    def act() -> None:
        with transaction():
            audit("card.made")
            database.execute_sql("INSERT INTO odd_child (id, parent) VALUES (1, 7)")

    with pytest.raises(peewee.IntegrityError):
        act()
    assert actions() == []
    assert house.audit_log.file.read() is None
    audit("card.blocked")
    assert actions() == ["card.blocked"]
    assert verdict(house).broken is None


@POSTGRES
def test_entries_of_a_connection_that_was_lost_are_not_the_next_transactions(house: Shop) -> None:
    database = house.databases.shop

    def act() -> None:
        with transaction():
            audit("card.made")
            database.execute_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(peewee.InterfaceError):
        act()
    database.manual_close()
    audit("card.blocked")
    assert actions() == ["card.blocked"]
    assert verdict(house).broken is None


def test_an_act_that_cannot_be_recorded_is_not_done(
    house: Shop, change: Callable[..., None]
) -> None:
    change("CREATE TABLE odd_thing (id INTEGER PRIMARY KEY)")
    change("ALTER TABLE bodega_audit RENAME TO bodega_gone")

    def act() -> None:
        with transaction():
            change("INSERT INTO odd_thing (id) VALUES (1)")
            audit("card.made")

    with pytest.raises(peewee.DatabaseError):
        act()
    row = house.databases.shop.execute_sql("SELECT count(*) FROM odd_thing").fetchone()
    assert row[0] == 0


def test_a_head_file_that_cannot_be_written_does_not_undo_the_act(house: Shop) -> None:
    house.audit_log.file.path.mkdir()
    with structlog.testing.capture_logs() as logs:
        audit("card.made")
    assert actions() == ["card.made"]
    assert [line["log_level"] for line in logs] == ["error"]
    assert broken(house) == (0, "head unreadable")


@pytest.mark.parametrize("action", ["", "card", "Card.made", "card.", "card made", "c." + "x" * 99])
def test_an_action_is_a_noun_and_a_participle(house: Shop, action: str) -> None:
    with pytest.raises(ValueError, match="an action is written like"):
        audit(action)
    assert actions() == []


# What stands in details.


SECRET = ("password", "newPassword", "access_token", "api_key", "apiKey", "APIKEY", "key",
          "code", "reset-code", "recovery_codes", "Authorization", "client_secret")  # fmt: skip
PLAIN = ("name", "turkey_count", "decoder", "keyboard", "role", "encoding")


@pytest.mark.parametrize("name", SECRET)
def test_what_stands_under_a_secret_name_is_masked(house: Shop, name: str) -> None:
    assert looks_secret(name)
    audit("card.made", **{name: "hunter2", "deep": [{name: ["hunter2"]}], "unset": {name: None}})
    row = AuditRow.get()
    assert "hunter2" not in row.details
    found = json.loads(row.details)
    assert found == {name: MASK, "deep": [{name: MASK}], "unset": {name: None}}


@pytest.mark.parametrize("name", PLAIN)
def test_what_stands_under_another_name_is_not(name: str) -> None:
    assert not looks_secret(name)


def test_long_values_are_shortened(house: Shop) -> None:
    audit("card.made", "t" * 5000, text="x" * 5000, many=list(range(5000)))
    row = AuditRow.get()
    assert len(row.target) == 200
    assert len(json.loads(row.details)["text"]) == 500
    audit("card.made", **{f"detail{number}": "灯" * 5000 for number in range(100)})
    audit("card.made", **{"n" * 5000 + str(number): "x" for number in range(100)})
    assert all(len(row.details) <= LARGEST for row in AuditRow.select())
    assert verdict(house).broken is None


@pytest.mark.parametrize(
    "value",
    [
        "a\0b", "\ud800", "灯 🪔", 'q"\\', 0.1, 1e16, 1e300, float("nan"), 2**80, -0.0, True, None,
        [], {}, {1: {2: {3: {4: {5: {6: {7: 8}}}}}}}, {"b": 1, "a": 2}, b"\xff", {1, 2}, object,
    ],
    ids=repr,
)  # fmt: skip
def test_whatever_is_written_is_read_back_as_it_was_sealed(house: Shop, value: Any) -> None:
    with calling(Caller(f"command:{value}", str(value), str(value))):
        audit("card.made", f"card:{value}", value=value)
    json.loads(AuditRow.get().details)
    assert verdict(house).broken is None


# Somebody tampers.


EDITS = {
    "at": "2020-01-01T00:00:00.000000Z", "actor": "account:9", "action": "card.made",
    "target": "card:9", "address": "198.51.100.1", "request_id": "other", "details": "{}",
    "previous": "f" * 64, "hash": "f" * 64,
}  # fmt: skip


@pytest.mark.parametrize("column", EDITS)
def test_an_edited_column_is_noticed(
    written: Shop, change: Callable[..., None], column: str
) -> None:
    change(f"UPDATE bodega_audit SET {column} = ? WHERE seq = 3", EDITS[column])
    assert broken(written) == (3, "edited")


def test_every_column_of_the_table_is_held_against_its_hash() -> None:
    assert {*EDITS, "seq"} == set(AuditRow._meta.columns)


def test_an_instant_that_no_datetime_can_hold_is_noticed(
    written: Shop, change: Callable[..., None]
) -> None:
    change("UPDATE bodega_audit SET at = ? WHERE seq = 3", "infinity")
    assert broken(written) == (3, "edited")


@pytest.mark.parametrize(("seq", "found"), [(1, (1, "missing")), (3, (3, "missing"))])
def test_a_deleted_entry_is_noticed(
    written: Shop, change: Callable[..., None], seq: int, found: tuple[int, str]
) -> None:
    change("DELETE FROM bodega_audit WHERE seq = ?", seq)
    assert broken(written) == found


def test_an_entry_that_was_moved_is_noticed(written: Shop, change: Callable[..., None]) -> None:
    change("UPDATE bodega_audit SET seq = 300 WHERE seq = 3")
    assert broken(written) == (3, "missing")


@pytest.mark.parametrize("place", [0, -4])
def test_a_row_where_none_can_be_is_noticed(
    written: Shop, change: Callable[..., None], place: int
) -> None:
    values = ", ".join(str(place) if name == "seq" else name for name in COLUMNS.split(", "))
    change(f"INSERT INTO bodega_audit ({COLUMNS}) SELECT {values} FROM bodega_audit WHERE seq = 2")
    assert broken(written) == (0, "rows outside")


def test_two_entries_that_changed_places_are_noticed(
    written: Shop, change: Callable[..., None]
) -> None:
    for before, after in ((2, 90), (4, 2), (90, 4)):
        change("UPDATE bodega_audit SET seq = ? WHERE seq = ?", after, before)
    assert broken(written) == (2, "reordered")
    assert "it was written as entry 4" in str(verdict(written).broken)


def cut(change: Callable[..., None], seq: int) -> None:
    """Delete the entries behind a place, and set the head back to it."""
    change("DELETE FROM bodega_audit WHERE seq > ?", seq)
    change(
        "UPDATE bodega_audit_head SET seq = ?, "
        "hash = (SELECT hash FROM bodega_audit WHERE bodega_audit.seq = ?)", seq, seq
    )  # fmt: skip


def test_a_tail_that_was_cut_off_is_noticed(written: Shop, change: Callable[..., None]) -> None:
    change("DELETE FROM bodega_audit WHERE seq > 3")
    written.audit_log.file.put(None)
    assert broken(written) == (4, "tail cut")


def test_a_tail_that_was_cut_off_with_the_head_set_back_is_noticed_by_the_file(
    written: Shop, change: Callable[..., None]
) -> None:
    cut(change, 3)
    assert broken(written) == (4, "tail cut")
    with pytest.raises(Exception, match="head names entry 5"):
        audit_check.glance(written.audit_log)


def test_a_tail_that_was_cut_off_with_the_file_is_noticed_by_a_head_kept_elsewhere(
    written: Shop, change: Callable[..., None]
) -> None:
    kept = last_head(written)
    cut(change, 3)
    written.audit_log.file.put(last_head(written))
    assert verdict(written).broken is None
    assert broken(written, kept) == (4, "tail cut")


def test_a_log_that_was_cut_and_grew_again_does_not_wipe_away_the_trace(
    written: Shop, change: Callable[..., None]
) -> None:
    kept = last_head(written)
    cut(change, 3)
    with structlog.testing.capture_logs() as logs:
        for number in range(4):
            audit("card.made", f"card:{number}")
    assert written.audit_log.file.read() == kept
    assert any("cut off" in line["event"] for line in logs)
    assert broken(written) == (5, "tail cut")
    with pytest.raises(Exception, match="at entry 5"):
        audit_check.glance(written.audit_log)


def test_an_entry_of_a_log_that_was_set_back_is_noticed_in_the_one_that_followed(
    written: Shop, change: Callable[..., None]
) -> None:
    change("CREATE TABLE odd_kept AS SELECT * FROM bodega_audit WHERE seq = 4")
    cut(change, 2)
    written.audit_log.file.put(last_head(written))
    for number in range(3):
        audit("card.made", f"card:{number}")
    change("DELETE FROM bodega_audit WHERE seq = 4")
    change("INSERT INTO bodega_audit SELECT * FROM odd_kept")
    assert broken(written) == (4, "reordered")


def test_the_whole_log_emptied_is_noticed(written: Shop, change: Callable[..., None]) -> None:
    change("DELETE FROM bodega_audit")
    change("UPDATE bodega_audit_head SET seq = 0, hash = ?", GENESIS)
    assert broken(written) == (1, "tail cut")


@pytest.mark.parametrize(
    ("seq", "digest", "found"),
    [
        (5, "f" * 64, (5, "head forged")),
        (3, "f" * 64, (3, "head forged")),
        (9, "f" * 64, (6, "tail cut")),
    ],
)
def test_a_forged_head_is_noticed(
    written: Shop, change: Callable[..., None], seq: int, digest: str, found: tuple[int, str]
) -> None:
    change("UPDATE bodega_audit_head SET seq = ?, hash = ?", seq, digest)
    assert broken(written) == found
    with pytest.raises(Exception, match="the audit log is broken"):
        audit_check.glance(written.audit_log)


def test_a_head_that_is_gone_is_noticed(written: Shop, change: Callable[..., None]) -> None:
    change("DELETE FROM bodega_audit_head")
    assert broken(written) == (5, "head forged")


def test_the_log_goes_on_whatever_was_done_to_its_head(
    written: Shop, change: Callable[..., None]
) -> None:
    change("DELETE FROM bodega_audit_head")
    audit("card.made")
    change("UPDATE bodega_audit_head SET seq = 2, hash = ?", "f" * 64)
    audit("card.made")
    assert verdict(written).broken is None
    assert verdict(written).entries == 7


def forge(written: Shop, seal: Callable[[bytes], str], first: int) -> None:
    """Give the log another entry and hashes that somebody without the key can compute."""
    columns = COLUMNS.split(", ")
    previous = AuditRow.get_by_id(first - 1).hash
    AuditRow.insert(
        seq=6, at=AuditRow.get_by_id(5).at, actor="account:1", action="card.made", target="",
        address="", request_id="", details="{}", previous="", hash="",
    ).execute()  # fmt: skip
    AuditRow.update(actor="account:mallory").where(AuditRow.seq == first).execute()
    for row in AuditRow.select().where(AuditRow.seq >= first).order_by(AuditRow.seq):
        told = [f"{row.at:%Y-%m-%dT%H:%M:%S.%fZ}" if name == "at" else getattr(row, name)
                for name in columns[:-2]]  # fmt: skip
        digest = seal(json.dumps([*told, previous], separators=(",", ":")).encode())
        AuditRow.update(previous=previous, hash=digest).where(AuditRow.seq == row.seq).execute()
        previous = digest
    AuditHeadRow.update(seq=6, hash=previous).execute()


def test_hashes_computed_without_the_secret_key_are_noticed(written: Shop) -> None:
    forge(written, lambda told: hashlib.sha256(told).hexdigest(), first=3)
    assert broken(written) == (3, "edited")


def test_hashes_computed_with_another_key_are_noticed(written: Shop) -> None:
    forge(written, lambda told: hmac.new(b"guess", told, hashlib.sha256).hexdigest(), first=6)
    assert broken(written) == (6, "edited")


def test_with_the_secret_key_it_would_pass(written: Shop) -> None:
    """That the two tests before this one forge well, but for the key."""
    key = written.audit_log.key
    forge(written, lambda told: hmac.new(key, told, hashlib.sha256).hexdigest(), first=6)
    assert verdict(written).broken is None


def test_only_an_operator_has_the_file_follow_a_log_that_lost_its_tail(
    written: Shop, change: Callable[..., None], terminal: Any
) -> None:
    cut(change, 3)
    refused = terminal.run("audit", "head", "--accept", given="n\n")
    assert refused.returncode != 0
    assert broken(written) == (4, "tail cut")
    accepted = terminal.run("audit", "head", "--accept", "--yes")
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout.strip() == str(last_head(written))
    assert verdict(written).broken is None
    assert details_of("audit.head_accepted")["was"].startswith("5:")


# Many at once.


def test_threads_make_one_chain(house: Shop, threads: Any) -> None:
    def act(number: int) -> None:
        for turn in range(6):
            with transaction():
                audit("card.made", f"card:{number}", turn=turn)
                audit("card.blocked", f"card:{number}", turn=turn)

    threads.run(*(lambda number=number: act(number) for number in range(16)))
    found = verdict(house)
    assert found.broken is None
    assert found.entries == 16 * 6 * 2
    assert house.audit_log.file.read() == found.head


_PROCESS = """
import sys
from bodega.settings import read_settings
from bodega.shop import Shop
from bodega_sdk import audit
from bodega_sdk.runtime import bound

shop = Shop(read_settings(), connections=2)
shop.refresh()
with bound(shop.current):
    for turn in range(60):
        audit("card.made", f"card:{sys.argv[1]}", turn=turn)
"""


def test_a_commit_that_comes_late_to_the_file_does_not_set_it_back(written: Shop) -> None:
    file, last = written.audit_log.file, last_head(written)
    rows = {row.seq: Head(row.seq, row.hash) for row in AuditRow.select()}
    assert file.advance(rows[2], rows[3], written.audit_log.hash_of)
    assert file.read() == last


def test_processes_make_one_chain(house: Shop, terminal: Any) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", _PROCESS, name], env=terminal.environ)
        for name in ("one", "two")
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    found = verdict(house)
    assert found.broken is None
    assert found.entries == 120
    assert house.audit_log.file.read() == found.head
    assert {row.target for row in AuditRow.select()} == {"card:one", "card:two"}


@POSTGRES
def test_transactions_that_audit_do_not_wait_for_each_other_before_they_end(
    house: Shop, threads: Any
) -> None:
    with transaction():
        audit("card.made")
        threads.start(lambda: audit("card.blocked")).result(5)
    assert actions() == ["card.blocked", "card.made"]
    assert verdict(house).broken is None

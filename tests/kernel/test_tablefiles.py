"""Tables in a zip file and back: every value, in order, whole or not at all."""

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as some

from bodega.database.connection import is_postgres, open_databases
from bodega.database.structure import load_order, quoted, tables_of, undisturbed
from bodega.errors import OperatorError
from bodega.settings import Settings
from bodega.tablefiles import TableFile, dump_table, load_table, load_tables

# Tests make their own tables.
pytestmark = pytest.mark.from_nothing

TEXTS = [
    "", " ", "NULL", "\\N", "\\.", "\\", "\\\\n", "'", '"', '""', ",", "a\tb", "a\nb", "a\r\nb",
    "\r", "%s %(x)s %%", "ünï", "日本語", "🪔", "e\u0301", "\u2028\u2029\x85\ufeff", "\x01\x1f\x7f",
    "{}", "[null]", '{"$b64": "AA=="}', "x" * 70_000,
]  # fmt: skip
INTEGERS = [0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63)]
FLOATS = [0.0, -0.0, 0.1, 1 / 3, 1e308, 5e-324, float("inf"), float("-inf")]
ODD = 'odd "name", really'
POSTGRES = f"""CREATE TABLE {quoted(ODD)} (id BIGSERIAL PRIMARY KEY, txt TEXT, short VARCHAR(9),
    number BIGINT, ratio DOUBLE PRECISION, exact NUMERIC, yes BOOLEAN, "order" JSONB, key UUID,
    at TIMESTAMPTZ, raw BYTEA, many TEXT[], day DATE, long INTERVAL)"""
SQLITE = f"""CREATE TABLE {quoted(ODD)} (id INTEGER PRIMARY KEY AUTOINCREMENT, txt TEXT,
    short VARCHAR(9), number BIGINT, ratio REAL, "order" JSON, raw BLOB, anything)"""


@pytest.fixture
def database(settings: Settings) -> Iterator[Any]:
    """An empty database."""
    databases = open_databases(settings, connections=3)
    yield databases.shop
    databases.close()


@pytest.fixture
def bundle_of(database: Any, tmp_path: Path) -> Callable[..., tuple[list[TableFile], Path]]:
    """Write tables to a zip file; return their entries and its path."""

    def dump(*tables: str, name: str = "tables.zip") -> tuple[list[TableFile], Path]:
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as bundle:
            entries = [dump_table(database, table, bundle) for table in tables]
        return entries, tmp_path / name

    return dump


def run(database: Any, *statements: str) -> None:
    for statement in statements:
        database.execute_sql(statement)


def rows_of(database: Any, table: str) -> list[Any]:
    """Return the rows as the engine prints them, so that nothing is rounded on the way."""
    if is_postgres(database):
        query = f"SELECT t.*::text FROM {quoted(table)} t ORDER BY 1"
        return [row[0] for row in database.execute_sql(query).fetchall()]
    names = [column.name for column in database.get_columns(table)]
    shown = ", ".join(f"typeof({quoted(name)}), {quoted(name)}" for name in names)
    found = database.execute_sql(f"SELECT {shown} FROM {quoted(table)} ORDER BY rowid").fetchall()
    return [repr(row) for row in found]


def insert(database: Any, **values: Any) -> None:
    marks = ", ".join([database.param] * len(values))
    names = ", ".join(map(quoted, values))
    statement = f"INSERT INTO {quoted(ODD)} ({names}) VALUES ({marks})"
    database.execute_sql(statement, tuple(values.values()))


@pytest.fixture
def odd(database: Any) -> Any:
    """A database with a table of odd values."""
    run(database, POSTGRES if is_postgres(database) else SQLITE)
    for text in TEXTS:
        insert(database, txt=text, short=text[:9], order=json.dumps({"k": text, text[:50]: None}))
    for number in INTEGERS:
        insert(database, number=number, ratio=float(number), order=json.dumps([number]))
    for ratio in FLOATS:
        insert(database, ratio=ratio)
    for raw in (b"", b"\0\xff\n\t\\", bytes(range(256)) * 300):
        insert(database, raw=raw)
    insert(database, txt=None)
    if is_postgres(database):
        insert(database, ratio=float("nan"), exact="12345678901234567890.123456789", yes=False)
        insert(
            database, key="0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", at="2026-02-28T23:59:59.999999Z"
        )
        insert(database, at="0044-03-15 12:00:00 BC", many=["", None, "a,b", '"'], yes=True)
        insert(database, day="9999-12-31", long="1 year 2 days -3.5 seconds", at="infinity")
    else:
        for value in (1, 1.0, "1", b"1", None, 2**62, -1.5):
            insert(database, anything=value, number=value, ratio=value, txt=value)
    return database


def test_every_value_comes_back_as_it_was(odd: Any, bundle_of: Any) -> None:
    before = rows_of(odd, ODD)
    [entry], path = bundle_of(ODD)
    assert entry.rows == len(before)
    run(odd, f"DELETE FROM {quoted(ODD)}")
    with zipfile.ZipFile(path) as bundle:
        assert load_table(odd, entry, bundle) == len(before)
    assert rows_of(odd, ODD) == before


TEXT = some.text(some.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
ROW = some.tuples(
    some.none() | TEXT,
    some.none() | some.integers(-(2**63), 2**63 - 1),
    some.none() | some.floats(allow_nan=False),
    some.none() | some.binary(max_size=20),
)


@given(some.lists(ROW, max_size=5))
@examples(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_stored_comes_back(database: Any, tmp_path: Path, rows: list[Any]) -> None:
    run(database, f"DROP TABLE IF EXISTS {quoted(ODD)}")
    run(database, POSTGRES if is_postgres(database) else SQLITE)
    for txt, number, ratio, raw in rows:
        insert(database, txt=txt, number=number, ratio=ratio, raw=raw)
    before = rows_of(database, ODD)
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as bundle:
        entry = dump_table(database, ODD, bundle)
    run(database, f"DELETE FROM {quoted(ODD)}")
    with zipfile.ZipFile(tmp_path / "some.zip") as bundle:
        load_table(database, entry, bundle)
    assert rows_of(database, ODD) == before


def test_two_files_of_one_table_are_the_same_and_in_the_order_of_its_key(
    database: Any, bundle_of: Any
) -> None:
    run(database, "CREATE TABLE pair (one TEXT, two INTEGER, PRIMARY KEY (two, one))")
    rows = [("b", 1), ("a", 2), ("a", 1), ("c", 0)]
    for order, name in ((rows, "first.zip"), (rows[::-1], "second.zip")):
        run(database, "DELETE FROM pair")
        for row in order:
            mark = database.param
            database.execute_sql(f"INSERT INTO pair VALUES ({mark}, {mark})", row)
        [entry], path = bundle_of("pair", name=name)
        with zipfile.ZipFile(path) as bundle:
            content = bundle.read(entry.member)
        expected = "c\t0\na\t1\nb\t1\na\t2\n" if is_postgres(database) else (
            '["c",0]\n["a",1]\n["b",1]\n["a",2]\n'
        )  # fmt: skip
        assert content.decode() == expected


def test_an_entry_survives_json(odd: Any, bundle_of: Any) -> None:
    [entry], _ = bundle_of(ODD)
    assert TableFile.from_json(json.loads(json.dumps(asdict(entry)))) == entry


def test_ids_go_on_behind_those_that_were_loaded(odd: Any, bundle_of: Any) -> None:
    [entry], path = bundle_of(ODD)
    run(odd, f"DROP TABLE {quoted(ODD)}", POSTGRES if is_postgres(odd) else SQLITE)
    with zipfile.ZipFile(path) as bundle:
        load_table(odd, entry, bundle)
    insert(odd, txt="new")
    newest = odd.execute_sql(f"SELECT max(id) FROM {quoted(ODD)} WHERE txt = 'new'").fetchone()[0]
    assert newest == entry.rows + 1


def test_a_generated_column_is_computed_again(database: Any, bundle_of: Any) -> None:
    always = "GENERATED ALWAYS AS (price * 2) STORED"
    run(
        database,
        f"CREATE TABLE twice (id INTEGER PRIMARY KEY, price INTEGER, both INTEGER {always})"
        .replace("both", '"both"'),
        "INSERT INTO twice (id, price) VALUES (1, 21)",
    )  # fmt: skip
    [entry], path = bundle_of("twice")
    assert entry.columns == ("id", "price")
    run(database, "DELETE FROM twice")
    with zipfile.ZipFile(path) as bundle:
        load_table(database, entry, bundle)
    assert database.execute_sql("SELECT * FROM twice").fetchall() == [(1, 21, 42)]


def test_other_columns_are_refused_by_name(odd: Any, bundle_of: Any) -> None:
    [entry], path = bundle_of(ODD)
    run(odd, f"DELETE FROM {quoted(ODD)}", f"ALTER TABLE {quoted(ODD)} ADD COLUMN colour TEXT")
    run(odd, f"ALTER TABLE {quoted(ODD)} RENAME COLUMN short TO shorter")
    with (
        zipfile.ZipFile(path) as bundle,
        pytest.raises(
            OperatorError, match="only in the file: short; only in the table: colour, shorter; load"
        ),
    ):
        load_table(odd, entry, bundle)
    assert rows_of(odd, ODD) == []


def test_a_table_that_is_not_there_is_neither_written_nor_loaded(odd: Any, bundle_of: Any) -> None:
    [entry], path = bundle_of(ODD)
    with pytest.raises(OperatorError, match="there is no table nowhere"):
        bundle_of("nowhere", name="other.zip")
    with zipfile.ZipFile(path) as bundle, pytest.raises(OperatorError, match="in the table: none"):
        load_table(odd, replace(entry, table="nowhere"), bundle)
    assert len(rows_of(odd, ODD)) == entry.rows


def test_a_table_that_is_not_empty_is_refused(odd: Any, bundle_of: Any) -> None:
    [entry], path = bundle_of(ODD)
    with zipfile.ZipFile(path) as bundle, pytest.raises(OperatorError, match="is not empty"):
        load_table(odd, entry, bundle)
    assert len(rows_of(odd, ODD)) == entry.rows


def damaged(path: Path, member: str, change: Callable[[bytes], bytes]) -> Path:
    """Return a zip file in which the content of a member is another."""
    target = path.with_name("damaged.zip")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as bundle:
        for name in source.namelist():
            content = source.read(name)
            bundle.writestr(name, change(content) if name == member else content)
    return target


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda content: content[: content.rindex(b"\n", 0, -1) + 1], "rows, expected"),
        (lambda content: content + content[-30:], "expected|checksum"),
        (lambda content: content[:-5] + b"!" + content[-4:], "checksum"),
        (lambda content: b"", "has 0 rows"),
    ],
    ids=["a row is missing", "something is added", "one byte is another", "it is empty"],
)
def test_a_damaged_file_is_refused_and_nothing_is_written(
    odd: Any, bundle_of: Any, change: Callable[[bytes], bytes], told: str
) -> None:
    [entry], path = bundle_of(ODD)
    run(odd, f"DELETE FROM {quoted(ODD)}")
    with (
        zipfile.ZipFile(damaged(path, entry.member, change)) as bundle,
        pytest.raises(OperatorError, match=told),
    ):
        load_table(odd, entry, bundle)
    assert rows_of(odd, ODD) == []


def test_a_member_that_cannot_be_unpacked_is_refused(odd: Any, bundle_of: Any) -> None:
    [entry], path = bundle_of(ODD)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with zipfile.ZipFile(path) as bundle, pytest.raises(OperatorError, match="is damaged"):
        load_table(odd, entry, bundle)
    with zipfile.ZipFile(path) as bundle, pytest.raises(OperatorError, match="is damaged"):
        load_table(odd, replace(entry, member="tables/none"), bundle)


def test_rows_that_the_table_refuses_are_told_and_none_is_left(
    database: Any, bundle_of: Any
) -> None:
    run(database, "CREATE TABLE colour (id INTEGER PRIMARY KEY, name TEXT)")
    run(database, "INSERT INTO colour VALUES (1, 'red'), (2, NULL)")
    [entry], path = bundle_of("colour")
    run(database, "DROP TABLE colour")
    run(database, "CREATE TABLE colour (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    with (
        zipfile.ZipFile(path) as bundle,
        pytest.raises(OperatorError, match=r"table colour cannot be loaded: .*(?i:not.null)"),
    ):
        load_table(database, entry, bundle)
    assert rows_of(database, "colour") == []


FAMILY = (
    "CREATE TABLE z_parent (id INTEGER PRIMARY KEY)",
    "CREATE TABLE m_child (id INTEGER PRIMARY KEY, p INTEGER NOT NULL REFERENCES z_parent (id))",
    "CREATE TABLE a_toy (id INTEGER PRIMARY KEY, c INTEGER NOT NULL REFERENCES m_child (id),"
    " next INTEGER REFERENCES a_toy (id))",
)


def test_tables_are_loaded_behind_those_that_they_point_to(database: Any, bundle_of: Any) -> None:
    run(database, *FAMILY)
    run(database, "INSERT INTO z_parent VALUES (1)", "INSERT INTO m_child VALUES (1, 1)")
    run(database, "INSERT INTO a_toy VALUES (1, 1, NULL)", "INSERT INTO a_toy VALUES (2, 1, 1)")
    run(database, "UPDATE a_toy SET next = 2 WHERE id = 1")
    assert load_order(database, ["a_toy", "m_child", "z_parent"]) == [
        "z_parent", "m_child", "a_toy",
    ]  # fmt: skip
    entries, path = bundle_of("a_toy", "m_child", "z_parent")
    run(database, "UPDATE a_toy SET next = NULL")
    run(database, "DELETE FROM a_toy", "DELETE FROM m_child", "DELETE FROM z_parent")
    told: list[tuple[str, int]] = []
    with zipfile.ZipFile(path) as bundle:
        assert load_tables(database, entries, bundle, lambda *seen: told.append(seen)) == 4
    assert told == [("z_parent", 1), ("m_child", 1), ("a_toy", 2)]
    assert database.execute_sql("SELECT id, next FROM a_toy ORDER BY 1").fetchall() == [
        (1, 2), (2, 1),
    ]  # fmt: skip


def test_rows_that_point_to_nothing_are_not_loaded(database: Any, bundle_of: Any) -> None:
    run(database, *FAMILY)
    run(database, "INSERT INTO z_parent VALUES (1)", "INSERT INTO m_child VALUES (1, 1)")
    entries, path = bundle_of("m_child", "z_parent")
    run(database, "DELETE FROM m_child", "DELETE FROM z_parent")
    with zipfile.ZipFile(path) as bundle, pytest.raises(Exception, match=r"(?i)foreign key"):
        load_tables(database, [entries[0]], bundle)
    assert rows_of(database, "m_child") == []


def circle(database: Any, how: str) -> None:
    """Make two tables that point to each other."""
    run(database, "CREATE TABLE egg (id INTEGER PRIMARY KEY, hen INTEGER)")
    run(
        database,
        f"CREATE TABLE hen (id INTEGER PRIMARY KEY, egg INTEGER REFERENCES egg (id) {how})",
    )
    if is_postgres(database):
        run(database, f"ALTER TABLE egg ADD FOREIGN KEY (hen) REFERENCES hen (id) {how}")
    else:
        run(database, "DROP TABLE egg")
        run(database, "CREATE TABLE egg (id INTEGER PRIMARY KEY, hen INTEGER REFERENCES hen (id))")
    run(database, "INSERT INTO egg VALUES (1, NULL)", "INSERT INTO hen VALUES (1, 1)")
    run(database, "UPDATE egg SET hen = 1")


@pytest.mark.parametrize("how", ["", "DEFERRABLE"])
def test_a_circle_of_foreign_keys_is_deferred_or_told(
    database: Any, bundle_of: Any, how: str
) -> None:
    circle(database, how)
    entries, path = bundle_of("egg", "hen")
    run(database, "UPDATE egg SET hen = NULL", "DELETE FROM hen", "DELETE FROM egg")
    with zipfile.ZipFile(path) as bundle:
        if is_postgres(database) and not how:
            with pytest.raises(OperatorError, match="egg → hen → egg form a circle"):
                load_tables(database, entries, bundle)
            assert rows_of(database, "egg") == rows_of(database, "hen") == []
        else:
            assert load_tables(database, entries, bundle) == 2
            assert database.execute_sql("SELECT hen FROM egg").fetchall() == [(1,)]


def trigger(database: Any) -> None:
    """Make a table whose every new row is noted in another one."""
    run(
        database, "CREATE TABLE thing (id INTEGER PRIMARY KEY)", "CREATE TABLE note (thing INTEGER)"
    )
    if is_postgres(database):
        run(
            database,
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN INSERT INTO note VALUES (NEW.id); RETURN NEW; END $$",
            "CREATE TRIGGER noting AFTER INSERT ON thing FOR EACH ROW EXECUTE FUNCTION note()",
            "CREATE TRIGGER asleep AFTER INSERT ON thing FOR EACH ROW EXECUTE FUNCTION note()",
            "ALTER TABLE thing DISABLE TRIGGER asleep",
        )
    else:
        run(
            database,
            "CREATE TRIGGER noting AFTER INSERT ON thing "
            "BEGIN INSERT INTO note VALUES (NEW.id); END",
        )


def test_triggers_do_not_fire_while_rows_are_loaded_and_fire_again_afterwards(
    database: Any, bundle_of: Any
) -> None:
    trigger(database)
    run(database, "INSERT INTO thing VALUES (1), (2)")
    entries, path = bundle_of("note", "thing")
    run(database, "DELETE FROM thing", "DELETE FROM note")
    with zipfile.ZipFile(path) as bundle:
        assert load_tables(database, entries, bundle) == 4
    run(database, "INSERT INTO thing VALUES (3)")
    noted = database.execute_sql("SELECT thing FROM note ORDER BY 1").fetchall()
    assert noted == [(1,), (2,), (3,)]


def test_triggers_are_there_again_when_loading_fails(database: Any) -> None:
    trigger(database)
    with pytest.raises(ZeroDivisionError), database.atomic(), undisturbed(database, ["thing"]):
        1 / 0  # noqa: B018
    run(database, "INSERT INTO thing VALUES (3)")
    assert database.execute_sql("SELECT thing FROM note").fetchall() == [(3,)]


def test_only_the_users_tables_are_listed(odd: Any) -> None:
    run(odd, "CREATE VIEW a_view AS SELECT 1 AS one", "CREATE TABLE b (id INTEGER PRIMARY KEY)")
    if is_postgres(odd):
        run(odd, "CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.c (id INTEGER)")
        run(
            odd, "CREATE TEMP TABLE d (id INTEGER)", "CREATE MATERIALIZED VIEW e AS SELECT 1 AS one"
        )
        assert tables_of(odd) == ["b", ODD]
    else:
        run(odd, "CREATE TEMP TABLE d (id INTEGER)", "CREATE VIRTUAL TABLE words USING fts5 (text)")
        run(odd, "ANALYZE")
        shadows = [f"words_{name}" for name in ("config", "content", "data", "docsize", "idx")]
        assert tables_of(odd) == ["b", ODD, *shadows]

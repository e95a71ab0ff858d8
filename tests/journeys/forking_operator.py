"""An operator that fails on demand, a process for each command; a program for the tests.

It reads a line of JSON for each command from its standard input, runs ``bodega`` in a
fork of itself, which saves the time of starting Python, and writes a line of JSON with
what came of it. What shall fail is wrapped from outside, in the fork.
"""

import importlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import peewee
import psycopg2

from bodega.addons.discovery import discover
from bodega.addons.loading import load
from bodega.cli import main
from bodega.database.connection import is_postgres
from bodega.settings import read_settings
from bodega.shop import Shop
from bodega_sdk import models
from bodega_sdk.runtime import bound

_WRITE = re.compile(r"\s*(CREATE|ALTER|DROP|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
#: Seconds after which a fork is killed.
_LONGEST = 60
#: What a fork counts: whether what shall fail was reached, and writes to the shop's database.
_told: dict[str, int] = {"fired": 0, "writes": 0}


def _know_the_house() -> None:
    """Import what commands would import again in each fork: the kernel, the addons of the house."""
    for module in ("bodega.cli.addons", "bodega.addons.archive", "bodega.http.app"):
        importlib.import_module(module)
    for manifest in discover().manifests.values():
        load(manifest)


def serve() -> None:
    """Run commands until the end of the input."""
    _know_the_house()
    for line in sys.stdin:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _be_operator(json.loads(line), writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            output = pipe.read().decode(errors="replace")
        ended = os.waitpid(pid, 0)[1]
        text, _, told = output.rpartition("\0")
        answer = {"output": text} | json.loads(told or "{}")
        if os.WIFSIGNALED(ended) and os.WTERMSIG(ended) == signal.SIGKILL:
            answer = {"output": output, "codes": [-signal.SIGKILL], "fired": 1, "seen": []}
        print(json.dumps(answer), flush=True)


def _be_operator(request: dict[str, Any], output: int) -> None:
    signal.alarm(_LONGEST)
    codes: list[int] = []
    seen: list[Any] = []
    for stream in (1, 2):
        os.dup2(output, stream)
    try:
        os.environ.update(request["environ"])
        sys.path.insert(0, request["site"])
        peewee.Database.execute_sql = _counted(peewee.Database.execute_sql, request.get("write"))
        if fault := request.get("fault"):
            _arm(*fault)
        for arguments in request["commands"]:
            if arguments == ["look"]:
                seen.append(_look())
            else:
                codes.append(_command(arguments))
    except BaseException as error:
        print(f"{type(error).__name__}: {error}")
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(output, b"\0")
    for piece in _pieces(json.dumps(_told | {"codes": codes, "seen": seen}).encode()):
        os.write(output, piece)
    os._exit(0)


def _pieces(data: bytes) -> list[bytes]:
    return [data[at : at + 4096] for at in range(0, len(data), 4096)]


def _command(arguments: list[str]) -> int:
    if arguments[0] == "fill":
        _fill()
        return 0
    try:
        main(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    except Exception as error:  # What would end a process with a traceback.
        print(f"{type(error).__name__}: {error}")
        return 1
    return 0


# Failing.


def _arm(module: str, name: str, when: str, nth: int, how: str) -> None:
    """Have the n-th call of a function fail, before or after it did its work."""
    place: Any = importlib.import_module(module)
    *path, name = name.split(".")
    for part in path:
        place = getattr(place, part)
    real, calls = getattr(place, name), [0]

    def failing(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == nth and when == "before":
            _fail(how)
        result = real(*args, **kwargs)
        if calls[0] == nth and when == "after":
            _fail(how)
        return result

    setattr(place, name, failing)


def _counted(real: Callable[..., Any], fail_at: int | None) -> Callable[..., Any]:
    """Count the writes to the shop's database; one of them fails before it is executed."""

    def execute_sql(self: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
        if self is models.database.obj and _WRITE.match(sql):
            _told["writes"] += 1
            if _told["writes"] == fail_at:
                _fail("error")
        return real(self, sql, *args, **kwargs)

    return execute_sql


def _fail(how: str) -> None:
    _told["fired"] += 1
    database = models.database.obj
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "error":
        raise RuntimeError("something failed")
    if how == "full":
        # Every write to a file fails from now on.
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    elif not is_postgres(database):
        database.connection().close()
    elif how == "lost":
        _terminate(database, "TRUE")
    else:
        _terminate(database, "application_name LIKE '% by %@% pid %'")
        _let_another_recover()


def _let_another_recover() -> None:
    """Run a command of another operator, which sees the same packages."""
    told = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "bodega", "addons", "list"]
    subprocess.run(command, env=told, stdout=subprocess.DEVNULL, check=True)


def _terminate(database: Any, which: str) -> None:
    """Have the server end connections of this database: all of them are the operator's."""
    with psycopg2.connect(dbname=database.database, **database.connect_params) as connection:
        connection.cursor().execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            f"WHERE datname = current_database() AND pid <> pg_backend_pid() AND {which}"
        )
    connection.close()


# What it works on, and what can be seen of it.


def _fill() -> None:
    """Write what the addons keep: rows, jobs, events, a setting, a file."""
    from bodega.database.tables import ScheduleRow, SettingRow

    shop = Shop(read_settings())
    shop.refresh()
    with bound(shop.current), shop.transaction():
        write_note = importlib.import_module("bodega_sample_notes.writing").write_note
        pin = importlib.import_module("bodega_sample_pins.models").Pin
        for number in range(3):
            pin.create(note=str(write_note(f"Note {number}").id), place=number)
        SettingRow.create(name="notes.longest", value=70)
        ScheduleRow.create(name="notes.forget_empty", due=models.now())
    (shop.current.folder("notes") / "kept").write_text("kept")


def _look() -> dict[str, Any]:
    """Return all that must be wholly before or wholly after, as a process sees it that starts."""
    shop = Shop(read_settings())
    assembly = shop.refresh()
    home, database = shop.settings.home, shop.databases.shop
    rows = {f"rows of {table}": _rows(database, table) for table in _tables(database)}
    return rows | {
        "schema": _schema(database),
        "routes": sorted(f"{r.method} {r.path}" for a in assembly.addons for r in a.routes),
        "schedules": sorted(job.name for job in assembly.jobs.values() if job.every),
        "faults": sorted(map(str, assembly.faults.values())),
        "archives": sorted(path.suffix for path in home.glob("archives/*")),
        "files": sorted(str(path.relative_to(home)) for path in home.glob("files/notes/*")),
    }


def _schema(database: Any) -> list[Any]:
    if not is_postgres(database):
        query = "SELECT name, sql FROM sqlite_master ORDER BY name"
        return [list(row) for row in database.execute_sql(query).fetchall()]
    queries = (
        "SELECT table_schema, table_name, column_name, data_type, is_nullable "
        "FROM information_schema.columns WHERE table_schema NOT IN "
        "('pg_catalog', 'information_schema') ORDER BY 1, 2, 3",
        "SELECT schemaname, indexname, indexdef FROM pg_indexes "
        "WHERE schemaname NOT LIKE 'pg\\_%%' ORDER BY 1, 2",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bodega%%'",
    )
    return [list(row) for query in queries for row in database.execute_sql(query).fetchall()]


def _tables(database: Any) -> list[str]:
    # Recovering raises the versions of what it writes to, and the generation; it is recorded.
    changing = {
        "bodega_process", "bodega_collection", "bodega_counter", "bodega_audit", "bodega_audit_head"
    }  # fmt: skip
    return sorted(set(database.get_tables()) - changing)


def _rows(database: Any, table: str) -> list[str]:
    """Return a table's rows without the columns that say when a verb was done."""
    doing = table == "bodega_addon" or table.endswith("_migration")
    times = ("installed_at", "applied_at", "applied", "id", "fault") if doing else ()
    columns = [c.name for c in database.get_columns(table) if c.name not in times]
    listed = ", ".join(f'"{name}"' for name in columns)
    # What is remembered of an addon that was refused is for whoever looks why.
    where = "WHERE installed OR enabled" if table == "bodega_addon" else ""
    rows = database.execute_sql(f'SELECT {listed} FROM "{table}" {where}').fetchall()
    return sorted(str(row) for row in rows)


if __name__ == "__main__":
    serve()

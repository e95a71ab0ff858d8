"""``bodega doctor``: is this machine and this shop in order?"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

import click

from bodega.cli.context import Context, home_option
from bodega_sdk.errors import BodegaError


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    check: str
    ok: bool
    detail: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def doctor(context: Context, as_json: bool) -> None:
    """Check settings, database, queue, addons and processes; exit 1 if one is not in order.

    Example: bodega doctor --json
    """
    findings = [_find(name, check, context) for name, check in _CHECKS.items()]
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.check:10} {finding.detail}")
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


def _find(name: str, check: Callable[[Context], str], context: Context) -> Finding:
    try:
        return Finding(name, True, check(context))
    except BodegaError as error:
        return Finding(name, False, str(error))
    except Exception as error:
        return Finding(name, False, f"{type(error).__name__}: {error}")


def _python(_: Context) -> str:
    return sys.version.split()[0]


def _settings(context: Context) -> str:
    settings = context.settings
    settings.key()
    return f"home {settings.home}"


def _database(context: Context) -> str:
    from bodega.database.connection import is_postgres

    database = context.shop().databases.shop
    query = "SHOW server_version" if is_postgres(database) else "SELECT sqlite_version()"
    kind = "PostgreSQL" if is_postgres(database) else "SQLite"
    return f"{kind} {database.execute_sql(query).fetchone()[0]}"


def _keys(context: Context) -> str:
    return f"tokens are signed with key {context.shop().keys.current}"


def _queue(context: Context) -> str:
    kind = "Redis" if context.settings.redis_url else "SQLite"
    return f"{kind}, {context.shop().queue.length()} wake-ups waiting"


def _addons(context: Context) -> str:
    assembly = context.shop().assembly
    if assembly.faults:
        raise BodegaError(" ".join(map(str, assembly.faults.values())))
    return f"{', '.join(addon.name for addon in assembly.addons)} enabled"


def _audit(context: Context) -> str:
    from bodega.security.audit_check import glance

    return f"the log ends with entry {glance(context.shop().audit_log).seq}, as it should"


def _processes(context: Context) -> str:
    living = context.shop().register.living()
    return ", ".join(map(str, living)) or "none runs; start them with 'bodega up'"


_CHECKS: dict[str, Callable[[Context], str]] = {
    "python": _python,
    "settings": _settings,
    "database": _database,
    "keys": _keys,
    "queue": _queue,
    "addons": _addons,
    "audit": _audit,
    "processes": _processes,
}

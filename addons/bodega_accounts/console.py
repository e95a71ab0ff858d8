"""The console's pages about people: accounts, and the keys that machines have."""

from collections.abc import Iterator
from typing import Any

import peewee

from bodega_accounts.models import Account, ApiKey, Organization, Session
from bodega_sdk import ROLES, ConsolePage, Parameter, Request, now
from bodega_sdk.console import PAGE, Badge, Block, Facts, Table, page_links

_SIZE = 50
_READ = "accounts.read"


def pages() -> list[ConsolePage]:
    """Return the pages."""
    role = Parameter("role", str, "Only this role.", choices=ROLES)
    return [
        ConsolePage("users", "Accounts", _READ, accounts, "Who can log in.", (role, PAGE)),
        ConsolePage("api-keys", "API keys", _READ, keys, "What machines log in with.", (PAGE,)),
    ]


def accounts(request: Request) -> Iterator[Block]:
    """Accounts, the newest first."""
    yield Facts([(role, str(_count(Account.role == role))) for role in ROLES])
    query = Account.select(Account, Organization).join(Organization, peewee.JOIN.LEFT_OUTER)
    if "role" in request.query:
        query = query.where(Account.role == request.query["role"])
    rows, more = _page(query.order_by(Account.id.desc()), request)
    logins = _logins([row.id for row in rows])
    columns = ("Address", "Name", "Role", "Organization", "State", "2nd factor", "Logins", "Last")
    yield Table(columns, [
        (row.email, row.name, row.role, row.organization.name if row.organization else "",
         _state(row), Badge("on", "good") if row.second_factor else "", logins.get(row.id, 0),
         row.last_login_at)
        for row in rows
    ])  # fmt: skip
    yield page_links(request, more=more)


def _count(condition: Any) -> int:
    number: int = Account.select().where(condition).count()
    return number


def _logins(ids: list[Any]) -> dict[Any, int]:
    """Return how many sessions of each account go on."""
    going_on = Session.account.in_(ids) & Session.ended_at.is_null() & (Session.expires_at > now())
    number = peewee.fn.COUNT(Session.id)
    query = Session.select(Session.account_id, number).where(going_on).group_by(Session.account_id)
    return dict(query.tuples())


def _state(row: Account) -> Badge:
    if not row.is_active:
        return Badge("deactivated", "bad")
    return Badge("active", "good") if row.email_verified else Badge("not confirmed", "warning")


def keys(request: Request) -> Iterator[Block]:
    """API keys, the newest first."""
    query = ApiKey.select(ApiKey, Account).join(Account).order_by(ApiKey.id.desc())
    rows, more = _page(query, request)
    columns = ("Key", "Name", "Account", "Holds", "State", "Last used", "Ends")
    yield Table(columns, [
        (f"{row.prefix}…", row.name, row.account.email, ", ".join(row.scopes), _key_state(row),
         row.last_used_at, row.expires_at)
        for row in rows
    ])  # fmt: skip
    yield page_links(request, more=more)


def _key_state(row: ApiKey) -> Badge:
    if row.revoked_at is not None:
        return Badge("revoked", "bad")
    if row.expires_at is not None and row.expires_at <= now():
        return Badge("expired", "bad")
    return Badge("replaced", "warning") if row.successor else Badge("good", "good")


def _page(query: Any, request: Request) -> tuple[list[Any], bool]:
    """Return the rows of a page, and whether there are more."""
    number = request.query["page"]
    rows = list(query.limit(_SIZE + 1).offset((number - 1) * _SIZE))
    return rows[:_SIZE], len(rows) > _SIZE

"""The collections of accounts."""

from datetime import timedelta
from typing import Any, ClassVar

from bodega_accounts import api_keys, avatars, second_factor, sessions
from bodega_accounts.accounts import change_account, create_account, delete_account
from bodega_accounts.models import Account, ApiKey, Organization, Session
from bodega_accounts.passwords import check, hash_password
from bodega_accounts.profile import account_of
from bodega_accounts.schemas import (
    AccountSchema,
    ApiKeySchema,
    OrganizationSchema,
    RotationSchema,
    SessionSchema,
    ToldSchema,
)
from bodega_sdk import (
    AUTHENTICATED,
    Collection,
    Filter,
    Parameter,
    Reply,
    Request,
    Route,
    audit,
    permissions_held_by,
    transaction,
)
from bodega_sdk.errors import FieldError, PermissionDenied, invalid


class Accounts(Collection):
    """Accounts, for those who administer them."""

    model = Account
    schema = AccountSchema
    noun = "account"
    read = "accounts.read"
    write = "accounts.write"
    filters = (
        Filter(Parameter("email", str, "Exactly this address."),
               lambda value: Account.email == value.lower()),
        Filter(Parameter("role", str, "Only this role."), lambda value: Account.role == value),
        Filter(Parameter("is_active", bool, "Only these."),
               lambda value: Account.is_active == value),
    )  # fmt: skip
    orderings: ClassVar = {"email": Account.email, "last_name": Account.last_name}
    searchable = True

    def search(self, text: str) -> Any:
        """Find by a part of the address, the username or the names."""
        found = Account.email.contains(text.lower()) | Account.first_name.contains(text)
        return found | Account.last_name.contains(text) | Account.username.contains(text.lower())

    def create(self, request: Request, data: dict[str, Any]) -> Account:
        """Make an account; whoever does vouches for its address."""
        members = _members(data)
        _refuse_above(request, members["role"])
        check(members["password"], members["email"], members["username"] or "")
        members["password"] = hash_password(members["password"])
        made = create_account(members, role=members.pop("role"))
        audit("account.created", f"account:{made.id}", role=made.role)
        return made

    def change(self, request: Request, row: Account, data: dict[str, Any]) -> Account:
        """Change an account; nobody takes their own role or shuts themselves out."""
        _refuse_above(request, row.role)
        _refuse_above(request, data.get("role", row.role))
        own = str(row.id) == request.identity.subject
        for name in ("role", "is_active"):
            if own and data.get(name, getattr(row, name)) != getattr(row, name):
                raise PermissionDenied(
                    f"You cannot change '{name}' of the account you are logged in with.",
                    [FieldError(name, "Ask another administrator to change this.")],
                )
        return change_account(row, _members(data))

    def remove(self, request: Request, row: Account) -> None:
        """Delete an account, but not one's own."""
        _refuse_above(request, row.role)
        if str(row.id) == request.identity.subject:
            raise PermissionDenied("You cannot delete the account you are logged in with.")
        delete_account(row)

    def routes(self, path: str) -> tuple[Route, ...]:
        """Return the collection's own routes, and what else administrators do."""
        item, write = f"{path}/{{id}}", "accounts.write"
        return (
            *super().routes(path),
            Route("GET", f"{item}/avatar", self._avatar, "accounts.read", "See an avatar",
                  produces="image/webp"),
            Route("DELETE", f"{item}/sessions", self._end_sessions, write,
                  "Log an account out everywhere", returns=ToldSchema),
            Route("DELETE", f"{item}/api-keys", self._revoke_keys, write,
                  "Revoke all of an account's API keys", returns=ToldSchema),
            Route("DELETE", f"{item}/second-factor", self._remove_second_factor, write,
                  "Remove an account's second factor", returns=ToldSchema),
        )  # fmt: skip

    def _avatar(self, request: Request) -> Reply:
        return Reply(content=avatars.read(self.get(request)), media="image/webp")

    def _end_sessions(self, request: Request) -> dict[str, Any]:
        with transaction():
            row = self.hold(request)
            _refuse_above(request, row.role)
            number = sessions.end_all(row.id, "ended by an administrator")
            audit("account.logged_out", f"account:{row.id}", sessions=number)
        return {"detail": f"{number} session(s) ended."}

    def _revoke_keys(self, request: Request) -> dict[str, Any]:
        with transaction():
            row = self.hold(request)
            _refuse_above(request, row.role)
            number = api_keys.revoke_all(row.id)
        return {"detail": f"{number} API key(s) revoked."}

    def _remove_second_factor(self, request: Request) -> dict[str, Any]:
        with transaction():
            row = self.hold(request)
            _refuse_above(request, row.role)
            second_factor.remove(row)
            sessions.end_all(row.id, "second factor removed")
            audit("account.second_factor_removed", f"account:{row.id}")
        return {"detail": "The second factor was removed, and all sessions ended."}


def _members(data: dict[str, Any]) -> dict[str, Any]:
    """Return loaded data by the names of the columns; the organization must be there."""
    members = dict(data)
    if "organization_id" in members:
        wanted = members.pop("organization_id")
        members["organization"] = wanted
        if wanted is not None and Organization.find(wanted) is None:
            raise invalid("organization", "There is no organization with this id.", str(wanted))
    return members


def _refuse_above(request: Request, role: str) -> None:
    """Refuse to give a role, or to touch who has it, that holds more than the caller.

    Whoever may change accounts would else make themselves an administrator.
    """
    beyond = permissions_held_by(role) - request.identity.permissions
    if beyond:
        raise PermissionDenied(
            f"The role '{role}' holds more than you do.",
            [FieldError("role", f"You do not hold {', '.join(sorted(beyond)[:3])}.", role)],
        )


class Logins(Collection):
    """The logins of one account, for those who administer accounts."""

    model, schema, noun, nouns = Session, SessionSchema, "login", "logins"
    read, write = "accounts.read", "accounts.write"
    verbs = ("list",)

    def select(self, request: Request) -> Any:
        """Return those that go on."""
        account = Accounts().get(request)
        return Session.select().where(sessions.goes_on(account.id))


class Organizations(Collection):
    """Whom vendors act for."""

    model, schema, noun = Organization, OrganizationSchema, "organization"
    read = "accounts.read"
    write = "accounts.write"
    orderings: ClassVar = {"name": Organization.name}

    def change(self, request: Request, row: Organization, data: dict[str, Any]) -> Organization:
        """Change an organization; what its people's tokens say changes with it."""
        changed: Organization = super().change(request, row, data)
        _renew_members(row)
        audit("organization.changed", f"organization:{row.id}", members=sorted(data))
        return changed

    def remove(self, request: Request, row: Organization) -> None:
        """Delete an organization; its people stay, and belong to none."""
        _renew_members(row)
        row.delete_instance()
        audit("organization.deleted", f"organization:{row.id}", name=row.name)


def _renew_members(row: Organization) -> None:
    # Held, so that nobody logs in for it in between.
    members = Account.select().where(Account.organization == row.id).order_by(Account.id)
    for account in [Account.find(member.id, lock=True) for member in members]:
        if account is None:
            continue
        sessions.renew_all(account.id)
        api_keys.forget_holders(account.id)


class ApiKeys(Collection):
    """One's own API keys."""

    model, schema, noun = ApiKey, ApiKeySchema, "API key"
    read = write = AUTHENTICATED
    objects, owner = "own", ApiKey.account
    verbs = ("list", "create", "read", "delete")

    def create(self, request: Request, data: dict[str, Any]) -> ApiKey:
        """Make a key, which is shown this once."""
        account = account_of(request.identity)
        # The collection says whose it is.
        data.pop("account")
        row, key = api_keys.make(account, data, request.identity.permissions)
        row.key = key
        return row

    def remove(self, request: Request, row: ApiKey) -> None:
        """Revoke a key; it stays listed, so that what it did can be told."""
        api_keys.revoke(row)

    def routes(self, path: str) -> tuple[Route, ...]:
        """Return the collection's own routes, and rotation."""
        return (
            *super().routes(path),
            Route("POST", f"{path}/{{id}}/rotate", self._rotate, AUTHENTICATED,
                  "Replace an API key", body=RotationSchema, returns=ApiKeySchema, status=201,
                  objects="own"),
        )  # fmt: skip

    def _rotate(self, request: Request) -> dict[str, Any]:
        overlap = timedelta(minutes=request.body["overlap_minutes"])
        with transaction():
            row, key = api_keys.rotate(self.hold(request), overlap, request.identity.permissions)
        row.key = key
        return self.show(row)

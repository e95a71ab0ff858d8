"""The routes of accounts."""

from typing import Any, ClassVar

from bodega_accounts.accounts import change_account, create_account
from bodega_accounts.logging_in import log_in, refresh_tokens
from bodega_accounts.models import Account
from bodega_accounts.schemas import AccountSchema, LoginSchema, RefreshSchema, TokensSchema
from bodega_sdk import AUTHENTICATED, PUBLIC, Collection, Filter, Parameter, Request, Route
from bodega_sdk.errors import FieldError, NotFound, PermissionDenied


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
    )  # fmt: skip
    orderings: ClassVar = {"email": Account.email}

    def create(self, request: Request, data: dict[str, Any]) -> Account:
        """Make an account."""
        return create_account(**data)

    def change(self, request: Request, row: Account, data: dict[str, Any]) -> Account:
        """Change an account; nobody takes their own role or shuts themselves out."""
        own = str(row.id) == request.identity.subject
        for name in ("role", "is_active"):
            if own and data.get(name, getattr(row, name)) != getattr(row, name):
                raise PermissionDenied(
                    f"You cannot change '{name}' of the account you are logged in with.",
                    [FieldError(name, "Ask another administrator to change this.")],
                )
        return change_account(row, data)

    def remove(self, request: Request, row: Account) -> None:
        """Delete an account, but not one's own."""
        if str(row.id) == request.identity.subject:
            raise PermissionDenied("You cannot delete the account you are logged in with.")
        row.delete_instance()


def _me(request: Request) -> Any:
    account = Account.get_or_none(Account.id == request.identity.subject)
    if account is None:
        raise NotFound("Your account was deleted.")
    return AccountSchema().dump(account)


AUTH_ROUTES = (
    Route("POST", "/auth/login", lambda r: log_in(**r.body), PUBLIC, "Log in",
          body=LoginSchema, returns=TokensSchema, tag="auth"),
    Route("POST", "/auth/refresh", lambda r: refresh_tokens(r.body["refresh"]), PUBLIC,
          "Refresh tokens", body=RefreshSchema, returns=TokensSchema, tag="auth"),
    Route("GET", "/auth/me", _me, AUTHENTICATED, "Who am I", returns=AccountSchema, tag="auth"),
)  # fmt: skip

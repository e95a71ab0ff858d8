"""Commands: ``bodega users …``."""

import sys
from typing import Any

import click

from bodega_accounts.accounts import change_account, create_account
from bodega_accounts.logging_in import find
from bodega_accounts.mails import way_to_reset
from bodega_accounts.models import Account
from bodega_accounts.passwords import check, hash_password
from bodega_accounts.resetting import token_for
from bodega_accounts.schemas import AccountSchema
from bodega_sdk import ROLES, audit, transaction
from bodega_sdk.errors import Problem
from bodega_sdk.schemas import load


@click.group()
def users() -> None:
    """Make, list and change accounts.

    Example: bodega users list
    """


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    told: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return told


def _refused(problem: Problem) -> click.ClickException:
    told = "; ".join(f"{item.field}: {item.message}" for item in problem.errors)
    return click.ClickException(told or problem.detail)


def _found(login: str) -> Account:
    account = find(login)
    if account is None:
        raise click.ClickException(f"there is no account {login}; see 'bodega users list'")
    return account


@users.command()
@click.option("--email", required=True, help="E-mail address; one logs in with it.")
@click.option("--username", help="A name to log in with besides.")
@click.option("--role", type=click.Choice(ROLES), default="user", show_default=True)
@click.option("--first-name", default="", help="First name.")
@click.option("--last-name", default="", help="Last name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(password_stdin: bool, **told: Any) -> None:
    """Make an account.

    Example: echo "$PASSWORD" | bodega users create --email a@shop.example --role staff
    --password-stdin
    """
    try:
        data = load(AccountSchema(), told | {"password": _password(password_stdin)})
        data.pop("organization_id")
        check(data["password"], data["email"], data["username"] or "")
        data["password"] = hash_password(data["password"])
        with transaction():
            account = create_account(data, role=data.pop("role"))
            audit("account.created", f"account:{account.id}", role=account.role)
    except Problem as problem:
        raise _refused(problem) from None
    click.echo(f"Made {account.role} {account.email} ({account.id}).")


@users.command("list")
@click.option("--role", type=click.Choice(ROLES), help="Only this role.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_accounts(role: str | None, as_json: bool) -> None:
    """List all accounts.

    Example: bodega users list --role admin --json
    """
    query = Account.select().order_by(Account.email)
    accounts = list(query.where(Account.role == role) if role else query)
    if as_json:
        click.echo(AccountSchema().dumps(accounts, many=True, indent=2))
        return
    for account in accounts:
        click.echo(f"{account.email:40} {account.role:8} {account.name}{_state(account)}")


def _state(account: Account) -> str:
    if not account.is_active:
        return "  (deactivated)"
    return "" if account.email_verified else "  (address not confirmed)"


@users.command()
@click.argument("login")
@click.option("--role", type=click.Choice(ROLES), default="admin", show_default=True)
def promote(login: str, role: str) -> None:
    """Give an account a role; it holds from the next request on.

    Example: bodega users promote ada@shop.example --role staff
    """
    with transaction():
        account = change_account(_found(login), {"role": role})
    click.echo(f"{account.email} is {account.role} now.")


@users.command("reset-password")
@click.argument("login")
@click.option("--password-stdin", is_flag=True, help="Set the one on standard input, instead of "
              "printing a token that its owner sets one with.")  # fmt: skip
def reset_password(login: str, password_stdin: bool) -> None:
    """Let somebody choose a new password, or set it; setting it ends all their logins.

    Example: bodega users reset-password ada@shop.example
    """
    account = _found(login)
    try:
        with transaction():
            if password_stdin:
                change_account(account, {"password": _password(True)})
                click.echo(f"The password of {account.email} is set, and every login was ended.")
            else:
                token = token_for(account)
                audit("password.reset_asked", f"account:{account.id}")
                click.echo(f"Give {account.email} this, good for one hour:\n{way_to_reset(token)}")
    except Problem as problem:
        raise _refused(problem) from None

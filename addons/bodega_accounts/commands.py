"""Commands: ``bodega users …``."""

import sys

import click

from bodega_accounts.accounts import create_account
from bodega_accounts.models import Account
from bodega_accounts.schemas import AccountSchema
from bodega_sdk import ROLES, transaction
from bodega_sdk.errors import Problem
from bodega_sdk.schemas import load


@click.group()
def users() -> None:
    """Make and list accounts.

    Example: bodega users list
    """


@users.command()
@click.option("--email", required=True, help="E-mail address; one logs in with it.")
@click.option("--role", type=click.Choice(ROLES), default="user", show_default=True)
@click.option("--name", default="", help="Full name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(email: str, role: str, name: str, password_stdin: bool) -> None:
    """Make an account.

    Example: echo "$PASSWORD" | bodega users create --email a@shop.example --role staff
    --password-stdin
    """
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    data = {"email": email, "role": role, "name": name, "password": password}
    try:
        loaded = load(AccountSchema(), data)
        with transaction():
            account = create_account(**loaded)
    except Problem as problem:
        told = "; ".join(f"{item.field}: {item.message}" for item in problem.errors)
        raise click.ClickException(told or problem.detail) from None
    click.echo(f"Made {account.role} {account.email} ({account.id}).")


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_accounts(as_json: bool) -> None:
    """List all accounts.

    Example: bodega users list --json
    """
    schema = AccountSchema()
    accounts = list(Account.select().order_by(Account.email))
    if as_json:
        click.echo(schema.dumps(accounts, many=True, indent=2))
        return
    for account in accounts:
        state = "" if account.is_active else "  (deactivated)"
        click.echo(f"{account.email:40} {account.role:8} {account.name}{state}")

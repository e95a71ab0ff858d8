"""``bodega settings …``."""

import json
import sys
from typing import Any

import click

from bodega import operator_settings
from bodega.cli import echo_table
from bodega.cli.context import Context, home_option
from bodega.setting_values import parsed


@click.group()
@home_option
def settings() -> None:
    """List and change the settings of addons, on a running shop too.

    Example: bodega settings list
    """


@settings.command("list")
@click.option("--all", "disabled", is_flag=True, help="List those of disabled addons too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_settings(context: Context, disabled: bool, as_json: bool) -> None:
    """List settings with their values; * marks those that differ from their default.

    Example: bodega settings list --all
    """
    found = operator_settings.listing(context.shop(), disabled=disabled)
    if as_json:
        click.echo(json.dumps([item.as_json() for item in found], indent=2, ensure_ascii=False))
        return
    head = [("", "NAME", "VALUE", "DEFAULT", "SOURCE", "STATE", "HELP")]
    rows = [
        ("*" if item.changed else "", item.name, _text(item.value),
         _text(item.as_json()["default"]), item.source, item.state, item.declared.help)
        for item in found
    ]  # fmt: skip
    echo_table([*head, *rows])
    for variable in operator_settings.unknown_variables(context.shop()):
        click.echo(f"Warning: {variable} is set, but no addon has such a secret setting", err=True)


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


@settings.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print all that is known of it as JSON.")
@click.pass_obj
def get(context: Context, name: str, as_json: bool) -> None:
    """Print a setting's value; a secret's as ••••.

    Example: bodega settings get imports.chunk_rows
    """
    found = operator_settings.find(context.shop(), name)
    click.echo(
        json.dumps(found.as_json(), indent=2, ensure_ascii=False) if as_json else _text(found.value)
    )


@settings.command("set")
@click.argument("name")
@click.argument("value", required=False)
@click.option("--stdin", is_flag=True, help="Read the value from standard input.")
@click.pass_obj
def set_value(context: Context, name: str, value: str | None, stdin: bool) -> None:
    """Give a setting a value; a secret comes by --stdin, a negative number behind '--'.

    Example: bodega settings set imports.chunk_rows 10000
    """
    shop = context.shop()
    found = operator_settings.find(shop, name)
    text = _given(name, value, stdin, found.secret)
    changed, generation = operator_settings.change(shop, name, parsed(name, found.declared, text))
    if changed.source != "stored":
        click.echo(f"{name} is stored, but the one from the {changed.source} goes before it.")
        return
    click.echo(f"{name} is {_text(changed.value)} now; {_following(generation)}")


def _given(name: str, value: str | None, stdin: bool, secret: bool) -> str:
    if stdin == (value is not None):
        raise click.UsageError(f"give either a VALUE for {name} or --stdin.")
    if value is not None and secret:
        raise click.UsageError(
            f"{name} is a secret, and others can see arguments; "
            f"run 'bodega settings set {name} --stdin' and pipe it in."
        )
    if value is not None:
        return value
    text = sys.stdin.read().rstrip("\r\n")
    if not text:
        raise click.UsageError(
            f"nothing came from standard input; pipe the value in, or run "
            f"'bodega settings unset {name}' for its default."
        )
    return text


@settings.command()
@click.argument("name")
@click.pass_obj
def unset(context: Context, name: str) -> None:
    """Give a setting its default back.

    Example: bodega settings unset imports.chunk_rows
    """
    changed, generation = operator_settings.reset(context.shop(), name)
    click.echo(f"{name} is {_text(changed.value)} again; {_following(generation)}")


def _following(generation: int) -> str:
    return f"running processes follow within a second (generation {generation})."

"""The command line: one file for each noun; addons add commands of their own."""

import sys
from importlib import import_module
from typing import Any

import click
import peewee

from bodega import __version__
from bodega.cli.context import Context, home_option
from bodega.reserved import COMMANDS
from bodega.security.callers import calling, of_command
from bodega_sdk.errors import BodegaError, Problem


class Commands(click.Group):
    """The kernel's commands, and those of the enabled addons."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names: the kernel's, then the addons'."""
        return [*COMMANDS, *sorted(_of_addons(ctx.obj))]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of a name; one of an addon's gets the shop bound."""
        if name in COMMANDS:
            # A function has no dash in its name.
            module = import_module(COMMANDS[name])
            command: click.Command = getattr(module, name.replace("-", "_"))
            return command
        return _of_addons(ctx.obj).get(name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was called, ready to run."""
        name, command, rest = super().resolve_command(ctx, args)
        if name not in COMMANDS and not set(rest) & set(ctx.help_option_names):
            ctx.obj.bind(ctx)
        return name, command, rest


def _of_addons(context: Context) -> dict[str, click.Command]:
    """Return the addons' commands; a shop that is not there yet is not made for them."""
    try:
        return dict(context.assembly().commands)
    except BodegaError as error:
        click.echo(f"Warning: the addons' commands are not known: {error}", err=True)
        return {}


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bodega")
@home_option
@click.pass_context
def bodega(ctx: click.Context) -> None:
    """Run and look after a Bodega shop.

    Example: bodega up
    """
    ctx.with_resource(calling(of_command()))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors become one sentence and an exit code."""
    try:
        bodega.main(arguments, prog_name="bodega", standalone_mode=False, obj=Context())
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except BodegaError as error:
        click.echo(f"Error: {error}", err=True)
        for item in error.errors if isinstance(error, Problem) else ():
            if item.message not in str(error):
                click.echo(f"  {item.field}: {item.message}", err=True)
        sys.exit(getattr(error, "exit_code", 1))
    except peewee.OperationalError as error:
        said = " ".join(str(error).split())
        click.echo(f"Error: the database is busy or away ({said}); try again", err=True)
        sys.exit(1)


def echo_table(rows: list[tuple[Any, ...]]) -> None:
    """Print rows in columns."""
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())

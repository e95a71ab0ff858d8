"""``bodega verify``: the conformance suite, which runs in processes of its own."""

import subprocess
import sys

import click

# The kernel does not import what tests it; it starts it.
_SUITE = "bodega_sdk.testing.conformance"


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--rule", "rules", multiple=True, help="Only this rule, or all that begin so.")
@click.option(
    "--engine",
    type=click.Choice(["sqlite", "postgres", "all"]),
    default="all",
    show_default=True,
    help="On which databases.",
)
@click.option("--list", "list_rules", is_flag=True, help="List all rules.")
def verify(
    name: str | None, as_json: bool, rules: tuple[str, ...], engine: str, list_rules: bool
) -> None:
    """Check whether the addon NAME keeps every rule; needs no running shop.

    Exit code 0 when it does, 1 when it does not.

    Example: bodega verify loyalty
    """
    if name is None and not list_rules:
        raise click.UsageError("name an addon, or ask for --list")
    options = ["--engine", engine, *(word for rule in rules for word in ("--rule", rule))]
    options += ["--json"] if as_json else []
    given = ["--list"] if list_rules else [*options, str(name)]
    done = subprocess.run([sys.executable, "-m", _SUITE, *given], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)

"""``bodega verify``, in a process of its own: see docs/verify.md."""

import json

import click

from bodega_sdk.testing.conformance.rules import RULES
from bodega_sdk.testing.conformance.running import ENGINES, verify


def _list(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        for rule in RULES.values():
            click.echo(f"{rule.id}  {rule.title}")
        context.exit()


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--rule", "rules", multiple=True, help="Only this rule, or all that begin so.")
@click.option("--engine", type=click.Choice([*ENGINES, "all"]), default="all", show_default=True)
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list)
def main(name: str, as_json: bool, rules: tuple[str, ...], engine: str) -> None:
    """Check an addon against every rule."""
    try:
        report = verify(name, ENGINES if engine == "all" else (engine,), rules)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        click.echo("\n".join(report.lines()))
    raise SystemExit(0 if report.clean else 1)


if __name__ == "__main__":
    main(prog_name="bodega verify")

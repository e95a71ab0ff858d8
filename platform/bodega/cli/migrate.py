"""``bodega migrate``."""

import click

from bodega.cli.context import Context, home_option, strict_option


@click.command()
@home_option
@strict_option
@click.pass_obj
def migrate(context: Context) -> None:
    """Make a new shop, or bring the tables of an old one up to date.

    Example: DATABASE_URL=postgresql://… bodega migrate
    """
    from bodega.addons import lifecycle
    from bodega.shop import Shop

    shop = Shop(context.settings, connections=2)
    done = lifecycle.prepare(shop)
    for migration in done.migrations:
        click.echo(f"Ran {migration}.")
    for line in done.lines:
        click.echo(line)
    lifecycle.recover(shop)
    for name, waiting in shop.refresh().waiting.items():
        click.echo(f"{name}: {', '.join(waiting)} waits until every process runs the new code.")
    context.check(shop)
    click.echo("The shop was made." if done.first else "The tables are up to date.")

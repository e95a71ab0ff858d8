"""``bodega why``."""

import click

from bodega.cli.context import Context, home_option


@click.command()
@click.argument("resource")
@home_option
@click.pass_obj
def why(context: Context, resource: str) -> None:
    """Say which addon owns RESOURCE: a table, route, permission, setting, event, job or command.

    Example: bodega why /products/{id}
    """
    from bodega.addons.ledger import owners

    context.shop()
    found = owners(resource)
    if not found:
        raise click.ClickException(
            f"no addon owns anything called {resource!r}; write a table, a route such as "
            "'GET /products', a permission, setting, event, job, channel or command"
        )
    for claim, owner in found:
        click.echo(f"{claim.kind} {claim.name} belongs to {owner}")

"""``bodega openapi``."""

from pathlib import Path

import click
import orjson

from bodega.cli.context import Context, home_option


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@home_option
@click.pass_obj
def openapi(context: Context, out: Path | None) -> None:
    """Print the OpenAPI 3.1 document of this shop.

    Example: bodega openapi --out openapi.json
    """
    from bodega.http.openapi import document
    from bodega.http.operations import kernel_routes

    session = context.shop().current
    told = document(session.assembly, kernel_routes(session))
    text = orjson.dumps(told, option=orjson.OPT_INDENT_2).decode()
    if out is None:
        click.echo(text)
        return
    try:
        out.write_text(text + "\n")
    except OSError as error:
        raise click.ClickException(
            f"cannot write {out}: {error.strerror}; name a file in a folder that exists"
        ) from None

"""``bodega keys …``: the keys that sign tokens."""

import click

from bodega.cli import echo_table
from bodega.cli.context import Context, home_option
from bodega.security import keys as signing_keys
from bodega.security.keys import ALGORITHMS, KEPT, LEAD, KeyRing
from bodega_sdk.models import now


@click.group()
@home_option
def keys() -> None:
    """List, rotate and retire the keys that sign tokens.

    Example: bodega keys rotate
    """


@keys.command("list")
@click.pass_obj
def list_keys(context: Context) -> None:
    """List the keys whose tokens are accepted, the oldest first.

    Example: bodega keys list
    """
    ring = context.shop().keys
    rows = [(key.kid, key.algorithm, f"{key.signs_from:%F %T}", _state(ring, key.kid))
            for key in ring.keys]  # fmt: skip
    echo_table([("KEY", "ALGORITHM", "SIGNS FROM (UTC)", "STATE"), *rows])


def _state(ring: KeyRing, kid: str) -> str:
    if kid == ring.current:
        return "signs"
    key = ring.find(kid)
    return "waits" if key is not None and key.signs_from > now() else "only checks"


@keys.command()
@click.option("--algorithm", type=click.Choice(ALGORITHMS), help="Of the new key; as set in "
              "BODEGA_TOKEN_ALGORITHM when left out.")  # fmt: skip
@click.option("--now", "at_once", is_flag=True, help="Sign with it at once, not in ten minutes.")
@click.pass_obj
def rotate(context: Context, algorithm: str | None, at_once: bool) -> None:
    """Make a new key, which signs in ten minutes' time; nobody is logged out.

    Example: bodega keys rotate --algorithm RS256
    """
    shop = context.shop()
    wanted = algorithm or context.settings.token_algorithm
    with shop.transaction():
        kid = signing_keys.rotate(context.settings.key(), wanted, at_once=at_once)
        shop.revocations.tell()
        shop.audit("signing_key.rotated", f"signing_key:{kid}", algorithm=wanted, now=at_once)
    when = "from now on" if at_once else f"from {now() + LEAD:%H:%M:%S} UTC on"
    click.echo(
        f"Key {kid} ({wanted}) signs {when}; the one before it checks tokens for "
        f"{KEPT.days} more days, or until 'bodega keys retire'."
    )


@keys.command()
@click.argument("kid")
@click.pass_obj
def retire(context: Context, kid: str) -> None:
    """Refuse every token that a key signed, at once: for one that was stolen.

    Example: bodega keys retire 0190f4a27c1e70008000000000000001
    """
    shop = context.shop()
    with shop.transaction():
        signing_keys.retire(context.settings.key(), kid)
        shop.revocations.tell()
        shop.audit("signing_key.retired", f"signing_key:{kid}")
    click.echo(f"Key {kid} is retired; whoever has a token of it refreshes it or logs in again.")

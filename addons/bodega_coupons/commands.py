"""Commands: ``bodega coupons …``."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from bodega_coupons import checking, codes, discounting, keeping
from bodega_coupons.models import Coupon
from bodega_coupons.schemas import CouponSchema, GenerationSchema
from bodega_sdk import transaction
from bodega_sdk.errors import Problem
from bodega_sdk.schemas import Schema, load


@click.group()
def coupons() -> None:
    """Make coupons, end them, and check their counts.

    Example: bodega coupons list
    """


def _with_terms(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command know the terms of a coupon."""
    options = (
        click.option("--percent", help="Percent that come off, e.g. 12.5."),
        click.option("--amount", help="Amount that comes off, e.g. 5.00."),
        click.option("--free-shipping", is_flag=True, help="Sending costs nothing."),
        click.option("--currency", help="ISO 4217, of its amounts."),
        click.option("--minimum", help="Least price of what it is for."),
        click.option("--maximum", help="The most that comes off."),
        click.option("--limit", type=int, help="Orders that can use it."),
        click.option("--limit-per-customer", type=int, help="Orders of each customer that can."),
        click.option("--until", type=click.DateTime(), help="When it is over, in UTC."),
        click.option("--combinable", is_flag=True, help="It can be used beside others that are."),
        click.option("--description", default="", help="What it is about, for the shop."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _terms(said: dict[str, Any]) -> dict[str, Any]:
    """Return options as the API would be sent them."""
    until: datetime | None = said.pop("until")
    free = said.pop("free_shipping")
    if [bool(said["percent"]), bool(said["amount"]), free].count(True) != 1:
        raise click.UsageError("say one of --percent, --amount and --free-shipping")
    kind = "free_shipping" if free else "percentage" if said["percent"] else "fixed_amount"
    sent = {"kind": kind, "minimum_subtotal": said.pop("minimum"),
            "maximum_discount": said.pop("maximum"),
            "valid_until": until.replace(tzinfo=UTC).isoformat() if until else None}  # fmt: skip
    return sent | said


def _loaded(schema: Schema, said: dict[str, Any]) -> dict[str, Any]:
    return load(schema, {name: value for name, value in said.items() if value is not None})


@coupons.command()
@click.argument("code")
@_with_terms
def make(code: str, **said: Any) -> None:
    """Make a coupon with a code of your choice.

    Example: bodega coupons make SPRING --percent 10 --limit-per-customer 1
    """
    try:
        with transaction():
            made = keeping.create(_loaded(CouponSchema(), _terms(said) | {"code": code}))
    except Problem as problem:
        raise _refused(problem) from None
    click.echo(f"{made.code}: {discounting.worth(made)}.")


@coupons.command()
@click.argument("count", type=click.IntRange(1, codes.MOST))
@click.option("--prefix", default="", help="What the codes begin with.")
@_with_terms
def generate(count: int, prefix: str, **said: Any) -> None:
    """Make COUNT coupons with codes that cannot be guessed, and print them.

    Each can be used once, unless --limit says otherwise.

    Example: bodega coupons generate 100 --percent 10 --prefix NEWS- > codes.txt
    """
    try:
        data = _loaded(GenerationSchema(), _terms(said) | {"count": count, "prefix": prefix})
        prefix = data.pop("prefix")
        with transaction():
            batch, made = keeping.generate(data, data.pop("count"), prefix)
    except Problem as problem:
        raise _refused(problem) from None
    click.echo("\n".join(made))
    click.echo(f"{count} made; their batch is {batch}.", err=True)


def _refused(problem: Problem) -> click.ClickException:
    lines = [f"{error.field}: {error.message}" for error in problem.errors]
    return click.ClickException("\n".join(lines) or problem.detail)


@coupons.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True,
              help="Coupons at most.")  # fmt: skip
def list_coupons(limit: int) -> None:
    """List coupons, the newest first.

    Example: bodega coupons list
    """
    rows = Coupon.select().order_by(Coupon.created_at.desc(), Coupon.id.desc()).limit(limit)
    for row in rows:
        most = f" of {row.most_uses}" if row.most_uses else ""
        ended = "" if row.active else "  ended"
        click.echo(f"{row.code:24}{discounting.worth(row):20}used {row.uses}{most}{ended}")


@coupons.command()
@click.argument("code")
def end(code: str) -> None:
    """Let nobody use a coupon any more; orders keep what it took off.

    Example: bodega coupons end SPRING
    """
    with transaction():
        found = Coupon.get_or_none(Coupon.key == codes.key_of(code))
        row = None if found is None else Coupon.find(found.id, lock=True)
        if row is None:
            raise click.ClickException(f"there is no coupon {code!r}; see 'bodega coupons list'")
        keeping.end(row)
    click.echo(f"{row.code} has ended.")


@coupons.command()
@click.option("--repair", is_flag=True, help="Make counts say what the ledger says.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(repair: bool, as_json: bool) -> None:
    """Compare the counts of coupons with the ledger of their uses.

    Ends with 1 where they disagree and were not repaired.

    Example: bodega coupons check --repair
    """
    found = checking.check()
    if as_json:
        click.echo(json.dumps([{"coupon": str(one.coupon), "code": one.code, "found": one.found,
                                "expected": one.expected} for one in found]))  # fmt: skip
    else:
        for one in found:
            click.echo(str(one))
        click.echo(f"{len(found)} disagreement(s)." if found else "Ledger and counts agree.")
    if found and repair:
        click.echo(f"{checking.repair(found)} repaired.", err=True)
    elif found:
        raise SystemExit(1)

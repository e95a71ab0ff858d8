"""Commands: ``bodega reviews …``."""

from uuid import UUID

import click

from bodega_reviews import ratings, writing
from bodega_reviews.models import STATUSES, Review
from bodega_sdk import transaction


@click.group()
def reviews() -> None:
    """See reviews, decide about them, and count them anew.

    Example: bodega reviews list --status pending
    """


@reviews.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only this status.")
@click.option("--reported", is_flag=True, help="Only those that somebody reported.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True,
              help="Reviews at most.")  # fmt: skip
def list_reviews(status: str | None, reported: bool, limit: int) -> None:
    """List reviews, newest first.

    Example: bodega reviews list --status pending
    """
    query = Review.select()
    if status:
        query = query.where(Review.status == status)
    if reported:
        query = query.where(Review.reports > 0)
    rows = list(query.order_by(Review.created_at.desc(), Review.id.desc()).limit(limit))
    for row in rows:
        click.echo(_line(row))
    if not rows:
        click.echo("Nothing is there.", err=True)


def _line(row: Review) -> str:
    reported = f"  reported {row.reports} times" if row.reports else ""
    return f"{row.id}  {row.status:9}{row.rating}/5  {row.title[:60]}{reported}"


@reviews.command()
@click.argument("review_id", metavar="ID", type=click.UUID)
def approve(review_id: UUID) -> None:
    """Show a review to all; what was reported of it is settled.

    Example: bodega reviews approve 0197f3c2-8e5a-7c31-9d42-5b8f0a6e1c77
    """
    _decide(review_id, "approved", "")


@reviews.command()
@click.argument("review_id", metavar="ID", type=click.UUID)
@click.option("--reason", required=True, help="Why; its author reads it.")
def reject(review_id: UUID, reason: str) -> None:
    """Show a review to nobody but its author.

    Example: bodega reviews reject 0197f3c2-8e5a-7c31-9d42-5b8f0a6e1c77 --reason "It is an ad."
    """
    if not 1 <= len(reason.strip()) <= 500:
        raise click.BadParameter("expected 1 to 500 characters.", param_hint="--reason")
    _decide(review_id, "rejected", reason.strip())


def _decide(review_id: UUID, status: str, reason: str) -> None:
    with transaction():
        row = Review.find(review_id, lock=True)
        if row is None:
            raise click.ClickException("there is no review with this id; see 'bodega reviews list'")
        writing.decide(row, status, reason)
    click.echo(f"Review {row.id} is {status}.")


@reviews.command()
def recount() -> None:
    """Make the ratings of all products anew from their reviews; the shop goes on meanwhile.

    Example: bodega reviews recount
    """
    wrong, votes = ratings.recount(), ratings.recount_votes()
    click.echo(f"Ratings that were wrong: {wrong}. Reviews with wrong votes or reports: {votes}.")

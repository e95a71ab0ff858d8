"""Commands: ``bodega pulses …``."""

import click

from bodega_pulses import checking, partitions, retaining
from bodega_pulses.instants import shown


@click.group()
def pulses() -> None:
    """Check rollups, and delete points that are older than the shop keeps.

    Example: bodega pulses check
    """


@pulses.command()
@click.option("--repair", is_flag=True, help="Make anew what disagrees.")
def check(repair: bool) -> None:
    """Compare rollups with what they were made of.

    Ends with 1 where they disagree and were not repaired.

    Example: bodega pulses check --repair
    """
    found = list(checking.check())
    for one in found:
        click.echo(str(one))
    if found and repair:
        checking.repair(found)
        before, found = len(found), list(checking.check())
        click.echo(f"{before - len(found)} repaired, {len(found)} left.", err=True)
    click.echo(f"{len(found)} disagreement(s)." if found else "Rollups and points agree.")
    if found:
        raise SystemExit(1)


@pulses.command()
def prune() -> None:
    """Delete points that are older than pulses.kept_days; rollups stay.

    Example: bodega pulses prune
    """
    at = retaining.prune()
    click.echo(f"Points before {shown(at)} are gone." if at else "Points are kept for good.")


@pulses.command("partition")
def make_partitions() -> None:
    """Make the partitions of PostgreSQL that lack, as a job does every six hours.

    Example: bodega pulses partition
    """
    months = partitions.coming()
    partitions.make(months, patience=10_000)
    known = partitions.there()
    made = [partitions.name_of(month) for month in months if month in known]
    click.echo(f"Made: {', '.join(made) or 'nothing; all are there'}.")

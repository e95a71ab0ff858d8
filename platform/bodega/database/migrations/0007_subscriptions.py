"""Subscriptions that fail wait longer and longer, and say why."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Add the columns."""
    table = "bodega_subscription"
    migrator.migrate(
        migrator.add_column(table, "failures", peewee.IntegerField(default=0)),
        migrator.add_column(table, "retry_at", UTCDateTimeField(null=True)),
        migrator.add_column(table, "error", peewee.TextField(null=True)),
    )


def down(migrator, db):
    """Drop them."""
    for column in ("failures", "retry_at", "error"):
        migrator.migrate(migrator.drop_column("bodega_subscription", column))

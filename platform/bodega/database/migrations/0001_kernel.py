"""The kernel's first tables."""

from bodega.database.tables import SHOP_TABLES


def up(migrator, db):
    """Create the tables."""
    db.create_tables(SHOP_TABLES)


def down(migrator, db):
    """Drop them."""
    db.drop_tables(SHOP_TABLES)

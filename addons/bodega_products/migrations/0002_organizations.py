"""Whose a product is."""

import peewee


def up(migrator, db):
    """Add the column; what is there belongs to the shop itself."""
    column = peewee.UUIDField(null=True, index=True)
    migrator.migrate(migrator.add_column("products_product", "organization", column))


def down(migrator, db):
    """Drop it."""
    migrator.migrate(
        migrator.drop_index("products_product", "products_product_organization"),
        migrator.drop_column("products_product", "organization"),
    )

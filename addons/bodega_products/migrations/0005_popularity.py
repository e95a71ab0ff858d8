"""An index in the order of popularity, with ids: new products are all of the same."""


def up(migrator, db):
    """Put the index in the place of that of popularity alone."""
    migrator.migrate(
        migrator.add_index("products_product", ("popularity", "id"), False),
        migrator.drop_index("products_product", "products_product_popularity"),
    )


def down(migrator, db):
    """Put it back."""
    migrator.migrate(
        migrator.add_index("products_product", ("popularity",), False),
        migrator.drop_index("products_product", "products_product_popularity_id"),
    )

"""Indexes of what few products have hold these alone: the others need not be written there."""

_FEATURED = (
    "CREATE INDEX products_product_featured ON products_product (created_at, id) WHERE is_featured"
)
_INDEXES = (
    ("products_product_organization", "organization", "organization"),
    ("products_product_category_id_created_at", "category_id, created_at", "category_id"),
)


def up(migrator, db):
    """Make them anew, and one of featured products."""
    for name, columns, column in _INDEXES:
        db.execute_sql(f"DROP INDEX {name}")
        db.execute_sql(
            f"CREATE INDEX {name} ON products_product ({columns}) WHERE {column} IS NOT NULL"
        )
    db.execute_sql(_FEATURED)


def down(migrator, db):
    """Have all products in them again."""
    db.execute_sql("DROP INDEX products_product_featured")
    for name, columns, _ in _INDEXES:
        db.execute_sql(f"DROP INDEX {name}")
        migrator.migrate(migrator.add_index("products_product", columns.split(", "), False))

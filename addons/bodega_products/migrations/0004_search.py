"""The index of the search; `bodega products reindex` or the ten-minute job fills it."""

import peewee

_FIELDS = ("name", "sku", "tags", "category", "description")
_NEW, _OLD = (", ".join(f"{row}.{name}" for name in _FIELDS) for row in ("new", "old"))
_NAMES = ", ".join(_FIELDS)
_TAKE = f"INSERT INTO products_search_text (rowid, {_NAMES}) VALUES (new.id, {_NEW});"
_DROP = (
    f"INSERT INTO products_search_text (products_search_text, rowid, {_NAMES}) "
    f"VALUES ('delete', old.id, {_OLD});"
)
# Whether a word is there is all that is asked of it: no places, no sizes.
_SQLITE = (
    f"CREATE VIRTUAL TABLE products_search_text USING fts5({_NAMES}, content='products_search', "
    "content_rowid='id', detail='none', columnsize=0, tokenize='ascii')",
    f"CREATE TRIGGER products_search_inserted AFTER INSERT ON products_search BEGIN {_TAKE} END",
    f"CREATE TRIGGER products_search_deleted AFTER DELETE ON products_search BEGIN {_DROP} END",
    "CREATE TRIGGER products_search_updated AFTER UPDATE ON products_search "
    f"BEGIN {_DROP} {_TAKE} END",
)
_POSTGRES = (
    "CREATE INDEX products_search_words ON products_search USING GIN (array_to_tsvector("
    "array_remove(string_to_array(name || sku || tags || category || description, ' '), '')))",
)


def up(migrator, db):
    """Create the tables."""

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Product(Base):
        id = peewee.UUIDField(primary_key=True)

        class Meta:
            table_name = "products_product"

    class SearchRow(Base):
        id = peewee.BigAutoField()
        product = peewee.ForeignKeyField(Product, unique=True, on_delete="CASCADE")
        name = peewee.TextField()
        sku = peewee.TextField()
        tags = peewee.TextField()
        category = peewee.TextField()
        description = peewee.TextField()

        class Meta:
            table_name = "products_search"

    class SearchWord(Base):
        id = peewee.BigAutoField()
        word = peewee.CharField(max_length=40, index=True)

        class Meta:
            table_name = "products_search_word"

    class SearchGram(Base):
        id = peewee.BigAutoField()
        gram = peewee.CharField(max_length=2)
        word = peewee.CharField(max_length=40)

        class Meta:
            table_name = "products_search_gram"
            indexes = ((("gram", "word"), False),)

    db.create_tables([SearchRow, SearchWord, SearchGram])
    for statement in _POSTGRES if isinstance(db, peewee.PostgresqlDatabase) else _SQLITE:
        db.execute_sql(statement)


def down(migrator, db):
    """Drop them."""
    if not isinstance(db, peewee.PostgresqlDatabase):
        db.execute_sql("DROP TABLE products_search_text")
    for table in ("gram", "word"):
        db.execute_sql(f"DROP TABLE products_search_{table}")
    db.execute_sql("DROP TABLE products_search")

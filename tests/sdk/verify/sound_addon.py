"""A sound addon, which uses much of what there is."""

SOUND_FIELDS = """depends=("products",), uses={"events": ("product.created",)},
    permissions={"loyal.read": "See points", "loyal.award": "Give points"}, settings=(
    Setting("per_unit", int, default=1, minimum=0, help="Points for one unit"),
    Setting("api_key", str, default="", secret=True, help="Key of the bank of points"))"""
SOUND = {
    "models.py": '''
        """Tables."""
        import peewee
        from bodega_sdk import Companion, Entity, extends

        class Entry(Entity):
            """Points that were given."""
            points = peewee.IntegerField(index=True)
            reason = peewee.CharField(max_length=40, unique=True)
            class Meta:
                table_name = "loyal_entry"

        class ProductPoints(Companion):
            """Points of a product."""
            id = extends("products.product")
            points = peewee.IntegerField(default=0, index=True)
            class Meta:
                table_name = "loyal_product"
        ''',
    "schemas.py": '''
        from bodega_sdk.schemas import Integer, Schema, String, Timestamp, Uuid

        class EntrySchema(Schema):
            """Points."""
            id = Uuid(dump_only=True)
            points = Integer(required=True, minimum=1, maximum=1000)
            reason = String(required=True, min_length=1, max_length=40)
            created_at = Timestamp(dump_only=True)

        class PointsSchema(Schema):
            """Points of a product."""
            points = Integer(minimum=0, maximum=1000)
        ''',
    "awarding.py": '''
        """Giving points."""
        from datetime import timedelta
        import peewee
        from bodega_loyal.models import Entry
        from bodega_sdk import Event, JobRun, job, setting, transaction
        from bodega_sdk.errors import Conflict

        awarded = Event("points.awarded", "Somebody got points.", {"points": "how many"})

        def award(points: int, reason: str) -> Entry:
            """Give points."""
            try:
                with transaction():
                    entry = Entry.create(points=points * setting("loyal.per_unit"), reason=reason)
            except peewee.IntegrityError:
                raise Conflict("Given already.") from None
            awarded.publish(str(entry.id), {"points": entry.points})
            tell.enqueue(entry=str(entry.id))
            return entry

        def hear(occurrence) -> None:
            """Do nothing."""

        @job("loyal.tell")
        def tell(run: JobRun, entry: str, again: bool | None = None) -> None:
            """Tell the bank."""
            setting("loyal.api_key")

        @job("loyal.forget", every=timedelta(days=1))
        def forget(run: JobRun) -> None:
            """Forget points."""
            with run.transaction():
                Entry.delete().where(Entry.points == 0).execute()
        ''',
    "plugin.py": '''
        import click
        from bodega_loyal import awarding
        from bodega_loyal.models import Entry, ProductPoints
        from bodega_loyal.schemas import EntrySchema, PointsSchema
        from bodega_products.api import PriceFacts
        from bodega_sdk import Channel, Collection, Extension, Filter, Money, Parameter, hookimpl

        class Entries(Collection):
            """Points."""
            model, schema, noun, nouns = Entry, EntrySchema, "entry", "entries"
            read, write = "loyal.read", "loyal.award"
            filters = (Filter(Parameter("points", int, "So many.", minimum=0, maximum=1000),
                              lambda value: Entry.points == value),)
            verbs = ("list", "create", "read", "delete")
            def create(self, request, data):
                return awarding.award(**data)

        @click.command()
        def points():
            """Count the points."""

        @hookimpl
        def register_models(): return [Entry]
        @hookimpl
        def register_extensions():
            return [Extension(ProductPoints, PointsSchema, filters=("points",))]
        @hookimpl
        def register_routes(routes): routes.collection("/loyal/entries", Entries)
        @hookimpl
        def register_jobs(): return [awarding.tell, awarding.forget]
        @hookimpl
        def register_events(): return [awarding.awarded]
        @hookimpl
        def register_subscriptions(events): events.on("product.created", awarding.hear)
        @hookimpl
        def register_channels():
            return [Channel("loyal.{id}", ("points.awarded",), "loyal.read", "Points of an entry")]
        @hookimpl
        def register_commands(): return [points]
        @hookimpl
        def quote_price(product: PriceFacts, quantity: int) -> Money | None: return None
        ''',
    "hookspecs.py": '''
        from bodega_sdk import hook

        @hook("filter")
        def change_points(points: int) -> int:
            """Return how many points are given in the end."""
        ''',
    "api.py": '''
        """What others may call."""
        from bodega_loyal.awarding import award

        __all__ = ["award"]
        ''',
    "migrations/0001_create_entries.py": """
        import peewee
        from bodega_sdk import UTCDateTimeField

        def up(migrator, db):
            class Entry(peewee.Model):
                id = peewee.UUIDField(primary_key=True)
                created_at = UTCDateTimeField(index=True)
                updated_at = UTCDateTimeField()
                points = peewee.IntegerField(index=True)
                class Meta:
                    database = db
                    legacy_table_names = False
                    table_name = "loyal_entry"
            db.create_tables([Entry])
            db.execute_sql(
                'CREATE TABLE "loyal_product" ("id" UUID NOT NULL PRIMARY KEY REFERENCES '
                '"products_product" ("id") ON DELETE CASCADE, "points" INTEGER NOT NULL)')
            db.execute_sql('CREATE INDEX "loyal_product_points" ON "loyal_product" ("points")')

        def down(migrator, db):
            db.execute_sql("DROP TABLE loyal_product")
            db.execute_sql("DROP TABLE loyal_entry")
        """,
    "migrations/0002_add_reason.py": """
        import peewee

        def up(migrator, db):
            migrator.migrate(migrator.add_column("loyal_entry", "reason",
                                                 peewee.CharField(max_length=40, null=True)))
            text = "cast(id AS varchar(36))" if "ostgres" in type(db).__name__ else "id"
            db.execute_sql(f"UPDATE loyal_entry SET reason = {text}")
            migrator.migrate(migrator.add_not_null("loyal_entry", "reason"))
            migrator.migrate(migrator.add_index("loyal_entry", ("reason",), True))
        """,
}

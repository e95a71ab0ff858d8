"""Addons that are sloppy with the database, rude to callers, or wrong in one thing."""

SLOPPY = {
    "plugin.py": """
        import peewee
        from bodega_sdk import Companion, Entity, Extension, hookimpl, extends
        from bodega_sdk.schemas import Integer, Schema
        from bodega_products import schemas

        schemas.CategorySchema._declared_fields["sloppy"] = Integer()

        class Thing(Entity):
            count = peewee.IntegerField()
            class Meta:
                table_name = "sloppy_thing"

        class Wear(Companion):
            id = extends("products.product")
            worn = peewee.IntegerField(default=0)
            class Meta:
                table_name = "sloppy_product"

        class WearSchema(Schema):
            worn = Integer()

        @hookimpl
        def register_models(): return [Thing]
        @hookimpl
        def register_extensions(): return [Extension(Wear, WearSchema)]
        @hookimpl
        def register_jobs():
            if Thing._meta.database.obj and Thing.table_exists():
                Thing.delete().execute()
            return []
        """,
    "migrations/0001_make.py": """
        from bodega_sdk import now, uuid7, UTCDateTimeField

        def up(migrator, db):
            db.execute_sql("CREATE TABLE sloppy_thing (id VARCHAR(40) PRIMARY KEY, count TEXT)")
            db.execute_sql("CREATE INDEX things_count ON sloppy_thing (count)")
            db.execute_sql("CREATE TABLE things (id INTEGER)")
            db.execute_sql("CREATE TABLE sloppy_product (id VARCHAR(40) PRIMARY KEY, worn INTEGER)")
            row = (uuid7().hex, now().isoformat(), now().isoformat())
            db.execute_sql("INSERT INTO products_category (id, created_at, updated_at, name, "
                           "slug, description, is_active) VALUES "
                           "('%s', '%s', '%s', 'x', 'sloppy', '', true)" % row)

        def down(migrator, db):
            db.execute_sql("DROP TABLE sloppy_thing")
        """,
    "migrations/0002_tighten.py": """
        def up(migrator, db):
            db.execute_sql("ALTER TABLE sloppy_thing ADD COLUMN more INTEGER NOT NULL")
        """,
}
RUDE = {
    "plugin.py": """
        from datetime import timedelta
        import peewee
        from bodega_rude import working
        from bodega_rude.other import ThingSchema as Other
        from bodega_rude.working import Thing
        from bodega_sdk import AUTHENTICATED, PUBLIC, Parameter, Reply, Route, hookimpl
        from bodega_sdk.http import METHODS
        from bodega_sdk.schemas import Integer, Schema, String

        class ThingSchema(Schema):
            size = Integer(required=True)
            name = String()

        def undeclared(request): return {"size": 1}
        def wrong(request): return {"size": "one", "more": 1}
        def every(request): return [1, 2]
        def write(request):
            Thing.create(size=1)
            return {"size": 1}
        def missing(request): return {"size": 1}
        def divide(request): return {"size": 100 // request.body["size"]}
        def leak(request): return Reply({"detail": 'File "/srv/x.py", line 3'}, 400)
        def enqueue(request):
            working.work.enqueue(unknown=1)
            working.happened.publish("x", {"other": 1})
            return {"size": 1}
        def refuse_all(request): return {"size": 1}

        @hookimpl
        def register_models(): return [Thing]
        @hookimpl
        def register_jobs(): return [working.work, working.fail]
        @hookimpl
        def register_events(): return [working.happened]
        @hookimpl
        def register_routes(routes):
            routes.add(
                Route("GET", "/rude/undeclared", undeclared, PUBLIC, "One"),
                Route("GET", "/rude/wrong", wrong, PUBLIC, "Two", returns=ThingSchema),
                Route("GET", "/rude/every", every, PUBLIC, "Three", returns=Other),
                Route("GET", "/rude/write", write, PUBLIC, "Four", returns=ThingSchema),
                Route("GET", "/rude/things/{id}", missing, PUBLIC, "Five", returns=ThingSchema),
                Route("POST", "/rude/divide", divide, AUTHENTICATED, "Six", body=ThingSchema,
                      returns=ThingSchema),
                Route("GET", "/rude/leak", leak, PUBLIC, "Seven", returns=ThingSchema),
                Route("POST", "/rude/enqueue", enqueue, PUBLIC, "Eight", returns=ThingSchema),
            )
        """,
    "other.py": """
        from bodega_sdk.schemas import Integer, Schema

        class ThingSchema(Schema):
            width = Integer()
        """,
    "working.py": '''
        from datetime import timedelta
        import peewee
        from bodega_sdk import Entity, Event, job

        happened = Event("rude.happened", "Something happened.", {"what": "what it was"})

        class Thing(Entity):
            size = peewee.IntegerField()
            class Meta:
                table_name = "rude_thing"

        @job("rude.work")
        def work(run, known: int) -> None:
            """Work."""

        @job("rude.fail", every=timedelta(days=1), max_attempts=1)
        def fail(run) -> None:
            """Fail."""
            raise LookupError("nobody is there")
        ''',
    "migrations/0001_make.py": """
        import peewee
        from bodega_sdk import UTCDateTimeField

        def up(migrator, db):
            class Thing(peewee.Model):
                id = peewee.UUIDField(primary_key=True)
                created_at = UTCDateTimeField(index=True)
                updated_at = UTCDateTimeField()
                size = peewee.IntegerField()
                class Meta:
                    database = db
                    legacy_table_names = False
                    table_name = "rude_thing"
            db.create_tables([Thing])
        """,
}
RANDOM = {
    "migrations/0001_make.py": """
        from random import random

        def up(migrator, db):
            name = str(random())[2:]
            db.execute_sql(f"CREATE TABLE chancy_t{name} (id INTEGER)")
        """,
}
NEEDY = {
    "plugin.py": """
        from bodega_sdk import PUBLIC, Route, hookimpl

        @hookimpl
        def register_routes(routes):
            routes.add(Route("GET", "/needy", print, "needy.nowhere", "Look"))
        """
}
TAKING = {
    "plugin.py": """
        from bodega_sdk import Event, hookimpl

        @hookimpl
        def register_events():
            return [Event("product.created", "A product was made.", {"id": "UUID"})]
        """
}

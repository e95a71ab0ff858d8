"""`bodega verify`: every rule is seen broken by a made-up addon, and kept by a sound one."""

import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from bodega_sdk.testing import servers
from bodega_sdk.testing.conformance.findings import Report
from bodega_sdk.testing.conformance.rules import LOOKING, RULES, chosen
from bodega_sdk.testing.conformance.running import verify

pytestmark = pytest.mark.slow

HOUSE = Path(__file__).parents[2]
_MANIFEST = """
from bodega_sdk import Manifest, Setting, manifest_hook

@manifest_hook
def addon_manifest():
    return Manifest(**({{"name": {name!r}, "version": "1.0.0", "package": "bodega_{name}",
                        "summary": "Points on every order"}} | dict({fields})))
"""


def install(folder: Path, name: str, files: Mapping[str, str], fields: str = "") -> None:
    """Write an addon as pip would install it; a file that is None is left out."""
    package = folder / f"bodega_{name}"
    sound: dict[str, Any] = {
        "__init__.py": "",
        "manifest.py": _MANIFEST.format(name=name, fields=fields),
        "plugin.py": "",
        "py.typed": "",
        "README.md": "It counts points.",
    }
    for file, text in (sound | dict(files)).items():
        if text is not None:
            path = package / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
    metadata = folder / f"bodega_{name}-1.0.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: bodega-{name}\nVersion: 1.0.0\n"
    )
    (metadata / "entry_points.txt").write_text(
        f"[bodega.addons]\n{name} = bodega_{name}.manifest\n"
    )


# A sound addon, which uses much of what there is.

_SOUND_FIELDS = """depends=("products",), uses={"events": ("product.created",)},
    permissions={"loyal.read": "See points", "loyal.award": "Give points"}, settings=(
    Setting("per_unit", int, default=1, minimum=0, help="Points for one unit"),
    Setting("api_key", str, default="", secret=True, help="Key of the bank of points"))"""
_SOUND = {
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

# An addon whose plugin can be assembled, and that is careless in everything else.

_CARELESS_FIELDS = """version="1.1.0", summary="TODO", sdk=">=0.1", depends=("products",),
    uses={"events": ("nothing.happened", "no.such")},
    permissions={"careless.read": "x", "careless.unused": "Do what nobody asks for"},
    settings=(Setting("unused", int, default=1, help=""),
              Setting("token", str, default="abc", help="Token of somebody"),
              Setting("key", str, default="abc", secret=True, help="Key of somebody"))"""
_CARELESS = {
    "__init__.py": "import bodega_careless.models",
    "README.md": None,
    "py.typed": None,
    "models.py": "",
    "manifest.py": "import orjson\n" + _MANIFEST.format(name="careless", fields=_CARELESS_FIELDS),
    "broken.py": "def f(:\n",
    "reaching.py": """
        def kernel():
            from bodega.shop import Shop
            from bodega_products.models import Product
            from bodega_accounts import api
            from . import models
            from bodega_sdk._markers import hookspec
            import pytest
        """,
    "busy.py": """
        import atexit, json, logging, os, pathlib, signal, socket, sys, threading, warnings
        from bodega_sdk.money import Money
        threading.Thread(target=print).start()
        socket.socket().close()
        pathlib.Path("left_behind").write_text("x")
        os.environ["CARELESS"] = "1"
        logging.basicConfig(level=logging.DEBUG)
        signal.signal(signal.SIGUSR1, lambda *_: None)
        atexit.register(print)
        sys.path.append("/nowhere")
        json.dumps = json.dumps.__call__
        Money.__str__ = lambda self: "?"
        warnings.warn("careful", DeprecationWarning)
        print("hello")
        """,
    "plugin.py": '''
        import click
        from datetime import timedelta
        from uuid import UUID
        from bodega_sdk import (PUBLIC, Channel, Event, Parameter, Route, hook, hookimpl, job,
                                setting)

        def show(request):
            setting("careless.other")
            return request.body

        @job("careless.work", every=timedelta(0))
        def work(run, thing: UUID, other): pass

        @click.group()
        def careless(): pass

        @careless.command("inner")
        def inner():
            """Do something inside."""

        @hookimpl
        def register_routes(routes):
            routes.add(
                Route("GET", "/careless/one", show, "careless.read", "",
                      parameters=(Parameter("x", str),)),
                Route("POST", "/careless/one", show, "careless.read", "Make one"),
                Route("PUT", "/careless/two", show, PUBLIC, "Replace all"),
            )
        @hookimpl
        def register_jobs(): return [work]
        @hookimpl
        def register_events(): return [Event("careless.create", "", {})]
        @hookimpl
        def register_subscriptions(events): events.on("nothing.happened", lambda a, b: None)
        @hookimpl
        def register_channels(): return [Channel("other.{id}", ("no.such",), PUBLIC, "")]
        @hookimpl
        def register_commands(): return [careless]
        @hookimpl
        def quote_price(product, quantity: str): return None
        ''',
    "hookspecs.py": '''
        from bodega_sdk import hook

        @hook("observe")
        def carelessly_done() -> None:
            """Done."""
        ''',
    "api.py": "def serve(x): return x",
    "migrations/0001_x.py": "from bodega_careless import models\ndef down(m, d): pass",
    "migrations/one.py": "def up(migrator, db): pass",
}

# An addon that does with the database what it should not.

_SLOPPY = {
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

# An addon whose routes do what they should not.

_RUDE = {
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

_RANDOM = {
    "migrations/0001_make.py": """
        from random import random

        def up(migrator, db):
            name = str(random())[2:]
            db.execute_sql(f"CREATE TABLE chancy_t{name} (id INTEGER)")
        """,
}
_NEEDY = {
    "plugin.py": """
        from bodega_sdk import PUBLIC, Route, hookimpl

        @hookimpl
        def register_routes(routes):
            routes.add(Route("GET", "/needy", print, "needy.nowhere", "Look"))
        """
}
_TAKING = {
    "plugin.py": """
        from bodega_sdk import Event, hookimpl

        @hookimpl
        def register_events():
            return [Event("product.created", "A product was made.", {"id": "UUID"})]
        """
}
_STATIC = tuple(rule for rule, item in RULES.items() if item.stage in LOOKING)


@pytest.fixture(scope="module")
def reports() -> Iterator[Any]:
    """The report of a made-up addon, made once."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        install(folder, "loyal", _SOUND, _SOUND_FIELDS)
        install(folder, "careless", _CARELESS)
        install(folder, "sloppy", _SLOPPY, "depends=('products',)")
        install(folder, "rude", _RUDE)
        install(folder, "chancy", _RANDOM)
        install(folder, "needy", _NEEDY)
        install(folder, "taking", _TAKING)
        install(folder, "leaving", {"plugin.py": "import os\nos._exit(3)"})
        patch.syspath_prepend(str(folder))
        yield functools.cache(verify)


def test_a_sound_addon_keeps_every_rule(reports: Any) -> None:
    report = reports("loyal", ("sqlite",))
    assert report.findings == ()
    assert report.rules == tuple(RULES)
    assert list(report.lines())[-1].startswith("loyal: clean: ")


_BY_CARELESS = re.findall(
    r"\S+",
    """
    V102 V103 V104 V105 V106 V107 V108 V109 V111 V112 V113 V114 V121 V122 V123 V124
    V125 V303 V304 V401 V402 V403 V407 V501 V502 V503 V511 V512 V514 V515 V521 V522
    V523 V531 V532 V541 V542 V551 V571
    """,
)
_BY_SLOPPY = re.findall(
    r"\S+",
    """
    V301 V302 V305 V306 V307 V308 V311 V312 V313 V314 V562 V563
    """,
)
_BY_RUDE = re.findall(
    r"\S+",
    """
    V115 V404 V405 V408 V409 V410 V411 V412 V413 V504 V505 V513
    """,
)


@pytest.mark.parametrize("rule", _BY_CARELESS)
def test_a_careless_addon_breaks(reports: Any, rule: str) -> None:
    assert reports("careless", ("sqlite",), _STATIC).broken().get(rule)


@pytest.mark.parametrize("rule", _BY_SLOPPY)
def test_an_addon_that_is_sloppy_with_the_database_breaks(reports: Any, rule: str) -> None:
    assert reports("sloppy", ("sqlite",)).broken().get(rule)


@pytest.mark.parametrize("rule", _BY_RUDE)
def test_an_addon_that_is_rude_to_callers_breaks(reports: Any, rule: str) -> None:
    assert reports("rude", ("sqlite",)).broken().get(rule)


@pytest.mark.parametrize(
    ("addon", "rule"),
    [("nobody", "V101"), ("leaving", "V126"), ("needy", "V201"), ("taking", "V202"),
     ("chancy", "V309")],
)  # fmt: skip
def test_an_addon_of_its_own_breaks(reports: Any, addon: str, rule: str) -> None:
    assert reports(addon, ("sqlite",)).broken().get(rule)


def test_every_rule_is_seen_broken_here_or_is_the_kernels() -> None:
    seen = {*_BY_CARELESS, *_BY_SLOPPY, *_BY_RUDE, "V101", "V126", "V201", "V202", "V309"}
    # Routes are gated by the kernel, and what an extension asks is refused by it.
    assert set(RULES) - seen == {"V406", "V561"}


def test_what_keeps_an_addon_from_being_looked_at_is_told_whatever_rule_is_asked_for(
    reports: Any,
) -> None:
    report = reports("needy", ("sqlite",), ("V305",))
    assert list(report.broken()) == ["V201"]
    assert "'needy.nowhere'" in report.findings[0].message


def test_a_finding_names_file_line_and_remedy(reports: Any) -> None:
    report = reports("careless", ("sqlite",), _STATIC)
    (found,) = report.broken()["V112"]
    assert found.line == "bodega_careless/reaching.py:6: imports ..models relatively"
    assert "    Mend: Write the package's name." in list(report.lines())


def test_a_rule_is_asked_for_by_what_it_begins_with() -> None:
    assert chosen(["v305"]) == {"V305"}
    assert chosen(["V30", "V101"]) == {"V101", *(f"V30{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9))}
    assert chosen([]) == set(RULES)
    with pytest.raises(ValueError, match="there is no rule 'V9'"):
        chosen(["V9"])


def test_postgresql_that_is_nowhere_is_left_out_and_told(
    reports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "postgres", _nowhere)
    report: Report = verify("loyal", rules=("V504",))
    assert report.clean
    assert report.engines == ("sqlite",)
    assert report.notes == ("PostgreSQL was left out: it is nowhere",)


def _nowhere() -> None:
    raise servers.ServerNotFound("it is nowhere")


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ``bodega verify`` as an author would."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-m", "bodega", "verify", *arguments],
        env=environ, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def test_the_command_ends_with_1_and_tells_programs_what_it_found(reports: Any) -> None:
    done = run("careless", "--engine", "sqlite", "--rule", "V10", "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["clean"] is False
    assert {item["rule"] for item in told["findings"]} >= {"V102", "V104", "V108"}
    assert all(item["title"] and item["remedy"] for item in told["findings"])
    assert told["rules"] == [f"V10{number}" for number in range(1, 10)]


def test_the_command_ends_with_0_when_nothing_is_found(reports: Any) -> None:
    done = run("loyal", "--rule", "V10")
    assert done.returncode == 0, done.stdout
    assert re.fullmatch(r"loyal 1.0.0\nloyal: clean: 9 rules kept, \d+\.\d s\n", done.stdout)


@pytest.mark.parametrize("arguments", [(), ("loyal", "--rule", "V999"), ("loyal", "--engine", "x")])
def test_a_wrong_call_ends_with_2(reports: Any, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).returncode == 2


def test_all_rules_can_be_listed() -> None:
    lines = run("--list").stdout.splitlines()
    assert lines == [f"{rule.id}  {rule.title}" for rule in RULES.values()]


def test_the_page_tells_of_every_rule_under_the_same_title() -> None:
    page = " ".join((HOUSE / "docs" / "verify.md").read_text().split())
    told = dict(re.findall(r"\*\*(V\d{3}) (.+?)\.?\*\*", page))
    plain = {rule: text.replace("`", "").rstrip(".") for rule, text in told.items()}
    assert plain.keys() == RULES.keys()
    assert {rule.id: rule.title for rule in RULES.values()} == plain


def test_it_is_a_set_of_tests_for_authors(reports: Any, tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    (tmp_path / "pytest.ini").write_text("[pytest]\nbodega_verify = careless\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--bodega-verify-engine", "sqlite", "-k", "V10"],
        cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout
    assert "FAILED bodega verify careless::V104" in done.stdout
    assert "Mend: Raise both." in done.stdout
    assert "8 failed, 1 passed" in done.stdout

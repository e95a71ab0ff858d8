"""An addon whose plugin can be assembled, and that is careless in everything else."""

from tests.sdk.verify.installing import MANIFEST

_CARELESS_FIELDS = """version="1.1.0", summary="TODO", sdk=">=0.1", depends=("products",),
    uses={"events": ("nothing.happened", "no.such")},
    permissions={"careless.read": "x", "careless.unused": "Do what nobody asks for"},
    settings=(Setting("unused", int, default=1, help=""),
              Setting("token", str, default="abc", help="Token of somebody"),
              Setting("key", str, default="abc", secret=True, help="Key of somebody"))"""
CARELESS = {
    "__init__.py": "import bodega_careless.models",
    "README.md": None,
    "py.typed": None,
    "models.py": "",
    "manifest.py": "import orjson\n" + MANIFEST.format(name="careless", fields=_CARELESS_FIELDS),
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

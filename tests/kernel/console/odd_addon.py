"""An addon whose pages of the console are odd."""

NOTES = """
from datetime import UTC, datetime
from decimal import Decimal

from markupsafe import Markup

from bodega_sdk import *
from bodega_sdk.console import *

SCRIPT = "<script>alert('gotcha')</script>"


def everything(request):
    '''Yield every kind of block, with every kind of cell, all of it hostile.'''
    text = Markup(SCRIPT)
    yield Heading(text)
    yield Text(text + "\\n\\n" + text)
    yield Notice(text, "warning")
    yield Facts([(text, text)])
    cells = [text, 1234567, 2.5, Decimal("1.50"), Money(1999, "EUR"), True, None,
             datetime(2026, 10, 1, 12, tzinfo=UTC), uuid7(), Link(text, "/console"),
             Badge(text, "good"), Progress(3, 4), Progress(5)]
    yield Table([text] * len(cells), [cells], text)
    yield Table(["a"], [], empty=text)
    yield Bars([(text, 3), ("b", 0)], text, text)
    yield Bars([], text)
    yield Line([(text, 3), ("b", -1.5)], text, text)
    yield Line([], text)
    yield Pages("/console/odd?page=1", "/console/odd?page=3")


def portions(request):
    return [Text(f"page {request.query['page']}"), page_links(request, more=True)]


def rows(request):
    return [Table(["row"], ([f"row {n}"] for n in range(1002)))]


def html(request):
    return ["<p>HTML</p>"]


def object_cell(request):
    return [Facts([("a", object())])]


def naive(request):
    return [Facts([("a", datetime(2026, 10, 1))])]


def elsewhere(request):
    return [Facts([("a", Link("there", request.query["to"]))])]


def broken(request):
    yield Text("It begins well")
    raise RuntimeError("a secret of the addon's")


def leaving(request):
    raise SystemExit(3)


def missing(request):
    from bodega_sdk.errors import NotFound
    raise NotFound("There is no such drawer.")


def half(request):
    return [Text("half a character: \\ud800")]


@hookimpl
def register_console_pages():
    return [
        ConsolePage("odd", SCRIPT, "odd.read", everything, SCRIPT),
        ConsolePage("odd/portions", "Portions", AUTHENTICATED, portions, parameters=(PAGE,)),
        ConsolePage("odd/elsewhere", "E", AUTHENTICATED, elsewhere,
                    parameters=(Parameter("to"),)),
        *(ConsolePage("odd/" + f.__name__.replace("_", "-"), f.__name__, AUTHENTICATED, f)
          for f in (rows, html, object_cell, naive, broken, leaving, missing, half)),
    ]
"""


FIELDS = """{"permissions": {"odd.read": "Look"}, "grants": {"staff": ("odd.read",)},
             "summary": "<script>alert('gotcha')</script>"}"""

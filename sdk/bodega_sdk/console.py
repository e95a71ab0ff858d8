"""Pages of the console: an addon returns blocks of data, the kernel makes HTML of them.

So every page looks alike, prints, works on a telephone and with a screen reader, and
nothing that a page shows can become markup or script.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import falcon

from bodega_sdk.http import Parameter, Request
from bodega_sdk.money import Money

__all__ = [
    "PAGE",
    "TONES",
    "Badge",
    "Bars",
    "Block",
    "Cell",
    "ConsolePage",
    "Facts",
    "Heading",
    "Line",
    "Link",
    "Notice",
    "Pages",
    "Picture",
    "Progress",
    "Table",
    "Text",
    "page_links",
]

#: The query parameter of a page that shows its rows in portions, e.g. ``PAGE.parse("2")``;
#: see :func:`page_links`.
PAGE = Parameter("page", int, "Page number, from 1.", 1, 1, 100)
#: What a badge or a notice says of itself besides its words, e.g. ``Badge("late", TONES[2])``.
TONES = ("plain", "good", "warning", "bad")


def _keep(block: object, name: str, values: Iterable[object]) -> None:
    """Let a block hold what it was given as it is now, also when that can be read once only."""
    object.__setattr__(block, name, tuple(values))


def _check_tone(tone: str) -> None:
    if tone not in TONES:
        raise ValueError(f"expected a tone out of {', '.join(TONES)}, found {tone!r}")


def _check_address(address: str) -> None:
    # A browser reads a backslash as a slash, and leaves out white space and controls.
    own = address.startswith("/") and not address.startswith("//")
    if not own or "\\" in address or not address.isprintable():
        raise ValueError(f"expected an address of this shop such as '/console', found {address!r}")


@dataclass(frozen=True, slots=True)
class Link:
    """A link to an address of this shop.

    Args:
        text: what it reads.
        address: begins with one ``/``.

    Example::

        >>> Link("The order", "/console/orders/7").address
        '/console/orders/7'
    """

    text: str
    address: str

    def __post_init__(self) -> None:
        _check_address(self.address)


@dataclass(frozen=True, slots=True)
class Badge:
    """A word that stands out, e.g. a status.

    Args:
        tone: one of :data:`TONES`; the word must do without it.

    Example::

        >>> Badge("late", "warning").tone
        'warning'
    """

    text: str
    tone: str = "plain"

    def __post_init__(self) -> None:
        _check_tone(self.tone)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something is; without a total only the number that is done is shown.

    Args:
        done, total: in a unit of their own, e.g. rows.

    Example::

        >>> Progress(40, 100).done
        40
    """

    done: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A small picture of this shop.

    Args:
        address: begins with one ``/``.
        text: what it shows, for those who cannot see it.
        side: pixels that it is wide and high at most, up to 480.

    Example::

        >>> Picture("/api/v1/loyalty/cards/7.png", "A golden card", 48).side
        48
    """

    address: str
    text: str
    side: int = 96

    def __post_init__(self) -> None:
        _check_address(self.address)
        if not 1 <= self.side <= 480:
            raise ValueError(f"expected a side of 1 to 480 pixels, found {self.side!r}")


#: What stands in a cell, e.g. ``Money(2999, "EUR")``: None is shown as a dash, a datetime
#: (aware) in UTC.
Cell = (
    str | int | float | Decimal | Money | datetime | UUID | Link | Badge | Picture | Progress | None
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside the page; the page's title stands above it already.

    Args:
        text: one line.

    Example::

        >>> Heading("Last week").text
        'Last week'
    """

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; an empty line begins another.

    Args:
        text: without markup.

    Example::

        >>> Text("Points are given when an order is paid.").text
        'Points are given when an order is paid.'
    """

    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A paragraph that should not be missed.

    Args:
        tone: one of :data:`TONES`.

    Example::

        >>> Notice("Two orders are late.", "warning").text
        'Two orders are late.'
    """

    text: str
    tone: str = "plain"

    def __post_init__(self) -> None:
        _check_tone(self.tone)


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one below the other.

    Args:
        rows: a name and a value each, from top to bottom.

    Example::

        >>> Facts([("Points", 3), ("Since", now())]).rows[0]
        ('Points', 3)
    """

    rows: Sequence[tuple[str, Cell]]

    def __post_init__(self) -> None:
        _keep(self, "rows", map(tuple, self.rows))


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Args:
        columns: their headings; the first column names its row.
        rows: as many cells each as there are columns. Fetch a bounded number.
        caption: what it shows, for those who cannot see where it stands.
        empty: what is said when there are no rows.

    Example::

        >>> Table(("Order", "Points"), [("o-1", 3), ("o-2", None)], caption="Awards").rows[1]
        ('o-2', None)
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    empty: str = "There is nothing here yet."

    def __post_init__(self) -> None:
        _keep(self, "columns", self.columns)
        _keep(self, "rows", map(tuple, self.rows))
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"expected {len(self.columns)} cells in a row, found {len(row)}")


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart of numbers from 0, one bar below the other.

    Args:
        rows: labels and numbers.
        caption: what it shows.
        unit: stands behind each number.

    Example::

        >>> Bars([("Monday", 3), ("Tuesday", 5)], "Points a day", unit="points").rows
        (('Monday', 3), ('Tuesday', 5))
    """

    rows: Sequence[tuple[str, float]]
    caption: str
    unit: str = ""

    def __post_init__(self) -> None:
        _keep(self, "rows", map(tuple, self.rows))
        for label, value in self.rows:
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"bar {label!r}: expected a number from 0, found {value!r}")


@dataclass(frozen=True, slots=True)
class Line:
    """A line chart; the numbers stand below it in a table that can be opened.

    Args:
        points: labels and numbers, from left to right.
        caption: what it shows.
        unit: stands behind each number.

    Example::

        >>> Line([("Monday", 3.5), ("Tuesday", 5)], "Points a day").caption
        'Points a day'
    """

    points: Sequence[tuple[str, float]]
    caption: str
    unit: str = ""

    def __post_init__(self) -> None:
        _keep(self, "points", map(tuple, self.points))
        for label, value in self.points:
            if not math.isfinite(value):
                raise ValueError(f"point {label!r}: expected a finite number, found {value!r}")


@dataclass(frozen=True, slots=True)
class Pages:
    """Links to the page before and the page behind; None where there is none.

    Args:
        previous, next: addresses of this shop.

    Example::

        >>> Pages(next="/console/loyalty?page=2").previous is None
        True
    """

    previous: str | None = None
    next: str | None = None

    def __post_init__(self) -> None:
        for address in filter(None, (self.previous, self.next)):
            _check_address(address)


def page_links(request: Request, *, more: bool) -> Pages:
    """Return the links from one portion of rows to its neighbours.

    Args:
        request: of a page that knows the parameter :data:`PAGE`.
        more: whether rows are left behind this portion; fetch one more to know.

    Example::

        >>> page_links(request, more=True)
        Pages(previous='/notes?page=1', next='/notes?page=3')
    """
    number = request.query["page"]

    def address(page: int) -> str:
        query = dict(request.raw.params) | {"page": page}
        return str(request.raw.path + falcon.to_query_str(query))

    last = PAGE.maximum or number
    return Pages(
        address(number - 1) if number > 1 else None,
        address(number + 1) if more and number < last else None,
    )


#: What a page consists of, e.g. ``Heading("Last week")``.
Block = Heading | Text | Notice | Facts | Table | Bars | Line | Pages


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """A page that an addon adds to the console.

    Args:
        path: below ``/console``; its first segment is the addon's name with dashes for
            underscores, or one of its route roots. E.g. ``"orders/late"``.
        title: stands in the navigation and above the page.
        permission: who sees it; never PUBLIC.
        render: takes the request and returns the blocks. It only reads: the console
            knows GET alone.
        summary: one sentence below the title.
        parameters: the query parameters; any other is refused.

    Example::

        >>> def late(request: Request) -> list[Block]:
        ...     return [Notice("Nothing is late.", "good")]
        >>> ConsolePage("orders/late", "Late orders", "orders.read", late).title
        'Late orders'
    """

    path: str
    title: str
    permission: str
    render: Callable[[Request], Iterable[Block]]
    summary: str = ""
    parameters: tuple[Parameter, ...] = ()

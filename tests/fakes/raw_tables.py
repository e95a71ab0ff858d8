"""What reports must say, by SQL over the tables of orders and payments and nothing else."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bodega_sdk import Money, UTCDateTimeField, database

#: What went back of each order's total, after each entry of its ledger that came before it was
#: cancelled; and what had gone back before.
GONE = """
WITH entries AS (
  SELECT e."order" AS o, e.created_at AS at, e.id AS id,
    SUM(CASE e.kind WHEN 'capture' THEN e.amount ELSE 0 END)
      OVER (PARTITION BY e."order" ORDER BY e.created_at, e.id) AS taken,
    SUM(CASE e.kind WHEN 'refund' THEN e.amount WHEN 'refund_failed' THEN -e.amount ELSE 0 END)
      OVER (PARTITION BY e."order" ORDER BY e.created_at, e.id) AS back
  FROM payments_ledger_entry e
), over AS (
  SELECT x.*, p.total, p.currency,
    x.back - (CASE WHEN x.taken > p.total THEN x.taken - p.total ELSE 0 END) AS want
  FROM entries x JOIN orders_order p ON p.id = x.o
  WHERE p.cancelled_at IS NULL OR x.at < p.cancelled_at
), gone AS (
  SELECT o, at, id, currency,
    CASE WHEN want < 0 THEN 0 WHEN want > total THEN total ELSE want END AS gone FROM over
), steps AS (
  SELECT o, at, id, currency, gone,
    gone - COALESCE(LAG(gone) OVER (PARTITION BY o ORDER BY at, id), 0) AS step FROM gone
)
"""


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run SQL whose places are ``?``; moments are aware."""
    adapt = UTCDateTimeField().db_value
    found = [adapt(one) if isinstance(one, datetime) else one for one in values]
    return list(database.execute_sql(sql.replace("?", database.obj.param), found).fetchall())


def span(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """Return when days begin, and when they end."""
    place = ZoneInfo(zone)
    return (
        datetime.combine(first, time(), place),
        datetime.combine(last + timedelta(days=1), time(), place),
    )


def _by(sql: str, lo: datetime, hi: datetime, head: str = "") -> dict[str, tuple[int, ...]]:
    found = rows(f"{head}{sql}", lo, hi)
    return {code: tuple(int(one or 0) for one in numbers) for code, *numbers in found}


def sales(first: date, last: date, zone: str) -> dict[str, dict[str, Any]]:
    """Return what was sold in some days, by currency, as the report shows it."""
    lo, hi = span(first, last, zone)
    inside = "{0} >= ? AND {0} < ? GROUP BY 1"
    placed = _by(
        "SELECT currency, COUNT(*), SUM(subtotal), SUM(discount), SUM(shipping), SUM(tax), "
        f"SUM(total) FROM orders_order WHERE {inside.format('created_at')}", lo, hi,
    )  # fmt: skip
    units = _by(
        "SELECT o.currency, SUM(l.quantity) FROM orders_line l JOIN orders_order o "
        f"ON o.id = l.order_id WHERE {inside.format('o.created_at')}", lo, hi,
    )  # fmt: skip
    people = _by(
        "SELECT currency, COUNT(DISTINCT email) "
        f"FROM orders_order WHERE {inside.format('created_at')}", lo, hi,
    )  # fmt: skip
    paid = _by(
        f"SELECT currency, COUNT(*), SUM(total) FROM orders_order WHERE {inside.format('paid_at')}",
        lo, hi,
    )  # fmt: skip
    refunds = _by(
        f"SELECT currency, SUM(step) FROM steps WHERE {inside.format('at')}", lo, hi, GONE
    )
    lost = _by(
        "SELECT p.currency, COUNT(*), SUM(p.total - COALESCE(g.gone, 0)) FROM orders_order p "
        "LEFT JOIN (SELECT o, SUM(step) AS gone FROM steps GROUP BY o) g ON g.o = p.id "
        f"WHERE {inside.format('p.cancelled_at')}", lo, hi, GONE,
    )  # fmt: skip
    came = _by(
        "SELECT o.currency, SUM(r.amount) FROM orders_return r JOIN orders_order o "
        f"ON o.id = r.order_id WHERE {inside.format('r.received_at')}", lo, hi,
    )  # fmt: skip
    pieces = _by(
        "SELECT o.currency, SUM(x.received) FROM orders_return_line x JOIN orders_return r "
        "ON r.id = x.returned_in_id JOIN orders_order o ON o.id = r.order_id "
        f"WHERE {inside.format('r.received_at')}", lo, hi,
    )  # fmt: skip
    codes = {code for one in (placed, paid, refunds, lost, came) for code in one}
    none = (0,) * 6
    return {
        code: _sales(
            code, placed.get(code, none), units.get(code, none)[0], people.get(code, none)[0],
            paid.get(code, none), refunds.get(code, none)[0], lost.get(code, none),
            came.get(code, none)[0], pieces.get(code, none)[0],
        )
        for code in codes
    }  # fmt: skip


def _sales(
    code: str, placed: Any, units: int, people: int, paid: Any, refunds: int, lost: Any,
    came: int, pieces: int,
) -> dict[str, Any]:  # fmt: skip
    orders, goods, discounts, shipping, taxes, gross = placed
    money = {
        "goods": goods, "discounts": discounts, "shipping": shipping, "taxes": taxes,
        "gross": gross, "paid": paid[1], "refunds": refunds, "cancelled": lost[1],
        "returns": came, "net": gross - refunds - lost[1],
        "average_order": int(gross / orders + 0.5) if orders else 0,
    }  # fmt: skip
    return {name: str(Money(amount, code)) for name, amount in money.items()} | {
        "orders": orders, "units": units, "customers": people, "paid_orders": paid[0],
        "cancelled_orders": lost[0], "returned_units": pieces,
    }  # fmt: skip


def products(first: date, last: date, zone: str, currency: str) -> dict[str, tuple[int, int]]:
    """Return pieces ordered and net sales of products in minor units, by id in hexadecimal."""
    lo, hi = span(first, last, zone)
    sold = rows(
        "SELECT l.product, SUM(l.quantity), SUM(l.total) FROM orders_line l JOIN orders_order o "
        "ON o.id = l.order_id WHERE o.currency = ? AND o.created_at >= ? AND o.created_at < ? "
        "GROUP BY 1", currency, lo, hi,
    )  # fmt: skip
    lost = rows(
        "SELECT l.product, 0, -SUM(l.total) FROM orders_line l JOIN orders_order o ON "
        "o.id = l.order_id WHERE o.currency = ? AND o.cancelled_at >= ? AND o.cancelled_at < ? "
        "GROUP BY 1", currency, lo, hi,
    )  # fmt: skip
    came = rows(
        "SELECT l.product, 0, -SUM(r.amount) FROM orders_return r JOIN orders_return_line x ON "
        "x.returned_in_id = r.id JOIN orders_line l ON l.id = x.line_id JOIN orders_order o ON "
        "o.id = r.order_id WHERE o.currency = ? AND r.received_at >= ? AND r.received_at < ? "
        "GROUP BY 1", currency, lo, hi,
    )  # fmt: skip
    return _added(sold, lost, came)


def categories(found: dict[str, tuple[int, int]]) -> dict[str | None, tuple[int, int]]:
    """Return the same by category."""
    groups = {
        _hex(key): group for key, group in rows("SELECT id, category_id FROM products_product")
    }
    named = [
        (groups.get(key) and _hex(groups[key]), units, net) for key, (units, net) in found.items()
    ]
    return _added(named)


def _hex(key: Any) -> str:
    return str(key).replace("-", "")


def _added(*some: Iterable[tuple[Any, ...]]) -> Any:
    found: dict[Any, tuple[int, int]] = {}
    for key, units, net in (row for one in some for row in one):
        name = key if key is None else _hex(key)
        before = found.get(name, (0, 0))
        found[name] = (before[0] + int(units), before[1] + int(net))
    return found

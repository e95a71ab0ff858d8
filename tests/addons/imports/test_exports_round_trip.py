"""What is exported is imported as it was, whatever the texts are, on both engines alike."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bodega_imports.beginning import begin_import
from bodega_imports.export_jobs import Wanted, begin_export
from bodega_imports.export_streams import Blocks, Records
from bodega_imports.exporting import file_of
from bodega_imports.formulas import SIGNS, escape, escaped_in_sql, restore
from bodega_imports.models import Import
from bodega_products import api as products
from bodega_products.models import Category, Product
from bodega_products.text import slugify
from bodega_sdk.snapshots import snapshot

NASTY = st.one_of(
    st.sampled_from([
        "", "=cmd|' /C calc'!A0", "+1", "-2", "-2.5", "-2.", "+1+1", "@x", "\tx", "'=", "''=x",
        "'", "it's", '"', '""', '","', "\n", "\r", "\r\n", " a ", "a,b;c|d\te", "＝1", "'＋", "\\.",
        "\\N", "null", "-\n", "+1\n", "'-2", "\x0b", "\x1f", "\x7f", "\u2028", "😀", "Größe",
        "%s %", "?", "{}", "保温杯", "\ufeff", "-1e5", "--1", "=", "\xa0",
    ]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12),
    st.text("'=+-@1.\n\t＝", max_size=5),
)  # fmt: skip
NAMES = NASTY.map(str.strip).filter(bool)


@given(NASTY)
def test_an_escaped_cell_is_no_formula_and_is_restored(text: str) -> None:
    cell = escape(text)
    assert restore(cell) == text
    assert cell[:1] not in SIGNS or not cell or _is_number(cell)


def _is_number(cell: str) -> bool:
    return cell[1:].replace(".", "", 1).isdigit() and cell[-1:] not in (".", "\n")


@given(st.lists(NASTY, max_size=20), st.integers(1, 7))
def test_records_are_counted_however_they_are_cut(texts: list[str], size: int) -> None:
    cells = ['"' + text.replace('"', '""') + '"' for text in texts]
    data = "".join(f"a,{cell}\n" for cell in cells).encode()
    records, target = Records(quoted=True), BytesIO()
    blocks = Blocks(target, "utf-16", records, lambda: None)
    for start in range(0, len(data), size):
        blocks.write(data[start : start + size])
    assert records.count == len(texts)
    assert target.getvalue().decode("utf-16") == data.decode()


PRODUCTS = st.lists(
    st.fixed_dictionaries({
        "name": NAMES, "description": NASTY, "price_minor": st.integers(0, 10**13),
        "compare_at_minor": st.none() | st.integers(0, 10**13), "is_active": st.booleans(),
        "category": st.none() | NAMES,
    }),
    min_size=1, max_size=6,
)  # fmt: skip


@pytest.fixture
def export(shop: Any, worker: Any) -> Callable[..., bytes]:
    """Export everything, and return the file."""

    def write(format: str = "csv") -> bytes:
        columns = [item.name for item in products.checked_columns(None, None)]
        run = begin_export(Wanted(columns, format), "a test")
        worker.run()
        path = file_of(type(run).get_by_id(run.id))
        assert path is not None
        return path.read_bytes()

    return write


@pytest.mark.slow
def test_an_export_imported_elsewhere_is_exported_as_the_same_bytes(
    export: Callable[..., bytes], worker: Any
) -> None:
    """On both engines: the bytes are those that Python's own escaping makes."""

    @settings(max_examples=8, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(PRODUCTS)
    def there_and_back(made: list[dict[str, Any]]) -> None:
        for model in (Product, Category):
            model.delete().execute()
        rows = [
            products.ProductRow(f"=S{number}", {"slug": f"s-{number}"} | item)
            for number, item in enumerate(made)
        ]
        products.upsert(rows, "test")
        for format in ("csv", "jsonl", "xlsx"):
            first = export(format)
            assert format != "csv" or first == _written(made)
            _import(first, format, worker, "unchanged")
            Product.delete().execute()
            Category.delete().execute()
            _import(first, format, worker, "created")
            assert export(format) == first

    there_and_back()


def _written(made: list[dict[str, Any]]) -> bytes:
    """Return the file that Python would write, in the order of the SKUs."""
    columns = [item.name for item in products.checked_columns(None, None)]
    # Of several names with one slug, one is the category's.
    named = dict(Category.select(Category.slug, Category.name).tuples())
    lines = [",".join(columns)]
    for number, item in enumerate(made):
        category = named[slugify(item["category"])] if item["category"] else ""
        cells = [
            f"=S{number}", item["name"], f"s-{number}", item["description"],
            _amount(item["price_minor"]), _amount(item["compare_at_minor"]), "USD", category,
            "", str(item["is_active"]).lower(), "",
        ]  # fmt: skip
        lines.append(",".join(map(_quoted, map(escape, cells))))
    return "".join(f"{line}\n" for line in lines).encode()


def _amount(minor: int | None) -> str:
    return "" if minor is None else f"{minor // 100}.{minor % 100:02}"


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set('",\r\n') else cell


def _import(data: bytes, format: str, worker: Any, outcome: str) -> None:
    run = begin_import(f"x.{format}", len(data), "test", lambda path: path.write_bytes(data))
    worker.run()
    done = Import.get_by_id(run.id)
    assert (done.status, done.errors, done.format) == ("completed", 0, "bodega"), done.message
    assert getattr(done, outcome) == done.total_rows


@pytest.mark.slow
def test_formulas_are_escaped_in_sql_as_in_python(shop: Any) -> None:
    with snapshot() as found:
        sql = escaped_in_sql("item.text", postgres=found.postgres)
        mark = "%s" if found.postgres else "?"

        @settings(max_examples=500, deadline=None)
        @given(NASTY)
        def agree(text: str) -> None:
            query = f"SELECT {sql} FROM (SELECT CAST({mark} AS TEXT) AS text) AS item"
            ((cell,),) = found.rows(query, (text,))
            assert cell == escape(text)

        agree()

"""How the values of products become texts and JSON in SQL, alike on both engines."""

from collections.abc import Callable, Mapping

from bodega_sdk.money import by_decimals

#: Variants as JSON, in their order; names of options in the order of their letters.
_VARIANTS_POSTGRES = """(
SELECT '[' || string_agg('{"sku":' || to_json(v.sku::text)::text
    || ',"options":{' || COALESCE((
        SELECT string_agg(to_json(o.key)::text || ':' || to_json(o.value)::text, ','
                          ORDER BY o.key COLLATE "C")
        FROM jsonb_each_text(v.options) AS o), '') || '}'
    || ',"price":' || CASE WHEN v.has_price THEN '"' || %s || '"' ELSE 'null' END
    || '}', ',' ORDER BY v.position) || ']'
FROM products_variant AS v WHERE v.product_id = %s)"""
_VARIANTS_SQLITE = """(
SELECT '[' || group_concat(one, ',') || ']' FROM (
    SELECT '{"sku":' || json_quote(v.sku) || ',"options":{' || COALESCE((
        SELECT group_concat(pair, ',') FROM (
            SELECT json_quote(o.key) || ':' || json_quote(o.value) AS pair
            FROM json_each(v.options) AS o ORDER BY o.key)), '') || '}'
        || ',"price":' || CASE WHEN v.has_price THEN '"' || %s || '"' ELSE 'null' END
        || '}' AS one
    FROM products_variant AS v WHERE v.product_id = %s ORDER BY v.position))"""


def text_of(value: str, kind: str, postgres: bool) -> str:
    """Return the SQL of a value as a text.

    Args:
        value: SQL expression over ``item``, which has the product's currency too.
        kind: see :class:`bodega_products.export_columns.ExportColumn`.
    """
    return (_POSTGRES if postgres else _SQLITE).get(kind, str)(value)


def json_of(value: str, kind: str, postgres: bool) -> str:
    """Return the SQL of a value as JSON; see :func:`text_of`."""
    text = text_of(value, kind, postgres)
    if kind in ("variants", "nothing"):
        return f"COALESCE({text}, '[]')"
    if kind in ("boolean", "integer"):
        return f"COALESCE({text}, 'null')"
    if kind == "names":
        return _names_json(value, postgres)
    quote = f"to_json({text})::text" if postgres else f"json_quote({text})"
    return f"COALESCE({quote}, 'null')"


def _as_text(value: str) -> str:
    return f"CAST({value} AS TEXT)"


def _boolean(value: str) -> str:
    return f"CASE WHEN {value} THEN 'true' WHEN NOT {value} THEN 'false' END"


def _amount(places: int, value: str, postgres: bool) -> str:
    """Return the SQL of minor units as decimals."""
    if not places:
        return _as_text(value)
    unit = 10**places
    if not postgres:
        return f"printf('%d.%0{places}d', {value} / {unit}, {value} %% {unit})".replace("%%", "%")
    rest = f"lpad(({value} % {unit})::text, {places}, '0')"
    return f"({value} / {unit})::text || '.' || {rest}"


def _amount_of(postgres: bool) -> Callable[[str], str]:
    def amount(value: str) -> str:
        cases = " ".join(
            f"WHEN item.currency IN ({', '.join(map(repr, codes))}) "
            f"THEN {_amount(places, value, postgres)}"
            for places, codes in by_decimals().items()
        )
        usual = _amount(2, value, postgres)
        return f"CASE WHEN {value} IS NULL THEN NULL {cases} ELSE {usual} END"

    return amount


def _uuid_sqlite(value: str) -> str:
    # It is kept without hyphens there.
    starts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return " || '-' || ".join(f"substr({value}, {at}, {size})" for at, size in starts)


def _instant_postgres(value: str) -> str:
    return f"""to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


#: A name that a reader would take for several, or for one in quotes, stands in quotes.
_NAME = """CASE WHEN replace(replace(n.value, ',', ''), '"', '') = n.value THEN n.value
ELSE '"' || replace(n.value, '"', '""') || '"' END"""


def _names_postgres(value: str) -> str:
    return (
        f"(SELECT string_agg({_NAME}, ', ' ORDER BY n.ordinality) "
        f"FROM jsonb_array_elements_text({value}) WITH ORDINALITY AS n (value, ordinality))"
    )


def _names_sqlite(value: str) -> str:
    return f"(SELECT group_concat({_NAME}, ', ') FROM json_each({value}) AS n)"


def _names_json(value: str, postgres: bool) -> str:
    if postgres:
        listed = (
            f"(SELECT '[' || string_agg(to_json(n.value)::text, ',' ORDER BY n.ordinality) || ']' "
            f"FROM jsonb_array_elements_text({value}) WITH ORDINALITY AS n (value, ordinality))"
        )
    else:
        listed = (
            f"(SELECT '[' || group_concat(json_quote(n.value), ',') || ']' "
            f"FROM json_each({value}) AS n)"
        )
    return f"COALESCE({listed}, '[]')"


def _variants(postgres: bool) -> Callable[[str], str]:
    template, price = (
        (_VARIANTS_POSTGRES, _amount_of(True))
        if postgres
        else (_VARIANTS_SQLITE, _amount_of(False))
    )
    before, between, after = template.split("%s")
    return lambda value: f"{before}{price('v.price_minor')}{between}{value}{after}"


_POSTGRES: Mapping[str, Callable[[str], str]] = {
    "nothing": lambda value: "CAST(NULL AS TEXT)",
    "integer": _as_text,
    "uuid": _as_text,
    "boolean": _boolean,
    "amount": _amount_of(True),
    "instant": _instant_postgres,
    "names": _names_postgres,
    "variants": _variants(True),
}
_SQLITE: Mapping[str, Callable[[str], str]] = {
    "nothing": lambda value: "CAST(NULL AS TEXT)",
    "integer": _as_text,
    "uuid": _uuid_sqlite,
    "boolean": _boolean,
    "amount": _amount_of(False),
    "names": _names_sqlite,
    "variants": _variants(False),
}

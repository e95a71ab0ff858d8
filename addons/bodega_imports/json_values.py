"""What the values of JSON are as cells: the text that a CSV file would have."""

import json
from typing import NoReturn

from bodega_imports.records import LARGEST_CELL, MOST_COLUMNS, too_many_columns

#: What a line of JSON Lines looks like.
EXPECTED = 'an object per line was expected, such as {"sku": "A-1", "name": "Lamp"}'


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON; {EXPECTED}")


#: Reads JSON. Numbers stay the text that they are: a float would make 12.5 of 12.50.
DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_no_number)


def cells_of(value: object) -> dict[str, str]:
    """Return the cells of an object; those of an object in it have names with a dot.

    Raises:
        ValueError: it is none, or holds what no cell can; the message says what.
    """
    if not isinstance(value, dict):
        raise ValueError(f"found {_kind(value)}; {EXPECTED}")
    # Most objects hold text and numbers only, which are cells as they are.
    cells = value if set(map(type, value.values())) == {str} else _flat(value)
    _check(cells)
    return cells


def _flat(value: dict[str, object]) -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, given in value.items():
        if isinstance(given, dict):
            cells |= {f"{name}.{inner}": _cell(f"{name}.{inner}", given[inner]) for inner in given}
        else:
            cells[name] = _cell(name, given)
    return cells


def _cell(name: str, given: object) -> str:
    if given is None:
        return ""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, list):
        if name == "variants":
            # As they stand in a cell of CSV; see variant_cells.
            return json.dumps(given, ensure_ascii=False) if given else ""
        if any(isinstance(item, (dict, list)) for item in given):
            raise ValueError(
                f"{name[:100]!r} is nested too deep: a list of plain values may stand there"
            )
        return ", ".join(_cell(name, item) for item in given)
    if isinstance(given, dict):
        raise ValueError(
            f"{name[:100]!r} is nested too deep: an object may stand in one, no deeper"
        )
    return str(given)


def _check(cells: dict[str, str]) -> None:
    if len(cells) > MOST_COLUMNS:
        raise too_many_columns("An object", len(cells))
    whole = "".join(cells.values())
    if len(whole) > LARGEST_CELL and any(len(text) > LARGEST_CELL for text in cells.values()):
        raise ValueError(f"a value is longer than {LARGEST_CELL:,} characters")
    if not whole.isascii() or not all(map(str.isascii, cells)):
        try:
            "".join([*cells, whole]).encode()
        except UnicodeEncodeError:
            raise ValueError("half a character (a lone surrogate such as \\ud800)") from None


def _kind(value: object) -> str:
    kinds = {str: "a text or number", bool: "true or false", list: "a list", type(None): "null"}
    return kinds.get(type(value), "no object")


def told(error: Exception) -> str:
    """Return in words why JSON was not read."""
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON: {error.msg} at character {error.pos + 1}; {EXPECTED}"
    return "it is nested too deep" if isinstance(error, RecursionError) else str(error)

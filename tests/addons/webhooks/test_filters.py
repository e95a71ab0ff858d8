"""Filters and patterns: which events a webhook gets."""

from typing import Any

import pytest

from bodega_webhooks.filters import faults, is_met
from bodega_webhooks.patterns import is_pattern, matches

PAYLOAD = {
    "type": "order.paid", "key": "o-1", "version": 1,
    "data": {
        "total": "129.90", "items": 3, "currency": "EUR", "paid": True, "note": None,
        "tags": ["gift", "new"], "lines": [{"sku": "L-1"}, {"sku": "L-2"}],
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ({"data.total": {"gte": 100}}, True),
        ({"data.total": {"gte": "129.9"}}, True),
        ({"data.total": {"gt": 129.9}}, False),
        ({"data.total": {"gte": 100, "lt": 120}}, False),
        ({"data.items": 3}, True),
        ({"data.items": "3"}, False),
        ({"data.items": True}, False),
        ({"data.paid": True}, True),
        ({"data.paid": 1}, False),
        ({"data.note": None}, True),
        ({"data.missing": None}, False),
        ({"data.currency": {"in": ["EUR", "USD"]}}, True),
        ({"data.currency": {"not_in": ["EUR", "USD"]}}, False),
        ({"data.currency": {"ne": "USD"}}, True),
        ({"data.missing": {"ne": "USD"}}, True),
        ({"data.missing": {"lt": 5}}, False),
        ({"data.missing": {"exists": False}}, True),
        ({"data.note": {"exists": True}}, True),
        ({"data.currency": {"gt": "EUA"}}, True),
        ({"data.currency": {"gt": 5}}, False),
        ({"data.tags": {"contains": "gift"}}, True),
        ({"data.currency": {"contains": "UR"}}, True),
        ({"data.lines.1.sku": "L-2"}, True),
        ({"data.lines.2.sku": "L-2"}, False),
        ({"key": {"starts_with": "o-"}}, True),
        ({"data.items": {"starts_with": "3"}}, False),
        ({"type": "order.paid", "data.items": {"lte": 2}}, False),
        ({"any": [{"data.items": 9}, {"data.currency": "EUR"}]}, True),
        ({"all": [{"data.items": 3}, {"not": {"data.currency": "EUR"}}]}, False),
        ({"not": {"data.items": 9}}, True),
    ],
)
def test_a_filter_lets_through_what_it_says(condition: Any, met: bool) -> None:
    assert faults(condition) == []
    assert is_met(condition, PAYLOAD) is met


@pytest.mark.parametrize(
    "condition",
    [
        {}, [], "x", {"data.total": {}}, {"data.total": [1]}, {"data.total": {"above": 1}},
        {"data.total": {"gte": True}}, {"data.total": {"gte": [1]}}, {"data..total": 1},
        {"": 1}, {"data.x": {"in": "abc"}}, {"data.x": {"in": [[1]]}}, {"any": []}, {"any": {}},
        {"not": 1}, {"data.x": {"exists": "yes"}}, {"data.x": {"starts_with": 3}},
        {"not": {"not": {"not": {"not": {"not": {"a": 1}}}}}},
        {f"data.m{n}": n for n in range(51)}, {"x" * 201: 1},
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_used_is_refused_with_a_reason(condition: Any) -> None:
    found = faults(condition)
    assert found
    assert all(line.endswith(".") for line in found)


@pytest.mark.parametrize(
    ("pattern", "event_type", "found"),
    [
        ("*", "order.paid", True), ("order.*", "order.paid", True),
        ("order.*", "order.line.added", True), ("order.*", "orders.paid", False),
        ("order.paid", "order.paid", True), ("order.paid", "order.paid_late", False),
    ],
)  # fmt: skip
def test_a_pattern_means_the_types_that_begin_like_it(
    pattern: str, event_type: str, found: bool
) -> None:
    assert matches(pattern, event_type) is found


@pytest.mark.parametrize(
    "text", ["", "**", "*.paid", "order*", "Order.paid", "order.", "order.*\n"]
)
def test_what_is_no_pattern_is_known(text: str) -> None:
    assert not is_pattern(text)

"""Random bodies: each is accepted or refused as promised."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kernel.bad_input.attacks import JSON, NOT_FOUND, Attack, Target, faults
from tests.kernel.bad_input.bodies import as_json, members, writing

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow


_SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["29.99", "1e9", "x@example.com", "http://x", "lamps", "USD", NOT_FOUND])
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
#: Of how many routes bodies are drawn together; of more they are too large to draw.
TOGETHER = 16


def test_a_random_body_is_accepted_or_refused_as_promised(target: Target) -> None:
    # Found once: what an example does to the shop must not change what is drawn.
    found = [(*row, sorted(members(row[0]))) for row in writing(target)]
    for first in range(0, len(found), TOGETHER):
        _send_at_random(target, found[first : first + TOGETHER])


def _send_at_random(target: Target, found: list[Any]) -> None:
    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @given(bodies=st.tuples(*(_changes(own) for *_, own in found)))
    def send(bodies: tuple[dict[str, Any], ...]) -> None:
        for (route, path, good, _), changes in zip(found, bodies, strict=True):
            body = as_json(good | changes)
            answer = target.send(Attack(route.method, path, body=body, headers=JSON))
            kept = answer.status in (200, 201, 202, 204)
            assert kept or not list(faults(answer, sent=body)), f"{path} {body!r}: {answer}"

    send()


def _changes(own: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for what to change in the good body of a route with these members."""
    names = st.sampled_from(own) | st.text(max_size=5)
    drawn = st.dictionaries(names, _VALUES, min_size=1, max_size=4)
    # An addon that is gone takes the routes along that the next body is for.
    return drawn.map(lambda changes: changes | {"cascade": False}) if "cascade" in own else drawn

"""Headers of answers are those that gunicorn would send, whichever were sent before."""

from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.errors import InvalidResponseHeader
from hypothesis import given
from hypothesis import strategies as st

from bodega.http import response

_NAMES = st.sampled_from(
    ["Content-Length", "content-length", "ETag", "Vary", "Connection", "Upgrade", "X-A", "bad name",
     "Transfer-Encoding", "Set-Cookie"]
)  # fmt: skip
_VALUES = st.sampled_from(["1", "22", " spaced\t", "a\r\nb", "websocket", "upgrade", "x" * 300, ""])


def made(kind: type[Any], headers: list[tuple[str, str]]) -> Any:
    """Return what a response of a kind makes of headers."""
    request = SimpleNamespace(method="GET", version=(1, 1), should_close=lambda: False)
    found = kind(request, None, Config())
    try:
        found.start_response("200 OK", headers)
    except Exception as error:
        return type(error), str(error)
    return found.headers, found.response_length, found.chunked, found.upgrade


@given(st.lists(st.lists(st.tuples(_NAMES, _VALUES), max_size=5), max_size=6))
def test_they_are_as_gunicorn_has_them(answers: list[list[tuple[str, str]]]) -> None:
    usual = wsgi.Response if wsgi.Response is not response.Response else wsgi.Response.__base__
    for headers in answers:
        assert made(response.Response, headers) == made(usual, headers)


def test_what_is_bad_is_refused_each_time() -> None:
    for _ in range(3):
        with pytest.raises(InvalidResponseHeader):
            raise made(response.Response, [("X-A", "a\r\nb")])[0]("x")


def test_what_is_remembered_is_bounded() -> None:
    for number in range(3 * response._MOST):
        made(response.Response, [("ETag", str(number))])
    assert 0 < len(response._good) <= response._MOST

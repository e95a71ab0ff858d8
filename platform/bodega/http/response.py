"""gunicorn's response, which looks at a header once, and not in each answer that has it.

Most headers of an answer are those of the one before.
"""

from collections.abc import Iterable
from typing import Any

from gunicorn.http import wsgi

#: Headers that are known to be good, and characters of one.
_MOST, _LONGEST = 1000, 200
_good: set[tuple[str, str]] = set()


class Response(wsgi.Response):
    """Checks headers as gunicorn does, and remembers those that are sent as they are."""

    def process_headers(self, headers: Iterable[Any]) -> None:
        """Take headers.

        Raises:
            InvalidResponseHeader: one cannot be sent.
        """
        taken = self.headers
        for item in headers:
            if type(item) is tuple and item in _good:
                taken.append(item)
                continue
            before = len(taken)
            super().process_headers([item])
            if len(taken) > before and taken[-1] == item and _says_nothing_else(*item):
                if len(_good) >= _MOST:
                    _good.clear()
                _good.add(item)


def _says_nothing_else(name: str, value: str) -> bool:
    # gunicorn takes the length of the body from one.
    return name.lower() != "content-length" and len(value) <= _LONGEST


def install() -> None:
    """Have gunicorn answer with it."""
    wsgi.Response = Response

"""The header ``Idempotency-Key`` of requests whose work is more than one transaction."""

import re

from bodega_sdk import Request
from bodega_sdk.errors import BadRequest, FieldError

HEADER = "Idempotency-Key"
READS_KEY = {HEADER: "Sent again with the same key, it is done once."}
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def key_of(request: Request) -> str:
    """Return a request's key; empty without one.

    Raises:
        BadRequest: it is too long, or not of printable ASCII.
    """
    found = request.raw.get_header(HEADER)
    if found is None:
        return ""
    if not _KEY.fullmatch(found):
        message = "Must be 1 to 200 printable ASCII characters without spaces."
        raise BadRequest(message, [FieldError(HEADER, message)])
    return f"client:{found}"

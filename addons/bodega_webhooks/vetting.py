"""Which addresses a host may be reached at."""

from bodega_sdk import vetted_addresses
from bodega_sdk.errors import BodegaError

#: Seconds to find an address; a name's addresses are good for as long.
LOOKUP = 5.0


def vet(host: str, port: int, private: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses of a host that may be connected to.

    Raises:
        OSError: there are none; in words.
    """
    try:
        return vetted_addresses(host, port, timeout=LOOKUP, private=private)
    except BodegaError as error:
        raise OSError(str(error)) from None

"""How many codes one may try that nobody knows, so that none can be guessed.

By network, as logging in is: a guest can begin as many carts as they like.
"""

from bodega_orders.drafts import Quote
from bodega_sdk import RateLimit, network_of

#: What quoting says of a code that no addon knows.
UNKNOWN = "There is no such code."
#: Unknown codes from one network.
_GUESSES = RateLimit("orders.guessed_codes", 30, 3600)


def refuse_guessing(address: str) -> None:
    """Refuse codes from where too many were unknown; ask before they are looked at.

    Args:
        address: :attr:`bodega_sdk.Request.address`.

    Raises:
        TooManyRequests: there were too many.
    """
    network = network_of(address)
    if not _GUESSES.left(network):
        _GUESSES.hit(network)


def count_guesses(address: str, quote: Quote) -> None:
    """Count the codes of a quote that no addon knows.

    Raises:
        TooManyRequests: they were too many; answer nothing then.
    """
    for one in quote.refused:
        if one.reason == UNKNOWN:
            _GUESSES.hit(network_of(address))

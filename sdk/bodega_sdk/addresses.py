"""Where the shop is reached from outside."""

from bodega_sdk.runtime import runtime


def public_url() -> str:
    """Return the address that people and other systems reach the shop at, without a slash.

    It is for links that leave the shop, as in mails: what ``BODEGA_PUBLIC_URL`` says, and
    without that the address of the server on this machine. It never comes from a request,
    whose ``Host`` anybody can forge.

    Example::

        >>> public_url() + "/loyalty/cards/7"
        'http://127.0.0.1:8000/loyalty/cards/7'
    """
    return runtime().public_url()

"""Where the shop is reached from outside."""

from ipaddress import IPv6Address, ip_address

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


def network_of(address: str) -> str:
    """Return what an address is counted as: of IPv6, one customer has 2**64 of them.

    Args:
        address: as :attr:`Request.address` has it; what is no address is returned as it is.

    Example::

        >>> network_of("2001:db8:1:2::7") == network_of("2001:db8:1:2:ffff::1")
        True
        >>> network_of("203.0.113.9")
        '203.0.113.9'
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return f"{found.packed[:8].hex()}/64" if isinstance(found, IPv6Address) else address

"""Which addresses are of the internet, and which of this machine, its neighbours or its cloud.

Addresses of IPv6 are let through by what they are, not by what they are not: networks carry
addresses of IPv4 inside those of IPv6 in many ways, and more will be thought of.
"""

import ipaddress
from collections.abc import Iterator

IPv4 = ipaddress.IPv4Address
IPv6 = ipaddress.IPv6Address

#: What the internet's hosts have (RFC 4291 §2.5.4).
_UNICAST = ipaddress.ip_network("2000::/3")
# Addresses of IPv4 that are written as ones of IPv6, for networks that only know those.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_DOCUMENTS = ipaddress.ip_network("3fff::/20")
# Of no host: protocols' own (older Pythons know a part of them; a cloud answers its machines
# there), the relays of 6to4; and what Azure answers its machines at.
_OTHERS = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")))
# The second half of an ISATAP address begins so (RFC 5214 §6.1).
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
_LOW = 0xFFFF_FFFF


def is_public(address: str) -> bool:
    """Whether an address is one of the internet, not of this machine or its neighbours."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, IPv6):
        return _is_public_v6(found)
    return _is_public_v4(found)


def _is_public_v4(found: IPv4) -> bool:
    # Not everything that is_global lets through has a host of the internet behind it.
    named = any(found in network for network in _OTHERS)
    return found.is_global and not (found.is_multicast or found.is_reserved or named)


def _is_public_v6(found: IPv6) -> bool:
    if found.ipv4_mapped is not None:
        return _is_public_v4(found.ipv4_mapped)
    if found in _NAT64:
        return _is_public_v4(IPv4(int(found) & _LOW))
    known = found in _UNICAST and found not in _DOCUMENTS
    if not known or not (found.is_global or found.teredo or found.sixtofour):
        return False
    return all(map(_is_public_v4, _within(found)))


def _within(found: IPv6) -> Iterator[IPv4]:
    """Yield the addresses of IPv4 that packets to one of IPv6 may end at."""
    if found.sixtofour is not None:
        yield found.sixtofour
    if found.teredo is not None:
        yield from found.teredo
    if int(found) >> 32 & _LOW in _ISATAP:
        yield IPv4(int(found) & _LOW)

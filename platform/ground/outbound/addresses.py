"""Which addresses a call may leave for: the public internet and, on a developer's machine, its own networks."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

_OWN_NETWORKS: Final = tuple(
    ip_network(text) for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)
"""What a developer's own services are reached at."""

_METADATA: Final = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",  # most clouds
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure, on a public address
        "192.0.0.192/32",  # Oracle
        "fd00:ec2::/32",  # Amazon
        "fd20:ce::/32",  # Google
    )
)
"""Where a machine in a cloud learns its own credentials: never called, not even in development."""

_NOT_PUBLIC: Final = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carriers
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays to IPv6
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        # Only 2000::/3 is handed out: all that maps, translates or stays local lies outside it, but for these.
        "2001::/23",  # protocols, among them Teredo
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address of any kind
        "3fff::/20",
    )
)
_HANDED_OUT: Final = ip_network("2000::/3")

# How the C library reads numbers that are no dotted quad: 2130706433, 0x7f.1, 127.1. As a name none exists.
_ENDS_IN_A_NUMBER: Final = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$", re.IGNORECASE)


def is_public(address: Address) -> bool:
    """Whether anyone on the internet would reach the same machine at this address."""
    if isinstance(address, IPv6Address) and address not in _HANDED_OUT:
        return False
    is_special = any(address in network for network in (*_NOT_PUBLIC, *_METADATA))
    return address.is_global and not is_special


def may_be_called(address: Address, *, allows_private: bool) -> bool:
    """`allows_private` adds loopback and the private networks of a developer's machine to the public internet."""
    if is_public(address):
        return True
    is_own = any(address in network for network in _OWN_NETWORKS)
    return allows_private and is_own and not any(address in network for network in _METADATA)


def address_in(host: str) -> Address | None:
    """The address a host is written as; None for a name. Raises ValueError for what is neither.

    A number in any spelling other than the usual four parts is refused rather than looked up: which address it
    means would be the resolver's opinion.
    """
    try:
        return ip_address(host)
    except ValueError:
        if _ENDS_IN_A_NUMBER.search(host) or ":" in host:
            raise ValueError("neither a name nor an address in its usual spelling") from None
        return None

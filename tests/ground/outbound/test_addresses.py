from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from ground.outbound.addresses import address_in, is_public, may_be_called

SPECIAL = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:0:0/96",
    "::ffff:0:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]


@pytest.mark.parametrize("network", SPECIAL)
def test_no_special_network_is_public_at_either_end(network: str) -> None:
    span = ip_network(network)

    assert [is_public(span[0]), is_public(span[-1])] == [False, False]


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "223.255.255.255", "2606:4700::1111", "2a00::1"])
def test_public_address_may_be_called(address: str) -> None:
    assert may_be_called(ip_address(address), allows_private=False)


@pytest.mark.parametrize(
    "host", ["0", "127.1", "0x7f.1", "017700000001", "1.2.3.4.", "name.5", "0x", "1.2.3.4.5", "::zz"]
)
def test_number_in_an_unusual_spelling_is_neither_name_nor_address(host: str) -> None:
    with pytest.raises(ValueError, match="usual spelling"):
        address_in(host)


@pytest.mark.parametrize("host", ["music.example", "1e100.net", "0x7f.example", "10.example", "a-1"])
def test_name_is_a_name(host: str) -> None:
    assert address_in(host) is None


def test_address_is_read_as_itself() -> None:
    assert address_in("8.8.4.4") == ip_address("8.8.4.4")
    assert address_in("2606:4700::1111") == ip_address("2606:4700::1111")

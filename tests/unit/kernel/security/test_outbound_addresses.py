import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loancrm.kernel.security import outbound_addresses as outbound
from loancrm.kernel.security.outbound_addresses import AddressForbidden

INNER = [
    *("127.0.0.1", "127.8.9.1", "0.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "224.0.0.1"),
    *("255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:a9fe:a9fe::", "2002:7f00:1::"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "::7f00:1", "2001:0:4136:e378::1", "fec0::1"),
    "no address",
]


@pytest.mark.parametrize("address", INNER)
def test_f54_inner_addresses_are_not_public_in_whatever_coat(address):
    assert not outbound.is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_f54_public_addresses_are(address):
    assert outbound.is_public(address)


@given(st.ip_addresses(v=4))
def test_f54_an_address_inside_another_is_judged_as_itself(address):
    mapped = str(ipaddress.IPv6Address(f"::ffff:{address}"))
    six_to_four = str(ipaddress.IPv6Address((0x2002 << 112) | (int(address) << 80)))
    assert outbound.is_public(mapped) == outbound.is_public(str(address))
    assert outbound.is_public(six_to_four) == outbound.is_public(str(address))


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "[::1]", "[::ffff:169.254.169.254]", "[2002:a9fe:a9fe::]", "0x7f000001"),
        *("127.1", "2130706433", "0177.0.0.1", "user:word@127.0.0.1"),
    ],
)
def test_f54_figures_are_refused_in_any_spelling(host):
    with pytest.raises(AddressForbidden):
        outbound.require_public_figures(f"https://{host}:8443/x", allowed=[])


def test_f54_a_name_is_refused_for_any_one_of_its_addresses(monkeypatch):
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.5", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_words: found)
    with pytest.raises(AddressForbidden) as refusal:
        outbound.require_public_host("https://lvh.example/x", allowed=[])
    assert refusal.value.code == "address_forbidden"
    assert "10.0.0.5" not in refusal.value.message
    outbound.require_public_host("https://lvh.example/x", allowed=["lvh.example"])
    outbound.require_public_host("https://LVH.example./x", allowed=["lvh.example"])


def test_f54_a_name_that_cannot_be_found_now_is_looked_at_when_it_is_asked(monkeypatch):
    def nowhere(*_args: object, **_words: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    outbound.require_public_host("https://hooks.example/x", allowed=[])

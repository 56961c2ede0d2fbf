"""Which addresses on the network a host that somebody has typed in may lead to.

Without this, whoever may set up a channel could have the server ask what only the server reaches:
its own ports, the lender's inner network, the cloud's metadata service with its credentials.
"""

import ipaddress
import socket
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from loancrm.kernel.errors import LoanCrmError

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Public by their number, inner by what answers there: Azure's host agent.
_INNER: Final = frozenset({ipaddress.ip_address("168.63.129.16")})
# RFC 6052: the last four bytes are an IPv4 address, which the translator goes on to.
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")


class AddressForbidden(LoanCrmError, OSError):
    """A host leads to an address that may not be asked; an `OSError`, as resolvers raise."""

    code = "address_forbidden"

    def __init__(self, host: str) -> None:
        """Keep the host; the address it leads to is nobody's business."""
        LoanCrmError.__init__(
            self,
            _("%(host)s is not a public address, and nobody has allowed it.") % {"host": host},
            host=host,
        )


def is_public(text: str) -> bool:
    """Return whether an address in figures is one of the public network, in whichever coat.

    IPv4 inside IPv6 (mapped, 6to4, NAT64) is looked at as the IPv4 that it leads to.
    """
    try:
        address = _unwrapped(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    return address.is_global and not address.is_multicast and address not in _INNER


def _unwrapped(address: _Address) -> _Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _TRANSLATED:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if inner is not None:
        return inner
    # Teredo tunnels, IPv4-compatible addresses and what is reserved lead nowhere that is meant.
    is_odd = address.teredo is not None or address.is_reserved or address.is_site_local
    return ipaddress.IPv6Address("::1") if is_odd else address


def require_public(host: str, addresses: Iterable[str], *, allowed: Collection[str]) -> None:
    """Refuse a host of which any address is not public.

    Args:
        host: As it stands in the address that was typed in.
        addresses: In figures, all that it leads to.
        allowed: Hosts that the operator of the server has allowed.

    Raises:
        AddressForbidden: One of them may not be asked.
    """
    if host.casefold().rstrip(".") in allowed:
        return
    if not all(is_public(address) for address in addresses):
        raise AddressForbidden(host)


def require_public_figures(url: str, *, allowed: Collection[str]) -> None:
    """Refuse an address whose host is one in figures, in any spelling, that may not be asked.

    A name is not looked up: what it leads to is looked at when it is asked.

    Raises:
        AddressForbidden: It may not be asked.
    """
    host = urlsplit(url).hostname or ""
    figures = _figures(host)
    if figures:
        require_public(host, [figures], allowed=allowed)


def require_public_host(url: str, *, allowed: Collection[str]) -> None:
    """Refuse an address whose host leads, at this moment, to what may not be asked.

    A host that cannot be found now passes: whoever asks it looks again.

    Raises:
        AddressForbidden: It may not be asked.
    """
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        require_public_figures(url, allowed=allowed)
        return
    require_public(host, [str(place[0]) for *_rest, place in found], allowed=allowed)


def _figures(host: str) -> str:
    """Return a host in figures as they are usually written; empty for a name."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        # The old spellings that the system's own functions still take: 127.1, 0x7f000001, 017.1.
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return ""

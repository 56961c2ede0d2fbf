"""Where a request comes from, as far as it can be believed."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

# One customer line holds a whole network of this size, so counting single addresses counts nothing.
_IPV6_PREFIX = 64


def client_address(request: HttpRequest) -> str:
    """Return the client's address; forwarded addresses count only behind declared proxies.

    Each proxy appends the address that it saw, so the one to believe stands as many places from the
    end as there are proxies; what stands before it was written by the client.
    """
    remote = str(request.META.get("REMOTE_ADDR") or "")
    proxies: int = settings.LOANCRM_PROXY_COUNT
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR") or "")
    if not proxies or not forwarded:
        return _network(remote) or remote
    hops = forwarded.split(",")
    return _network(hops[-min(proxies, len(hops))].strip()) or _network(remote) or remote


def _network(text: str) -> str:
    """Return the address, for IPv6 its network; empty where the text is no address."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False).network_address)
    return str(address)

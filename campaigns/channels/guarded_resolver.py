"""Looks hosts up once; what it found and looked at is what is connected to."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from django.conf import settings

from loancrm.kernel.security import outbound_addresses


class GuardedResolver(AbstractResolver):
    """Refuses hosts that lead to where only the server itself may look."""

    def __init__(self) -> None:
        """Ask the system where hosts are."""
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return where a host is.

        Raises:
            AddressForbidden: One of its addresses may not be asked.
        """
        found = await self._system.resolve(host, port, family)
        outbound_addresses.require_public(
            host,
            [place["host"] for place in found],
            allowed=settings.LOANCRM_WEBHOOK_ALLOWED_HOSTS,
        )
        return found

    async def close(self) -> None:
        """Let go of nothing."""
        await self._system.close()

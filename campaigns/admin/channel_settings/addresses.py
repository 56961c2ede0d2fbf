"""What the provider and the domain's administrator have to be told about a channel, to copy."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.models import Channel


@dataclass(frozen=True, slots=True)
class DomainHint:
    """A record of the sender's domain.

    Attributes:
        name: Where it stands.
        value: What it says; empty where only the provider knows.
    """

    kind: str
    name: str
    value: str
    why: str


def webhook_address(channel: Channel) -> str:
    """Return where the provider sends its reports and replies."""
    path = reverse("pages:webhook", args=[channel.slug])
    return f"{settings.LOANCRM_PUBLIC_URL}{path}"


def domain_hints(channel: Channel) -> list[DomainHint]:
    """Return what the domain of an e-mail channel's sender should say, without looking it up."""
    domain = channel.sender.rpartition("@")[2].strip("<> ")
    if channel.kind != "email" or not domain:
        return []
    host = str(channel.options.get("host") or "")
    is_named = "." in host and not host.replace(".", "").isdigit()
    sends = f"a:{host} " if is_named else f"ip4:{host} " if host and host != "localhost" else ""
    return [
        DomainHint(
            "SPF",
            domain,
            f"v=spf1 {sends}~all",
            _("Names the servers that may send for the domain; add what your provider tells you."),
        ),
        DomainHint(
            "DKIM",
            f"selector._domainkey.{domain}",
            "",
            _("The key by which mail is signed: its name and value are told by your provider."),
        ),
        DomainHint(
            "DMARC",
            f"_dmarc.{domain}",
            f"v=DMARC1; p=none; rua=mailto:postmaster@{domain}",
            _("Says what becomes of mail that fails both; begin by reading the reports alone."),
        ),
    ]

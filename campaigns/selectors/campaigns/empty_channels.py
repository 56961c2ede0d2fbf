"""Channels whose messages end in a log or in memory: campaigns on them reach nobody."""

from campaigns.channels import registry
from campaigns.models import Campaign, Channel


def of_campaign(campaign: Campaign) -> list[str]:
    """Return the names of the campaign's channels that reach nobody, planned or already used."""
    planned = campaign.steps.values("touchpoint__channel")
    used = campaign.dispatches.filter(channel__isnull=False).values("channel")
    found = Channel.objects.filter(pk__in=planned) | Channel.objects.filter(pk__in=used)
    return [
        channel.name or channel.slug
        for channel in found.order_by("name", "pk")
        if registry.reaches_nobody(channel.backend)
    ]

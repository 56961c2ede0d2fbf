"""Which channels stand in for another one that is down, and in which order."""

from django.utils.translation import gettext as _

from campaigns.models import Channel, StandIn
from campaigns.services.channels.problems import ChannelInvalid


def write(*, channel: Channel, slugs: str | None) -> None:
    """Store who stands in for a channel, in the transaction of a service that records it.

    Args:
        channel: Stored already.
        slugs: Of the other channels, in their order, apart by commas; None leaves all as it is.

    Raises:
        ChannelInvalid: One of them is not there, is of another kind, the channel itself, or named
            twice.
    """
    if slugs is None:
        return
    names = [
        name for name in (part.strip() for part in slugs.replace("，", ",").split(",")) if name
    ]
    known = {row.slug: row for row in Channel.objects.filter(slug__in=names)}
    for name in names:
        if problem := _problem(channel, name, known, names):
            raise ChannelInvalid(
                _("%(field)s: %(problem)s")
                % {"field": _("fall-over channels"), "problem": problem},
                field="fallbacks",
            )
    if names == [part.strip() for part in channel.fallbacks.split(",") if part]:
        return
    StandIn.objects.filter(channel=channel).delete()
    StandIn.objects.bulk_create(
        StandIn(channel=channel, other=known[name], position=position)
        for position, name in enumerate(names, start=1)
    )


def _problem(channel: Channel, name: str, known: dict[str, Channel], names: list[str]) -> str:
    """Return why a channel of this name cannot stand in; empty where it can."""
    if name not in known:
        return _("There is no channel %(slug)s.") % {"slug": name}
    if name == channel.slug:
        return _("A channel does not stand in for itself.")
    if known[name].kind != channel.kind:
        return _("%(slug)s is a channel of another kind.") % {"slug": name}
    if names.count(name) > 1:
        return _("%(slug)s stands there twice.") % {"slug": name}
    return ""

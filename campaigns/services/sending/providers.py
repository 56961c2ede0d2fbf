"""From a dispatch's channel row to the provider that this process keeps open."""

from campaigns.channels import registry
from campaigns.channels.base import ChannelBackend
from campaigns.channels.errors import ChannelMisconfigured
from campaigns.models import Channel, Dispatch
from loancrm.kernel.security import crypto


def channel_of(dispatch: Dispatch) -> Channel:
    """Return the channel of a dispatch.

    Raises:
        ChannelMisconfigured: The dispatch has none, as those of imported campaigns.
    """
    if dispatch.channel is None:
        raise ChannelMisconfigured("the dispatch has no channel")
    return dispatch.channel


def provider_of(channel: Channel, *, must_be_active: bool = True) -> ChannelBackend:
    """Return this process's open provider of a channel, its secret opened.

    Args:
        must_be_active: False to read reports about what a channel has sent before it was switched
            off.

    Raises:
        ChannelMisconfigured: The channel is switched off, or its backend or options are wrong.
    """
    if must_be_active and not channel.is_active:
        raise ChannelMisconfigured("the channel is switched off")
    options = dict(channel.options)
    if channel.idempotency_shown_at is None and options.get("supports_idempotency"):
        # Somebody says so and no test has shown it: a gateway that forgets would send twice.
        options["supports_idempotency"] = False
    if channel.secret_sealed:
        options["secret"] = crypto.vault().open(
            Channel.SECRET_COLUMN, channel.row_key, channel.secret_sealed
        )
    return registry.shared(name=channel.slug, backend=channel.backend, options=options)

"""What is known about a channel's account at its provider, in words."""

from typing import Any

from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.models import Channel
from campaigns.selectors.sending import channel_states


def account(channel: Channel) -> dict[str, Any]:
    """Return what is known about the provider account, in words."""
    state = channel_states.state_of(channel)
    finding = labels.CHANNEL_FINDINGS.label(channel.test_finding)
    return {
        "state": state,
        "reason": labels.account_reason(state.reason) if state else "",
        "finding": finding,
        "has_secret": channel.secret_sealed is not None,
        "keys": _keys(channel),
    }


def _keys(channel: Channel) -> str:
    """Return whether the provider counts as one that remembers keys."""
    if channel.idempotency_shown_at is not None:
        return _("Counts as remembering keys: a message whose answer was lost is asked for again.")
    if channel.options.get("supports_idempotency"):
        return _(
            "Said to remember keys, but no test has shown it: a message whose answer was lost is "
            "of unknown fate and not sent again."
        )
    return _(
        "Does not count as remembering keys: a message whose answer was lost is of unknown fate "
        "and not sent again."
    )

"""Telling a provider that refuses the account from one that refuses a person."""

import re
from collections.abc import Sequence
from dataclasses import replace

from campaigns.channels.base import Outcome, SendResult
from campaigns.channels.errors import ChannelBlocked
from campaigns.models import Channel

# So many refusals in a row for the account's sake open the breaker, in one sub-batch or in several.
MOST_REFUSALS = 3
# Enhanced status codes of security and policy (RFC 3463, X.7.X) and what the backends call it.
_ACCOUNT_CODE = re.compile(r"5\.7\.\d{1,3}|policy\w*|blocked\w*|auth\w*|sender_refused")


def is_about_account(result: SendResult) -> bool:
    """Return whether a refusal is for the account's, not the person's sake."""
    return result.outcome is Outcome.REJECTED and bool(_ACCOUNT_CODE.fullmatch(result.code))


def judged(
    results: Sequence[SendResult], *, channel: Channel, refusals: dict[int, int]
) -> Sequence[SendResult]:
    """Return results with refusals of the account turned into retries while they may be that.

    One such refusal among messages that were taken is a person's server refusing us: that person
    failed. Where every one is refused, nobody fails before it is known whether the account is
    blocked.
    """
    if not results or not all(is_about_account(result) for result in results):
        if any(result.outcome is Outcome.ACCEPTED for result in results):
            refusals[channel.pk] = 0
        return results
    refusals[channel.pk] = refusals.get(channel.pk, 0) + len(results)
    return [replace(result, outcome=Outcome.RETRY) for result in results]


def blocked_by(
    results: Sequence[SendResult], *, channel: Channel, refusals: dict[int, int]
) -> ChannelBlocked | None:
    """Return the block that refusals in a row amount to, or None."""
    if refusals.get(channel.pk, 0) < MOST_REFUSALS:
        return None
    refusals[channel.pk] = 0
    return ChannelBlocked(channel=channel.slug, problem=results[0].code)

"""A provider that gives no clear answer: found out before the audience is written off on it.

Each round costs what was on the wire, so after one the account pauses and the next is a small one;
a third in a row blocks it. Rounds are counted in the channel's row, for all workers together.
"""

from collections.abc import Sequence

from django.db.models import F

from campaigns.channels.base import SendOutcome, SendResult
from campaigns.channels.errors import ChannelBlocked
from campaigns.models import Channel
from campaigns.services.sending import throttling
from campaigns.services.sending.composing import Composed

PROBLEM = "no_clear_answer"
# How long the account pauses after the first round without a clear answer, and after the second.
PAUSE_SECONDS = (10.0, 60.0)
# A message that was asked about before says little: it may be what its provider stumbles over. So
# many of them say that it is not the message.
MANY = 5
# What a channel refuses before anything leaves, which its provider has no part in.
_NEVER_LEFT = frozenset({"address_invalid", "signature_missing", "unwritable"})


def is_unclear(*, batch: Sequence[Composed], results: Sequence[SendResult]) -> bool:
    """Return whether a sub-batch shows a provider that does not answer: hardly a clear word in it.

    One message in four or more that is answered shows one that does.
    """
    doubtful = [item.recipient.is_doubtful for item in batch]
    if len(doubtful) < MANY and all(doubtful):
        return False
    asked = [result for result in results if _was_asked(result)]
    return 4 * sum(map(_is_uncertain, asked)) > 3 * len(asked)


def note(*, channel: Channel) -> ChannelBlocked | None:
    """Count a round and pause the account; return the block that follows from too many.

    What was under way together counts once: only who still knows the count of its claim adds to it.
    """
    known = Channel.objects.filter(pk=channel.pk, unanswered_in_a_row=channel.unanswered_in_a_row)
    if not known.update(unanswered_in_a_row=F("unanswered_in_a_row") + 1):
        return None
    count = channel.unanswered_in_a_row + 1
    if count > len(PAUSE_SECONDS):
        return ChannelBlocked(channel=channel.slug, problem=PROBLEM)
    throttling.pause(channel=channel, seconds=PAUSE_SECONDS[count - 1], reason=PROBLEM)
    return None


def forget_after(*, results: Sequence[SendResult], channel: Channel) -> None:
    """Count anew where a provider took something or refused somebody for good.

    That it puts off what it is given says nothing about what it does once it takes some.
    """
    ends = {SendOutcome.ACCEPTED, SendOutcome.REJECTED}
    if channel.unanswered_in_a_row and any(
        result.outcome in ends and _was_asked(result) for result in results
    ):
        Channel.objects.filter(pk=channel.pk).update(unanswered_in_a_row=0)
        channel.unanswered_in_a_row = 0


def _is_uncertain(result: SendResult) -> bool:
    return result.outcome is SendOutcome.UNKNOWN or result.may_be_taken


def _was_asked(result: SendResult) -> bool:
    return result.outcome is not SendOutcome.REJECTED or result.code not in _NEVER_LEFT

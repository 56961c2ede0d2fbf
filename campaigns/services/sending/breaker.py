"""Telling a provider that refuses the account from one that refuses a person.

Refusals in a row are counted in the channel's row, so that many short drains and many workers count
together. Only what names no address counts, and anything that is taken ends the row.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Case, F, Value, When

from campaigns.channels.base import Outcome, SendResult
from campaigns.channels.errors import ChannelBlocked
from campaigns.domain import refusal_rules
from campaigns.domain.refusals import Blame, blame_of
from campaigns.models import Channel, Message
from campaigns.services.composing import Composed
from campaigns.services.outcomes import MAX_ATTEMPTS

_MOST_CODE = 40


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a sub-batch's answers amount to.

    Attributes:
        blocked: The account is refused; `results` then fail nobody for it.
    """

    results: Sequence[SendResult]
    blocked: ChannelBlocked | None = None


def judge(
    *, batch: Sequence[Composed], results: Sequence[SendResult], channel: Channel, now: datetime
) -> Judgement:
    """Count refusals that name no address; open the breaker after too many in a row.

    One among messages that were taken is a person's server refusing us: that person failed. While
    nothing is taken nobody fails before it is known whether the account is blocked.
    """
    results = [_tolerated(result, channel) for result in results]
    suspicious = [_is_suspicious(result, channel) for result in results]
    if any(result.outcome is Outcome.ACCEPTED for result in results):
        # As of the claim; what was counted since is found out before the breaker opens.
        if channel.refusals_in_a_row:
            forget(channel=channel)
        return Judgement(results)
    if not any(suspicious):
        return Judgement(results)
    counted = _count(results, suspicious, channel, now)
    is_last_try = any(
        is_one
        and item.recipient.attempts + 1 >= MAX_ATTEMPTS
        and blame_of(result.code, result.detail) is Blame.ACCOUNT
        for item, result, is_one in zip(batch, results, suspicious, strict=True)
    )
    opens = counted.refusals_in_a_row >= refusal_rules.REFUSALS_IN_A_ROW or is_last_try
    if opens and _has_taken_since(counted):
        forget(channel=channel)
        opens = False
    outcome = Outcome.NOT_TAKEN if opens else Outcome.RETRY
    spared = [
        replace(result, outcome=outcome)
        if is_one and result.outcome is Outcome.REJECTED
        else result
        for result, is_one in zip(results, suspicious, strict=True)
    ]
    blocked = ChannelBlocked(channel=channel.slug, problem=counted.refused_code) if opens else None
    return Judgement(spared, blocked)


def refused_one_by_one(
    *, batch: Sequence[Composed], error: ChannelBlocked, channel: Channel
) -> list[SendResult] | None:
    """Return the refusals that a block of a tolerated code amounts to; None for any other block.

    A login that is refused is never about the recipients, whatever a person has said.
    """
    code = error.problem[:_MOST_CODE]
    if not code or code != channel.tolerated_code or _is_login(code):
        return None
    return [SendResult(item.recipient.message_id, Outcome.REJECTED, code=code) for item in batch]


def forget(*, channel: Channel) -> None:
    """Begin a new row of refusals: something was taken."""
    Channel.objects.filter(pk=channel.pk, refusals_in_a_row__gt=0).update(refusals_in_a_row=0)
    channel.refusals_in_a_row = 0


def _tolerated(result: SendResult, channel: Channel) -> SendResult:
    """Return a refusal that a person has said is about recipients as one of its recipient."""
    is_tolerated = bool(result.code) and result.code[:_MOST_CODE] == channel.tolerated_code
    is_for_account = (
        result.outcome is Outcome.NOT_TAKEN
        and blame_of(result.code, result.detail) is Blame.ACCOUNT
        and not _is_login(result.code)
    )
    if is_tolerated and is_for_account:
        return replace(result, outcome=Outcome.REJECTED)
    return result


def _is_suspicious(result: SendResult, channel: Channel) -> bool:
    if result.outcome not in {Outcome.REJECTED, Outcome.NOT_TAKEN}:
        return False
    if result.code and result.code[:_MOST_CODE] == channel.tolerated_code:
        return False
    blame = blame_of(result.code, result.detail)
    if result.outcome is Outcome.NOT_TAKEN:
        return blame is Blame.ACCOUNT
    return blame in {Blame.ACCOUNT, Blame.OTHER}


def _is_login(code: str) -> bool:
    return (
        code.startswith("http_")
        or code in refusal_rules.LOGIN_REPLIES
        or code in refusal_rules.LOGIN_STATUS
    )


def _count(
    results: Sequence[SendResult], suspicious: Sequence[bool], channel: Channel, now: datetime
) -> Channel:
    """Add a sub-batch's refusals to the channel's row; return it as it then stands."""
    codes = Counter(
        result.code[:_MOST_CODE]
        for result, is_one in zip(results, suspicious, strict=True)
        if is_one
    )
    code, count = codes.most_common(1)[0]
    goes_on = When(refusals_in_a_row__gt=0, refused_code=code, then=F("refusals_in_a_row") + count)
    begun = When(refusals_in_a_row__gt=0, refused_code=code, then=F("refused_since"))
    with transaction.atomic():
        # One statement: two workers that count at once both count.
        Channel.objects.filter(pk=channel.pk).update(
            refusals_in_a_row=Case(goes_on, default=Value(count)),
            refused_since=Case(begun, default=Value(now)),
            refused_code=code,
        )
        counted = Channel.objects.get(pk=channel.pk)
    channel.refusals_in_a_row = counted.refusals_in_a_row
    return counted


def _has_taken_since(channel: Channel) -> bool:
    """Return whether another worker had something taken since the row of refusals began."""
    return Message.objects.filter(
        dispatch__channel=channel, sent_at__gt=channel.refused_since
    ).exists()

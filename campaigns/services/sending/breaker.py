"""Telling a provider that refuses the account from one that refuses a person.

Refusals in a row are counted in the channel's row, so that many short drains and many workers count
together. Only what names no address counts, and anything that is taken ends the row.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from campaigns.channels.base import SendOutcome, SendResult
from campaigns.channels.errors import ChannelBlocked
from campaigns.domain.receipts import refusal_rules
from campaigns.domain.receipts.refusals import Blame, blame_of
from campaigns.models import Channel, Message, StandIn
from campaigns.services.sending.outcomes import MAX_ATTEMPTS

_MOST_CODE = 40
# For so long a message that is refused while others are taken is tried again: an account that is
# blocked for some seconds, twice, must not cost whoever was in hand both times.
STUBBORN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Tried:
    """What is known of a message before an answer to it.

    Attributes:
        attempts: Answers before that count as tries.
        waiting_since: Since when the account has not taken it.
    """

    attempts: int
    waiting_since: datetime | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a sub-batch's answers amount to.

    Attributes:
        blocked: The account is refused; `results` then fail nobody for it.
    """

    results: Sequence[SendResult]
    blocked: ChannelBlocked | None = None


def judge(
    *, batch: Sequence[Tried], results: Sequence[SendResult], channel: Channel, now: datetime
) -> Judgement:
    """Count refusals that name no address; open the breaker after too many in a row.

    Who is refused again and again while others are taken is refused by her own server: she has
    failed. One refusal among messages that were taken does not say so, because the account may be
    blocked in the middle of them, nor does a second one, because it may be blocked once more: that
    message waits, and its next refusals say nothing of the account. While nothing is taken nobody
    fails before it is known whether the account is blocked.
    """
    results = [_tolerated(result, channel) for result in results]
    suspicious = [_is_suspicious(result, channel) for result in results]
    if any(suspicious):
        passed_over = [_is_passed_over(item, channel) for item in batch]
        waits = [
            is_one and was_passed and now - (item.waiting_since or now) < STUBBORN
            for item, is_one, was_passed in zip(batch, suspicious, passed_over, strict=True)
        ]
        results = _spared(results, waits, SendOutcome.RETRY)
        suspicious = [
            is_one and not was_passed
            for is_one, was_passed in zip(suspicious, passed_over, strict=True)
        ]
    if any(result.outcome is SendOutcome.ACCEPTED for result in results):
        # As of the claim; what was counted since is found out before the breaker opens.
        if channel.refusals_in_a_row:
            forget(channel=channel)
        return Judgement(_spared(results, suspicious, SendOutcome.NOT_TAKEN))
    if not any(suspicious):
        return Judgement(results)
    counted = _count(results, suspicious, channel, now)
    is_last_try = any(
        is_one
        and item.attempts + 1 >= MAX_ATTEMPTS
        and blame_of(result.code, result.detail) is Blame.ACCOUNT
        for item, result, is_one in zip(batch, results, suspicious, strict=True)
    )
    opens = counted.refusals_in_a_row >= refusal_rules.REFUSALS_IN_A_ROW or is_last_try
    if opens and counted.refused_since and _has_taken_since(counted, counted.refused_since):
        forget(channel=channel)
        opens = False
    spared = _spared(results, suspicious, SendOutcome.NOT_TAKEN if opens else SendOutcome.RETRY)
    blocked = ChannelBlocked(channel=channel.slug, problem=counted.refused_code) if opens else None
    return Judgement(spared, blocked)


def _spared(
    results: Sequence[SendResult], suspicious: Sequence[bool], outcome: SendOutcome
) -> list[SendResult]:
    return [
        replace(result, outcome=outcome)
        if is_one and result.outcome is SendOutcome.REJECTED
        else result
        for result, is_one in zip(results, suspicious, strict=True)
    ]


def _is_passed_over(item: Tried, channel: Channel) -> bool:
    """Return whether others were taken since a message was refused first."""
    since = item.waiting_since
    return since is not None and _has_taken_since(channel, since)


def refused_one_by_one(
    *, message_ids: Sequence[int], error: ChannelBlocked, channel: Channel
) -> list[SendResult] | None:
    """Return the refusals that a block of a tolerated code amounts to; None for any other block.

    A login that is refused is never about the recipients, whatever a person has said.
    """
    code = error.problem[:_MOST_CODE]
    if not code or code != channel.tolerated_code or _is_login(code):
        return None
    return [SendResult(message_id, SendOutcome.REJECTED, code=code) for message_id in message_ids]


def forget(*, channel: Channel) -> None:
    """Begin a new row of refusals: something was taken."""
    Channel.objects.filter(pk=channel.pk, refusals_in_a_row__gt=0).update(refusals_in_a_row=0)
    channel.refusals_in_a_row = 0


def _tolerated(result: SendResult, channel: Channel) -> SendResult:
    """Return a refusal that a person has said is about recipients as one of its recipient."""
    is_tolerated = bool(result.code) and result.code[:_MOST_CODE] == channel.tolerated_code
    is_for_account = (
        result.outcome is SendOutcome.NOT_TAKEN
        and blame_of(result.code, result.detail) is Blame.ACCOUNT
        and not _is_login(result.code)
    )
    if is_tolerated and is_for_account:
        return replace(result, outcome=SendOutcome.REJECTED)
    return result


def _is_suspicious(result: SendResult, channel: Channel) -> bool:
    if result.outcome not in {SendOutcome.REJECTED, SendOutcome.NOT_TAKEN}:
        return False
    if result.code and result.code[:_MOST_CODE] == channel.tolerated_code:
        return False
    blame = blame_of(result.code, result.detail)
    if result.outcome is SendOutcome.NOT_TAKEN:
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


def _has_taken_since(channel: Channel, since: datetime) -> bool:
    """Return whether the account, through whatever worker, had something taken after a time."""
    sent = Message.objects.filter(sent_at__gt=since)
    own = sent.filter(Q(channel=channel) | Q(channel__isnull=True), dispatch__channel=channel)
    if own.exists():
        return True
    # What it sent where another channel was down.
    helped = StandIn.objects.filter(other=channel).values("channel")
    return sent.filter(channel=channel, dispatch__channel__in=helped).exists()

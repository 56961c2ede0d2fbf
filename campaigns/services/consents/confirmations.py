"""The one message that asks somebody to confirm a consent: sent at most once, never marketing."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from campaigns.channels.base import (
    ChannelBackend,
    EmailPayload,
    Outbound,
    SendOutcome,
    SendResult,
    SmsPayload,
)
from campaigns.channels.errors import ChannelBlocked, ChannelError, ChannelMisconfigured
from campaigns.domain.content import links, sms_parts
from campaigns.domain.content.links import LinkPurpose
from campaigns.domain.content.mime import Addressee, EmailSkeleton, HeaderRefused
from campaigns.domain.filing.filing import FilingDemand
from campaigns.domain.receipts.report import confirmation_key
from campaigns.domain.receipts.stops import StopReason
from campaigns.models import Channel, Suppression
from campaigns.selectors.filing import standing
from campaigns.services.sending import breaker, providers, side_messages, throttling
from customers.models import ContactPoint, OptInRequest
from customers.selectors import reach
from loancrm.kernel.auditing import deployment
from loancrm.kernel.security import crypto

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 200
# What is marked together is of unknown fate together when the worker dies.
SUB_BATCH = 10
# Greylisting ends within minutes; a mailbox that is full may take a day.
MOST_TRIES = 10
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
# How long one run waits for the rate limit of a channel; the next one goes on.
PATIENCE_SECONDS = 5.0
# Longer than a provider's answer may take.
ANSWER_WAIT = timedelta(minutes=10)
# Confirmations can be sent through these; consents for other channels need another proof.
KINDS = ("email", "sms")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request and the message that asks for its confirmation."""

    request: OptInRequest
    outbound: Outbound


def send_confirmations(*, now: datetime) -> int:
    """Ask for the confirmations that nobody was asked for yet.

    A few requests are marked before the provider is called: after a crash nobody is asked twice
    unless the provider is known to refuse repeated keys. Requests wait while no channel of their
    kind is set up whose provider has approved its signature, and files no templates: what asks is
    none. An address that complained, or that somebody put under review, is never asked.

    Returns:
        How many messages were handed over.
    """
    if not deployment.may_send():
        return 0
    return sum(_send_kind(kind, now) for kind in KINDS)


def _send_kind(kind: str, now: datetime) -> int:
    usable = Channel.objects.filter(
        ~Q(filing_demand=FilingDemand.TEMPLATE),
        throttling.is_open(),
        standing.has_signature(today=standing.today_of(now)),
        kind=kind,
        is_active=True,
    )
    channel = usable.order_by("pk").first()
    if channel is None:
        return 0
    try:
        provider = providers.provider_of(channel)
    except ChannelMisconfigured as error:
        logger.warning("confirmations not sent", extra={"code": error.code})
        return 0
    asked = _composed(channel, provider, now)
    size = SUB_BATCH
    if provider.limits.supports_idempotency:
        size = provider.limits.batch_size
    size = throttling.burst(channel, size)
    count, ends = 0, time.monotonic() + PATIENCE_SECONDS
    for start in range(0, len(asked), size):
        part = asked[start : start + size]
        if not _has_slots(channel, len(part), ends) or not usable.filter(pk=channel.pk).exists():
            break
        batch = _marked(part, provider, now)
        count += _hand_over(channel, provider, batch, now) if batch else 0
    return count


def _has_slots(channel: Channel, count: int, ends: float) -> bool:
    """Wait for slots under the channel's rate limit; return False when there are none in time."""
    while (wait := throttling.reserve(channel=channel, count=count)) is None:
        if time.monotonic() >= ends:
            return False
        time.sleep(throttling.SHORT_WAIT_SECONDS)
    time.sleep(wait)
    return True


def _due(provider: ChannelBackend, now: datetime) -> Q:
    """Return the condition that a request is to be sent, or sent again with the key it had."""
    unsent = Q(next_try_at__isnull=True) | Q(next_try_at__lte=now)
    is_due = unsent & Q(sent_at__isnull=True)
    if provider.limits.supports_idempotency:
        is_due |= Q(sent_at__isnull=False, next_try_at__lte=now, tries__lt=MOST_TRIES)
    return is_due & Q(confirmed_at__isnull=True, expires_at__gt=now)


def _composed(channel: Channel, provider: ChannelBackend, now: datetime) -> list[_Asked]:
    waiting = OptInRequest.objects.filter(_due(provider, now), channel=channel.kind)
    asked = []
    for request in waiting.select_related("customer").order_by("pk")[:MOST_AT_ONCE]:
        try:
            outbound = _outbound(request, channel, now)
        except HeaderRefused:
            # The sender's fault more likely than the person's: it is set right some day.
            logger.warning("confirmation not written", extra={"request": request.pk})
            _settle(request, SendResult(request.pk, SendOutcome.RETRY), can_resend=False, now=now)
            continue
        if outbound is not None:
            asked.append(_Asked(request, outbound))
            continue
        # Nobody may or can be asked: it leaves the queue.
        OptInRequest.objects.filter(_due(provider, now), pk=request.pk).update(
            sent_at=now, next_try_at=None
        )
    return asked


def _marked(asked: Sequence[_Asked], provider: ChannelBackend, now: datetime) -> list[_Asked]:
    """Mark requests as sent; return those that no other worker has marked meanwhile.

    Until the answer is stored, `next_try_at` says when it is missing.
    """
    with transaction.atomic():
        rows = OptInRequest.objects.select_for_update().filter(
            _due(provider, now), pk__in=[item.request.pk for item in asked]
        )
        free = set(rows.order_by("pk").values_list("pk", flat=True))
        OptInRequest.objects.filter(pk__in=free).update(sent_at=now, next_try_at=now + ANSWER_WAIT)
    return [item for item in asked if item.request.pk in free]


def _hand_over(
    channel: Channel, provider: ChannelBackend, batch: Sequence[_Asked], now: datetime
) -> int:
    try:
        results = provider.send([item.outbound for item in batch])
    except ChannelError as error:
        ids = [item.request.pk for item in batch]
        refused = None
        if isinstance(error, ChannelBlocked):
            refused = breaker.refused_one_by_one(message_ids=ids, error=error, channel=channel)
        if refused is None:
            _give_back(channel, ids, error)
            return 0
        results = refused
    tried = [breaker.Tried(item.request.tries, _refused_at(item.request)) for item in batch]
    judged = breaker.judge(batch=tried, results=results, channel=channel, now=now)
    if judged.blocked is not None:
        throttling.block(channel=channel, error=judged.blocked)
    else:
        throttling.pause_after(
            channel=channel,
            results=judged.results,
            waiting_since=[item.request.requested_at for item in batch],
            now=now,
        )
    can_resend = provider.limits.supports_idempotency
    with transaction.atomic():
        side_messages.note(channel=channel, results=results, now=now)
        for item, result, told in zip(batch, judged.results, results, strict=True):
            is_spared = judged.blocked is None and told.outcome is SendOutcome.REJECTED
            if is_spared and result.outcome is SendOutcome.NOT_TAKEN:
                # Refused among others that were taken: it waits before it is refused again.
                result = replace(result, outcome=SendOutcome.RETRY)  # noqa: PLW2901
            _settle(item.request, result, can_resend=can_resend, now=now)
    return sum(result.outcome is SendOutcome.ACCEPTED for result in judged.results)


def _give_back(channel: Channel, ids: Sequence[int], error: ChannelError) -> None:
    """Let requests of which nothing was handed over wait for the next run."""
    logger.warning("confirmations not sent", extra={"code": error.code})
    OptInRequest.objects.filter(pk__in=ids).update(sent_at=None, next_try_at=None)
    if isinstance(error, ChannelBlocked):
        throttling.block(channel=channel, error=error)
    elif not isinstance(error, ChannelMisconfigured):
        throttling.pause_for(channel=channel, error=error)


def _settle(request: OptInRequest, result: SendResult, *, can_resend: bool, now: datetime) -> None:
    """Store an answer; what was certainly not taken waits for its next try.

    One that may have been taken is never sent again unless the provider knows repeated keys: nobody
    is asked twice. Its answer stays missing, so that it is listed for a person to decide about
    (`campaigns.selectors.receipts.unknown_confirmations`), as it does where the worker died.
    """
    row = OptInRequest.objects.filter(pk=request.pk)
    may_be_taken = result.outcome is SendOutcome.UNKNOWN or result.may_be_taken
    if result.outcome is SendOutcome.NOT_TAKEN:
        row.update(sent_at=None, next_try_at=None)
        return
    if result.outcome in {SendOutcome.ACCEPTED, SendOutcome.REJECTED}:
        row.update(next_try_at=None)
        return
    tries = request.tries + 1 if can_resend or not may_be_taken else MOST_TRIES
    if tries >= MOST_TRIES:
        logger.warning("confirmation given up", extra={"request": request.pk})
        row.update(tries=tries, next_try_at=now if may_be_taken else None)
        return
    row.update(
        sent_at=now if may_be_taken else None, tries=tries, next_try_at=now + _wait_of(tries)
    )


def _wait_of(tries: int) -> timedelta:
    return min(FIRST_WAIT * (1 << (tries - 1)), LONGEST_WAIT)


def _refused_at(request: OptInRequest) -> datetime | None:
    """Return when a request that waits for another try was put off."""
    if not request.tries or request.next_try_at is None:
        return None
    return request.next_try_at - _wait_of(request.tries)


def _outbound(request: OptInRequest, channel: Channel, now: datetime) -> Outbound | None:
    point = reach.usable_points(channel.kind).filter(customer_id=request.customer_id).first()
    if point is None or _is_barred(request, point):
        return None
    address = crypto.vault().open(ContactPoint.VALUE_COLUMN, point.row_key, point.value_sealed)
    language = request.customer.language
    key = confirmation_key(deployment.key_space(), request.pk)
    with translation.override(language):
        subject, text = _words(request)
    if channel.kind == "sms":
        body = sms_parts.compose(text, signature=channel.sender, opt_out_text="")
        return Outbound(request.pk, key, address, SmsPayload(body, sms_parts.measure(body).parts))
    sender_name, _space, sender = channel.sender.rpartition(" ")
    sender = sender.strip("<>")
    skeleton = EmailSkeleton(
        sender_name=sender_name.strip(), sender_address=sender, language=language, has_html=False
    )
    raw = skeleton.fill(
        to=Addressee(address, ""),
        subject=subject,
        text=text,
        html=None,
        message_key=key,
        unsubscribe_url="",
        at=now,
    )
    return Outbound(request.pk, key, address, EmailPayload(sender=sender, raw=raw))


def _is_barred(request: OptInRequest, point: ContactPoint) -> bool:
    return (
        Suppression.objects.filter(
            Q(customer_id=request.customer_id) | Q(value_index=point.value_index),
            channel__in=["", request.channel],
            lifted_at__isnull=True,
        )
        .exclude(reason=StopReason.OPTED_OUT)
        .exists()
    )


def _words(request: OptInRequest) -> tuple[str, str]:
    signer = links.signer_for(settings.SECRET_KEY)
    token = signer.token(LinkPurpose.CONFIRM, message_id=request.pk)
    facts = {
        "brand": settings.LOANCRM_BRAND,
        "url": f"{settings.LOANCRM_PUBLIC_URL}/c/{token}/",
    }
    subject = _("Please confirm that %(brand)s may write to you") % facts
    text = _(
        "Somebody asked %(brand)s to send you offers. If it was you, confirm here: %(url)s "
        "If not, ignore this message and you will get nothing."
    )
    return subject, text % facts

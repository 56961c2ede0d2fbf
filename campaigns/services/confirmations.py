"""The one message that asks somebody to confirm a consent: sent at most once, never marketing."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from campaigns.channels.base import EmailPayload, Outbound, Outcome, SendResult, SmsPayload
from campaigns.channels.errors import ChannelBlocked, ChannelError, ChannelMisconfigured
from campaigns.domain import links, sms_parts
from campaigns.domain.links import LinkPurpose
from campaigns.domain.mime import Addressee, EmailSkeleton, HeaderRefused
from campaigns.domain.stops import StopReason
from campaigns.models import Channel, Suppression
from campaigns.services import providers, throttling
from customers.domain.contact import ContactStatus
from customers.domain.preferences import CONTACT_OF_CHANNEL
from customers.models import ContactPoint, OptInRequest
from loancrm.kernel import crypto, deployment

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 200
# Greylisting ends within minutes; a mailbox that is full may take a day.
MOST_TRIES = 10
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
# Confirmations can be sent through these; consents for other channels need another proof.
KINDS = ("email", "sms")


def send_confirmations(*, now: datetime) -> int:
    """Ask for the confirmations that nobody was asked for yet.

    A request is marked before the provider is called: after a crash nobody is asked twice. Requests
    wait while no channel of their kind is set up. An address that complained, or that somebody put
    under review, is never asked.

    Returns:
        How many messages were handed over.
    """
    if not deployment.may_send():
        return 0
    return sum(_send_kind(kind, now) for kind in KINDS)


def _send_kind(kind: str, now: datetime) -> int:
    usable = Channel.objects.filter(throttling.is_open(), kind=kind, is_active=True)
    channel = usable.order_by("pk").first()
    if channel is None:
        return 0
    waiting = OptInRequest.objects.filter(
        Q(next_try_at__isnull=True) | Q(next_try_at__lte=now),
        channel=kind,
        sent_at__isnull=True,
        confirmed_at__isnull=True,
        expires_at__gt=now,
    ).select_related("customer")
    batch = []
    for request in waiting.order_by("pk")[:MOST_AT_ONCE]:
        # The update is the claim: of two workers one gets the row.
        claimed = OptInRequest.objects.filter(pk=request.pk, sent_at__isnull=True)
        if not claimed.update(sent_at=now):
            continue
        outbound = _outbound(request, channel, now)
        if outbound is not None:
            batch.append(outbound)
    return _hand_over(channel, batch, now) if batch else 0


def _hand_over(channel: Channel, batch: Sequence[Outbound], now: datetime) -> int:
    ids = [message.message_id for message in batch]
    try:
        results = providers.provider_of(channel).send(batch)
    except ChannelError as error:
        # Nothing was handed over: the requests wait for the next run.
        logger.warning("confirmations not sent", extra={"code": error.code})
        OptInRequest.objects.filter(pk__in=ids).update(sent_at=None)
        if isinstance(error, ChannelBlocked):
            throttling.block(channel=channel, error=error)
        elif not isinstance(error, ChannelMisconfigured):
            throttling.pause_for(channel=channel, error=error)
        return 0
    since = dict(OptInRequest.objects.filter(pk__in=ids).values_list("pk", "requested_at"))
    throttling.pause_after(
        channel=channel, results=results, waiting_since=[since.get(pk) for pk in ids], now=now
    )
    for result in results:
        _put_off(result, now)
    return sum(result.outcome is Outcome.ACCEPTED for result in results)


def _put_off(result: SendResult, now: datetime) -> None:
    """Let a confirmation that was certainly not taken wait for its next try.

    One that may have been taken is never sent again: nobody is asked twice.
    """
    request = OptInRequest.objects.filter(pk=result.message_id)
    if result.outcome is Outcome.NOT_TAKEN:
        request.update(sent_at=None)
    if result.outcome is not Outcome.RETRY or result.may_be_taken:
        return
    tries = (request.values_list("tries", flat=True).first() or 0) + 1
    if tries >= MOST_TRIES:
        logger.warning("confirmation given up", extra={"request": result.message_id})
        request.update(tries=tries)
        return
    wait = min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT)
    request.update(sent_at=None, tries=tries, next_try_at=now + wait)


def _outbound(request: OptInRequest, channel: Channel, now: datetime) -> Outbound | None:
    point = ContactPoint.objects.filter(
        customer_id=request.customer_id,
        kind=CONTACT_OF_CHANNEL[channel.kind],  # type: ignore[index] # a StrEnum equals its text
        is_primary=True,
        status=ContactStatus.ACTIVE,
    ).first()
    if point is None or _is_barred(request, point):
        return None
    address = crypto.vault().open(ContactPoint.VALUE_COLUMN, point.row_key, point.value_sealed)
    language = request.customer.language
    key = f"o{request.pk}"
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
    try:
        raw = skeleton.fill(
            to=Addressee(address, ""),
            subject=subject,
            text=text,
            html=None,
            message_key=key,
            unsubscribe_url="",
            at=now,
        )
    except HeaderRefused:
        logger.warning("confirmation not written", extra={"request": request.pk})
        return None
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

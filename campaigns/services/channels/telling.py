"""Telling those who run the system by e-mail that sending was stopped and a person is needed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F, Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import Channel, Dispatch
from campaigns.services.sending import throttling
from loancrm.kernel import clock
from loancrm.kernel.database import leases
from loancrm.kernel.database.shared_clock import Moment

logger = logging.getLogger(__name__)
LEASE = "campaigns.tell_operators"
# Longer than a mail server may take, so that two workers do not tell at once.
LEASE_SECONDS = 300
MOST_AT_ONCE = 50
# A shorter standstill is a provider's everyday life.
STANDS_STILL_AFTER = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class _News:
    """What nobody was told of yet.

    Attributes:
        blocked: Accounts that only a person can open.
        busy: Accounts that have taken nothing for long.
        held: Dispatches that wait for a person.
    """

    blocked: Sequence[Channel]
    busy: Sequence[Channel]
    held: Sequence[Dispatch]

    def __len__(self) -> int:
        """Return how much news there is."""
        return len(self.blocked) + len(self.busy) + len(self.held)


def tell_operators(*, holder: str) -> int:
    """Write to the operators about what they were not told of, all in one mail; one at a time.

    Blocks and holds are told once each, and so is an account that is busy or away for long, until
    it takes something again. What was told is noted after the mail was taken: a worker that dies
    between the two lets it be told twice, never not at all. Never called in a transaction.

    Returns:
        How many blocks, standstills and holds were told.
    """
    addresses = settings.LOANCRM_OPERATOR_EMAILS
    if not addresses:
        return 0
    if not leases.acquire(name=LEASE, holder=holder, seconds=LEASE_SECONDS):
        return 0
    try:
        news = _News(_blocked(), _busy(), _held())
        if not news or not _write(news, addresses):
            return 0
        _note(news)
        return len(news)
    finally:
        leases.release(name=LEASE, holder=holder)


def _write(news: _News, addresses: Sequence[str]) -> bool:
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Sending was stopped: somebody has to act")
        if not news.blocked and not news.held:
            subject = _("A provider has taken nothing for long")
        text = "\n\n".join(
            [
                *map(_about_block, news.blocked),
                *map(_about_standstill, news.busy),
                *map(_about_hold, news.held),
            ]
        )
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, addresses)
    except (SMTPException, OSError) as error:
        # The server's words may name its login.
        logger.error("operators not told", extra={"error": type(error).__name__})  # noqa: TRY400
        return False
    return True


def _note(news: _News) -> None:
    """Note what was told; what has come anew since is told next time."""
    for row in news.blocked:
        Channel.objects.filter(pk=row.pk, blocked_at__lte=row.blocked_at).update(told_at=Moment())
    for row in news.busy:
        Channel.objects.filter(pk=row.pk, paused_since__lte=row.paused_since).update(
            pause_told_at=Moment()
        )
    for run in news.held:
        Dispatch.objects.filter(
            pk=run.pk, status=DispatchStatus.HELD, hold_reason=run.hold_reason
        ).update(is_hold_told=True)


def _blocked() -> list[Channel]:
    untold = Q(told_at__isnull=True) | Q(told_at__lt=F("blocked_at"))
    rows = Channel.objects.filter(untold, blocked_at__isnull=False).order_by("pk")
    return list(rows[:MOST_AT_ONCE])


def _busy() -> list[Channel]:
    """Return the accounts that were asked again and again for long and took nothing."""
    rows = Channel.objects.filter(
        blocked_at__isnull=True,
        is_active=True,
        pause_told_at__isnull=True,
        paused_since__lt=Moment(-STANDS_STILL_AFTER.total_seconds()),
        paused_until__gt=Moment(-throttling.LULL_SECONDS),
    )
    return list(rows.order_by("pk")[:MOST_AT_ONCE])


def _held() -> list[Dispatch]:
    untold = Dispatch.objects.filter(status=DispatchStatus.HELD, is_hold_told=False)
    related = untold.select_related("request")
    return list(related.order_by("pk")[:MOST_AT_ONCE])


def _about_standstill(channel: Channel) -> str:
    text = _(
        "The channel “%(name)s” has taken nothing since %(time)s. It is asked again and again; "
        "sending goes on by itself as soon as it takes messages."
    )
    since = channel.paused_since or clock.now()
    local = since.astimezone(clock.company_zone())
    return _channel_lines(
        text % {"name": channel.name, "time": f"{local:%Y-%m-%d %H:%M}"},
        channel,
        channel.pause_reason,
    )


def _about_block(channel: Channel) -> str:
    text = _("The channel “%(name)s” is blocked: nothing is sent through it.")
    return _channel_lines(text % {"name": channel.name}, channel, channel.blocked_reason)


def _channel_lines(text: str, channel: Channel, reason: str) -> str:
    address = reverse("admin:campaigns_channel_change", args=[channel.pk])
    return "\n".join(
        [text, labels.account_reason(reason), f"{settings.LOANCRM_PUBLIC_URL}{address}"]
    )


def _about_hold(dispatch: Dispatch) -> str:
    text = _("The campaign “%(name)s” waits for a person: %(reason)s.")
    address = reverse("admin:campaigns_campaign_change", args=[dispatch.campaign_id or 0])
    if dispatch.campaign_id is None:
        text = _("Messages of the template “%(name)s” wait for a person: %(reason)s.")
        template_id = dispatch.request.template_id
        address = reverse("admin:campaigns_messagetemplate_change", args=[template_id])
    reason = labels.read(labels.HOLD_REASONS, dispatch.hold_reason)
    return "\n".join(
        [
            text % {"name": dispatch.name, "reason": reason},
            f"{settings.LOANCRM_PUBLIC_URL}{address}",
        ]
    )

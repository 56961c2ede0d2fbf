"""Telling those who run the system by e-mail that sending was stopped and a person is needed."""

import logging
from dataclasses import dataclass
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F, Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.domain.campaign import DispatchStatus
from campaigns.models import Channel, Dispatch
from loancrm.kernel.database_clock import Moment

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class _News:
    """What was stopped since somebody was told last."""

    channels: list[Channel]
    dispatches: list[Dispatch]


def tell_operators() -> int:
    """Write to the operators about blocks and holds that they were not told of, all in one mail.

    Each is claimed before the mail is sent, so two workers do not tell it twice, and given back
    when the mail server did not take it. Never called in a transaction.

    Returns:
        How many blocks and holds were told.
    """
    addresses = settings.LOANCRM_OPERATOR_EMAILS
    if not addresses:
        return 0
    news = _News(_blocked(), _held())
    count = len(news.channels) + len(news.dispatches)
    if not count:
        return 0
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Sending was stopped: somebody has to act")
        text = "\n\n".join(
            [*map(_about_channel, news.channels), *map(_about_hold, news.dispatches)]
        )
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, addresses)
    except (SMTPException, OSError) as error:
        # The server's words may name its login.
        logger.error("operators not told", extra={"error": type(error).__name__})  # noqa: TRY400
        Channel.objects.filter(pk__in=[row.pk for row in news.channels]).update(told_at=None)
        held = Dispatch.objects.filter(pk__in=[row.pk for row in news.dispatches])
        held.update(is_hold_told=False)
        return 0
    return count


def _blocked() -> list[Channel]:
    untold = Q(told_at__isnull=True) | Q(told_at__lt=F("blocked_at"))
    rows = Channel.objects.filter(untold, blocked_at__isnull=False).order_by("pk")
    return [
        row
        for row in rows[:MOST_AT_ONCE]
        if Channel.objects.filter(untold, pk=row.pk, blocked_at__isnull=False).update(
            told_at=Moment()
        )
    ]


def _held() -> list[Dispatch]:
    untold = Dispatch.objects.filter(status=DispatchStatus.HELD, is_hold_told=False)
    rows = untold.select_related("campaign").order_by("pk")
    return [
        row for row in rows[:MOST_AT_ONCE] if untold.filter(pk=row.pk).update(is_hold_told=True)
    ]


def _about_channel(channel: Channel) -> str:
    text = _("The channel “%(name)s” is blocked: nothing is sent through it.")
    address = reverse("admin:campaigns_channel_change", args=[channel.pk])
    return "\n".join(
        [
            text % {"name": channel.name},
            labels.account_reason(channel.blocked_reason),
            f"{settings.LOANCRM_PUBLIC_URL}{address}",
        ]
    )


def _about_hold(dispatch: Dispatch) -> str:
    text = _("The campaign “%(name)s” waits for a person: %(reason)s.")
    address = reverse("admin:campaigns_campaign_change", args=[dispatch.campaign_id])
    reason = labels.read(labels.HOLD_REASONS, dispatch.hold_reason)
    return "\n".join(
        [
            text % {"name": dispatch.campaign.name, "reason": reason},
            f"{settings.LOANCRM_PUBLIC_URL}{address}",
        ]
    )

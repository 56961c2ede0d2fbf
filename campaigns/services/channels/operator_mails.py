"""Telling those who run the system by e-mail that sending was stopped and a person is needed."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Count, F, Max, Q, QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending.states import DispatchSource, DispatchStatus
from campaigns.models import Campaign, Channel, Dispatch
from campaigns.services.sending import throttling
from loancrm.kernel import clock
from loancrm.kernel.database import leases
from loancrm.kernel.database.shared_clock import Moment

logger = logging.getLogger(__name__)
LEASE = "campaigns.mail_operators"
# Longer than a mail server may take, so that two workers do not tell at once.
LEASE_SECONDS = 300
MOST_AT_ONCE = 50
# An author's mail that is not taken is tried again after five minutes, ten, twenty, … and given up
# after about five hours; the campaign's page says so.
AUTHOR_RETRY_SECONDS = 300
MOST_AUTHOR_FAILURES = 7
# A shorter standstill is a provider's everyday life.
STANDS_STILL_AFTER = timedelta(minutes=30)
# Nobody lets runs of such a campaign go on.
_OVER = (CampaignStatus.CANCELLED, CampaignStatus.COMPLETED)


@dataclass(frozen=True, slots=True)
class _HeldCalls:
    """Calls for messages of one template that wait for the same.

    Attributes:
        newest: The newest dispatch among them.
    """

    template_id: int
    reason: str
    name: str
    count: int
    newest: int

    def rows(self) -> QuerySet[Dispatch]:
        """Return the dispatches of the calls that wait for this now."""
        return Dispatch.objects.filter(
            request__template=self.template_id, status=DispatchStatus.HELD, hold_reason=self.reason
        )


@dataclass(frozen=True, slots=True)
class _News:
    """What nobody was told of yet.

    Attributes:
        blocked: Accounts that only a person can open.
        busy: Accounts that have taken nothing for long.
        held: Dispatches of campaigns that wait for a person.
        calls: Calls of own systems that do, all that wait for the same as one.
        runs: Campaigns whose next run does.
        paused: Campaigns that paused by themselves.
    """

    blocked: Sequence[Channel] = ()
    busy: Sequence[Channel] = ()
    held: Sequence[Dispatch] = ()
    calls: Sequence[_HeldCalls] = ()
    runs: Sequence[Campaign] = ()
    paused: Sequence[Campaign] = ()

    def __len__(self) -> int:
        """Return how much news there is."""
        parts = (self.blocked, self.busy, self.held, self.calls, self.runs, self.paused)
        return sum(map(len, parts))


def mail_operators(*, holder: str) -> int:
    """Write to the operators about what they were not told of, all in one mail; one at a time.

    Blocks and holds are told once each, and so is an account that is busy or away for long, until
    it takes something again. What was told is noted after the mail was taken: a worker that dies
    between the two lets it be told twice, never not at all. Whoever wrote a campaign whose next run
    is held hears of it too; where no operators are named, a mail to an author that is not taken is
    tried again with pauses that double, and given up in the end. Never called in a transaction.

    Returns:
        How many blocks, standstills and holds were told.
    """
    if not leases.claim(name=LEASE, holder=holder, seconds=LEASE_SECONDS):
        return 0
    try:
        if settings.LOANCRM_OPERATOR_EMAILS:
            return _mail_all()
        wanted = _has_reader() & _is_mail_due()
        return _mail_authors(_held_runs(wanted), _paused(wanted))
    finally:
        leases.release(name=LEASE, holder=holder)


def _mail_all() -> int:
    news = _News(_blocked(), _busy(), _held(), _held_calls(), _held_runs(), _paused())
    if not news or not _write(news, settings.LOANCRM_OPERATOR_EMAILS):
        return 0
    _mail_authors(news.runs, news.paused)
    # Last: an author's mail that is not taken is no reason to tell the operators twice.
    _note(news)
    return len(news)


def _mail_authors(runs: Sequence[Campaign], paused: Sequence[Campaign]) -> int:
    """Write to those whose campaigns' next runs are held, or that paused, one mail each.

    Returns:
        How many runs and pauses were told.
    """
    own_runs, own_paused = _by_address(runs), _by_address(paused)
    told = 0
    for address in {**own_runs, **own_paused}:
        news = _News(runs=own_runs.get(address, ()), paused=own_paused.get(address, ()))
        if _write(news, [address]):
            _note(news)
            told += len(news)
        else:
            _put_off(news)
    return told


def _by_address(campaigns: Sequence[Campaign]) -> dict[str, list[Campaign]]:
    found: dict[str, list[Campaign]] = defaultdict(list)
    for campaign in campaigns:
        author = campaign.author
        if author is not None and author.is_active and author.email:
            found[author.email].append(campaign)
    return found


def _put_off(news: _News) -> None:
    """Note that an author's mail about these was not taken, and when it is tried again."""
    for campaign in {*news.runs, *news.paused}:
        failures = campaign.run_hold_mail_failures + 1
        pause = AUTHOR_RETRY_SECONDS * 2 ** (failures - 1)
        given_up = failures >= MOST_AUTHOR_FAILURES
        Campaign.objects.filter(
            pk=campaign.pk,
            run_hold_reason=campaign.run_hold_reason,
            pause_reason=campaign.pause_reason,
        ).update(
            run_hold_mail_failures=failures,
            run_hold_mail_after=Moment(pause),
            is_run_hold_told=given_up,
            is_pause_told=given_up,
        )


def _write(news: _News, addresses: Sequence[str]) -> bool:
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Sending was stopped: somebody has to act")
        if len(news) == len(news.busy):
            subject = _("A provider has taken nothing for long")
        text = "\n\n".join(
            [
                *map(_about_block, news.blocked),
                *map(_about_standstill, news.busy),
                *map(_about_hold, news.held),
                *map(_about_calls, news.calls),
                *map(_about_run, news.runs),
                *map(_about_pause, news.paused),
            ]
        )
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, addresses)
    except (SMTPException, OSError, UnicodeError) as error:
        # An address may be none that a mail can carry; the server's words may name its login.
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
    for calls in news.calls:
        calls.rows().filter(pk__lte=calls.newest).update(is_hold_told=True)
    for campaign in news.runs:
        Campaign.objects.filter(pk=campaign.pk, run_hold_reason=campaign.run_hold_reason).update(
            is_run_hold_told=True
        )
    for campaign in news.paused:
        Campaign.objects.filter(pk=campaign.pk, pause_reason=campaign.pause_reason).update(
            is_pause_told=True
        )


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


def _untold(source: DispatchSource) -> QuerySet[Dispatch]:
    return Dispatch.objects.filter(status=DispatchStatus.HELD, is_hold_told=False, source=source)


def _held() -> list[Dispatch]:
    return list(_untold(DispatchSource.STEP).order_by("pk")[:MOST_AT_ONCE])


def _held_calls() -> list[_HeldCalls]:
    """Return what calls wait for, however many they are: each call is a dispatch of its own."""
    alike = _untold(DispatchSource.REQUEST).values_list("request__template", "hold_reason")
    counted = alike.annotate(name=Max("name"), count=Count("pk"), newest=Max("pk"))
    rows = counted.order_by("request__template", "hold_reason")
    return [_HeldCalls(*row) for row in rows[:MOST_AT_ONCE]]


def _has_reader() -> Q:
    """Return which campaigns have an author who can be written to.

    The others are told to operators only; among the oldest they would leave no room for these.
    """
    return Q(author__is_active=True) & ~Q(author__email="")


def _is_mail_due() -> Q:
    """Return which campaigns' authors may be written to now: the last try is long enough ago."""
    return Q(run_hold_mail_after__isnull=True) | Q(run_hold_mail_after__lte=Moment())


def _held_runs(wanted: Q | None = None) -> list[Campaign]:
    untold = Campaign.objects.filter(wanted or Q(), is_run_hold_told=False)
    untold = untold.exclude(run_hold_reason="")
    rows = untold.exclude(status__in=_OVER).select_related("author").order_by("pk")
    return list(rows[:MOST_AT_ONCE])


def _paused(wanted: Q | None = None) -> list[Campaign]:
    """Return the campaigns that paused by themselves."""
    untold = Campaign.objects.filter(
        wanted or Q(), is_pause_told=False, status=CampaignStatus.PAUSED
    ).exclude(pause_reason="")
    return list(untold.select_related("author").order_by("pk")[:MOST_AT_ONCE])


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
    reason = labels.HOLD_REASONS.label(dispatch.hold_reason)
    address = reverse("admin:campaigns_campaign_change", args=[dispatch.campaign_id or 0])
    return _with_link(text % {"name": dispatch.name, "reason": reason}, address)


def _about_calls(calls: _HeldCalls) -> str:
    text = _(
        "Messages of the template “%(name)s” wait for a person: %(reason)s. Calls of systems: "
        "%(count)s."
    )
    reason = labels.HOLD_REASONS.label(calls.reason)
    address = reverse("admin:campaigns_messagetemplate_change", args=[calls.template_id])
    facts = {"name": calls.name, "reason": reason, "count": calls.count}
    return _with_link(text % facts, address)


def _about_run(campaign: Campaign) -> str:
    text = _("The next run of the campaign “%(name)s” waits for a person: %(reason)s.")
    reason = labels.HOLD_REASONS.label(campaign.run_hold_reason)
    address = reverse("admin:campaigns_campaign_change", args=[campaign.pk])
    return _with_link(text % {"name": campaign.name, "reason": reason}, address)


def _about_pause(campaign: Campaign) -> str:
    text = _("The campaign “%(name)s” paused by itself: %(reason)s.")
    reason = labels.PAUSE_REASONS.label(campaign.pause_reason)
    address = reverse("admin:campaigns_campaign_change", args=[campaign.pk])
    return _with_link(text % {"name": campaign.name, "reason": reason}, address)


def _with_link(text: str, address: str) -> str:
    return f"{text}\n{settings.LOANCRM_PUBLIC_URL}{address}"

"""Asking providers what became of messages of unknown fate, where they can be asked."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q

from campaigns.channels.base import Asked, CanBeAsked
from campaigns.channels.errors import ChannelError
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.receipts.report import message_key
from campaigns.domain.sending.fates import FateDecision
from campaigns.domain.sending.states import DispatchStatus, MessageState
from campaigns.models import Campaign, Channel, Dispatch, Message
from campaigns.selectors.sending.ways import went_through
from campaigns.services.channels import fates
from campaigns.services.sending import providers, throttling
from loancrm.kernel.access import system_actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database import leases

# A campaign, or a dispatch that no campaign has.
Owner = tuple[type[Campaign] | type[Dispatch], int]
logger = logging.getLogger(__name__)
LEASE = "campaigns.ask_providers"
# Longer than a question may take, so that two workers never ask at once.
LEASE_SECONDS = 120
MOST_AT_ONCE = 200
# A request that timed out here may still be on its way there.
FIRST_QUESTION = timedelta(minutes=2)
# A message is never asked about twice within a minute; an old one once an hour.
# After this long somebody has read the report, and a message would come as a surprise.
STILL_WANTED = timedelta(days=1)
PAUSE, LONG_PAUSE = timedelta(minutes=1), timedelta(hours=1)


def ask_providers(*, holder: str, now: datetime) -> int:
    """Ask every provider that can be asked about some of its messages; return how many it settled.

    Providers are asked outside any transaction. What a provider does not clearly know stays
    unknown.
    """
    if not leases.claim(name=LEASE, holder=holder, seconds=LEASE_SECONDS):
        return 0
    usable = Channel.objects.filter(throttling.is_open(), is_active=True).order_by("pk")
    return sum(_ask(channel, now) for channel in usable)


def _ask(channel: Channel, now: datetime) -> int:
    try:
        provider = providers.provider_of(channel)
        if not isinstance(provider, CanBeAsked) or not provider.can_be_asked:
            return 0
        keys = _take(channel, now)
        found = provider.ask(list(keys)) if keys else {}
    except ChannelError as error:
        logger.warning("provider not asked", extra={"code": error.code, "channel": channel.pk})
        return 0
    return _settle(keys, found, now)


def _take(channel: Channel, now: datetime) -> dict[str, tuple[int, Owner]]:
    """Return {key: (message, whose it is)} to ask about, noted so that nobody asks again soon."""
    rows = Message.objects.filter(
        Q(due_at__isnull=True) | Q(due_at__lte=now),
        went_through(channel),
        state=MessageState.UNKNOWN,
        closed_at__lte=now - FIRST_QUESTION,
    ).order_by(F("due_at").asc(nulls_first=True), "pk")
    found = rows.values_list(
        "pk", "dispatch__key_space", "dispatch__campaign_id", "dispatch_id", "closed_at"
    )
    keys: dict[str, tuple[int, Owner]] = {}
    for pk, space, campaign_id, dispatch_id, closed_at in found[:MOST_AT_ONCE]:
        is_old = closed_at is not None and now - closed_at >= LONG_PAUSE
        pause = LONG_PAUSE if is_old else PAUSE
        Message.objects.filter(pk=pk, state=MessageState.UNKNOWN).update(due_at=now + pause)
        owner: Owner = (Campaign, campaign_id) if campaign_id else (Dispatch, dispatch_id)
        keys[message_key(space, pk)] = (pk, owner)
    return keys


def _settle(
    keys: Mapping[str, tuple[int, Owner]], found: Mapping[str, Asked], now: datetime
) -> int:
    alike: dict[tuple[Owner, Asked], list[int]] = defaultdict(list)
    for key, (pk, owner) in keys.items():
        if key in found:
            alike[owner, found[key]].append(pk)
    return sum(_decide(owner, asked, ids, now) for (owner, asked), ids in alike.items())


def _decide(whose: Owner, asked: Asked, ids: Sequence[int], now: datetime) -> int:
    model, pk = whose
    actor = system_actor("job:campaigns.ask_providers")
    with acting(actor, fates.DECIDES, now=now) as act:
        owner = model.objects.select_for_update().get(pk=pk)
        fate = FateDecision.WAS_SENT
        if asked is Asked.NEVER_TAKEN:
            fate = FateDecision.SEND_AGAIN if _goes_on(owner, now) else FateDecision.WAS_NOT_SENT
        return fates.store_audited(act, ids=ids, owner=owner, fate=fate)


def _goes_on(owner: Campaign | Dispatch, now: datetime) -> bool:
    """Return whether what was never taken is still sent: also just after a campaign's end.

    A campaign completes in the moment in which its last answer is lost. What a system asked for is
    sent for as long as it may come late.
    """
    if isinstance(owner, Dispatch):
        is_wanted = now - owner.due_at <= timedelta(hours=owner.late_limit_hours)
        return is_wanted and owner.status != DispatchStatus.CANCELLED
    campaign = owner
    if campaign.status == CampaignStatus.COMPLETED:
        return campaign.completed_at is not None and now - campaign.completed_at <= STILL_WANTED
    return campaign.status in {CampaignStatus.RUNNING, CampaignStatus.PAUSED}

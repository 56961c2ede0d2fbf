"""What people are to be told of now, found from where campaigns stand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.notices.kinds import NoticeKind
from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import Approval, Campaign, CampaignEdit, Dispatch
from campaigns.selectors.campaigns import content_tests

# What is older was before people were told, or is no news.
LOOKED_BACK = timedelta(days=7)
APPROVES = "campaigns.approve_campaign"
MOST_AT_ONCE = 500
_OVER = {
    CampaignStatus.COMPLETED: NoticeKind.ENDED,
    CampaignStatus.CANCELLED: NoticeKind.CANCELLED,
}
_BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that one person should know.

    Attributes:
        thing: Names what happened: told once to a person.
        is_mailed_elsewhere: Another mail tells the same person.
    """

    kind: NoticeKind
    reader_id: int
    campaign_id: int
    thing: str
    at: datetime
    reason: str = ""
    comment: str = ""
    is_mailed_elsewhere: bool = False


def found(*, now: datetime) -> Sequence[Happening]:
    """Return all that people should know, whether or not they were told (8 queries)."""
    return [*_approvals(), *_refusals(now), *_held(now), *_winners(now), *_over(now)]


def approvers() -> QuerySet[User]:
    """Return who may approve campaigns, by role or by hand."""
    return User.objects.with_perm(APPROVES, backend=_BACKEND).filter(is_active=True)


def _approvals() -> Iterator[Happening]:
    """Yield, for each campaign in review, those who may approve it."""
    waiting = list(
        Campaign.objects.filter(status=CampaignStatus.IN_REVIEW).order_by("-updated_at")[
            :MOST_AT_ONCE
        ]
    )
    granted = Approval.objects.filter(campaign=OuterRef("campaign"), is_granted=True)
    seen = Coalesce(Subquery(granted.order_by("-pk").values("edit_number")[:1]), 0)
    edits = CampaignEdit.objects.filter(campaign__in=waiting, pk__gt=seen)
    barred = set(edits.values_list("campaign_id", "editor_id"))
    barred |= {(row.pk, row.author_id) for row in waiting if row.author_id is not None}
    readers = list(approvers().values_list("pk", flat=True)) if waiting else []
    for row in waiting:
        for reader in readers:
            if (row.pk, reader) not in barred:
                # Submitted again, it is told again.
                thing = f"approval:{row.pk}:{row.updated_at.timestamp():.6f}"
                yield Happening(NoticeKind.APPROVAL_WAITS, reader, row.pk, thing, row.updated_at)


def _refusals(now: datetime) -> Iterator[Happening]:
    rows = Approval.objects.filter(
        is_granted=False, at__gt=now - LOOKED_BACK, campaign__author__isnull=False
    )
    for row in rows.select_related("campaign").order_by("-pk")[:MOST_AT_ONCE]:
        author = row.campaign.author_id
        if author is not None:
            yield Happening(
                kind=NoticeKind.REFUSED,
                reader_id=author,
                campaign_id=row.campaign_id,
                thing=f"refused:{row.pk}",
                at=row.at,
                comment=row.comment,
            )


def _held(now: datetime) -> Iterator[Happening]:
    rows = Dispatch.objects.filter(
        status=DispatchStatus.HELD, campaign__author__isnull=False
    ).annotate(author=F("campaign__author"))
    for row in rows.order_by("-pk")[:MOST_AT_ONCE]:
        thing = f"held:{row.pk}:{row.hold_reason}"
        author, campaign = row.author, row.campaign_id or 0
        yield Happening(NoticeKind.HELD, author, campaign, thing, now, reason=row.hold_reason)
    runs = Campaign.objects.filter(author__isnull=False).exclude(
        Q(run_hold_reason="") | Q(status__in=_OVER)
    )
    for campaign_row in runs.order_by("-pk")[:MOST_AT_ONCE]:
        yield Happening(
            kind=NoticeKind.HELD,
            reader_id=campaign_row.author_id or 0,
            campaign_id=campaign_row.pk,
            thing=f"held-run:{campaign_row.pk}:{campaign_row.run_hold_reason}",
            at=now,
            reason=campaign_row.run_hold_reason,
            # `operator_mails` writes to its author.
            is_mailed_elsewhere=True,
        )


def _winners(now: datetime) -> Iterator[Happening]:
    """Yield, for each test of texts that nothing decides by itself, who wrote the campaign."""
    rows = Campaign.objects.filter(content_tests.asks_a_person(), author__isnull=False)
    for row in rows.order_by("-pk")[:MOST_AT_ONCE]:
        thing = f"winner:{row.pk}"
        yield Happening(NoticeKind.WINNER_ASKED, row.author_id or 0, row.pk, thing, now)


def _over(now: datetime) -> Iterator[Happening]:
    ran = Dispatch.objects.filter(campaign=OuterRef("pk"))
    rows = Campaign.objects.filter(
        Exists(ran), status__in=_OVER, updated_at__gt=now - LOOKED_BACK, author__isnull=False
    )
    for row in rows.order_by("-updated_at")[:MOST_AT_ONCE]:
        kind = _OVER[CampaignStatus(row.status)]
        at = row.completed_at or row.updated_at
        yield Happening(kind, row.author_id or 0, row.pk, f"{kind.value}:{row.pk}", at)

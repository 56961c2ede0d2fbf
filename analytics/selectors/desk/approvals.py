"""What waits for a second person: what each kind is, and who may decide it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from analytics.domain.approvals import ApprovalKind
from analytics.domain.credit.reviewing import PolicyState
from analytics.domain.modelling.life.choices import ModelPurpose
from analytics.domain.modelling.life.lifecycle import VersionState
from analytics.models import ModelVersion, PolicyVersion
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.models import Approval, Campaign, CampaignEdit, FairnessOverride
from customers.domain.exports import ExportState
from customers.models import SegmentExport

MOST_SHOWN = 50


# Who has one of the rights may decide.
RIGHTS: Mapping[ApprovalKind, tuple[str, ...]] = {
    ApprovalKind.CAMPAIGN: ("campaigns.approve_campaign",),
    ApprovalKind.FAIRNESS: ("campaigns.confirm_fairnessoverride",),
    ApprovalKind.EXPORT: ("customers.approve_segmentexport",),
    ApprovalKind.MODEL: ("analytics.change_modelversion", "analytics.decide_riskmodel"),
    ApprovalKind.POLICY: ("analytics.change_policyversion",),
}


@dataclass(frozen=True, slots=True)
class WaitingApproval:
    """One thing that its reader may decide.

    Attributes:
        key: Of the row to which its page belongs: for a fairness override its campaign.
        name: What people call it; empty where only a number tells them apart.
        number: A version's number; 0 where there is none.
        by: Who asked for it; empty for a machine.
        since: When it was asked for, or last changed.
    """

    kind: ApprovalKind
    key: int
    name: str
    number: int
    by: str
    since: datetime


def kinds_of(user: User) -> Sequence[ApprovalKind]:
    """Return the kinds that a person may decide, by right."""
    return [kind for kind, names in RIGHTS.items() if any(map(user.has_perm, names))]


def count(user: User) -> int:
    """Return how much waits for a person (one query, none for whoever decides nothing)."""
    rows = [_ROWS[kind](user).order_by().values_list("pk") for kind in kinds_of(user)]
    if not rows:
        return 0
    return rows[0].union(*rows[1:], all=True).count() if len(rows) > 1 else rows[0].count()


def waiting(user: User) -> Sequence[WaitingApproval]:
    """Return what waits for a person, the oldest first (one query a kind).

    Left out is what she asked for, wrote or changed herself.
    """
    found: list[WaitingApproval] = []
    for kind in kinds_of(user):
        columns = _COLUMNS[kind]
        rows = _ROWS[kind](user).order_by(columns[-1], "pk").values_list(*columns)
        found += [
            WaitingApproval(kind, key, name, number, by or "", since)
            for key, name, number, by, since in rows[:MOST_SHOWN]
        ]
    return sorted(found, key=lambda one: (one.since, one.kind, one.key))


def _campaigns(user: User) -> QuerySet[Campaign]:
    """Return those in review that she neither wrote nor changed since they were last approved."""
    granted = Approval.objects.filter(campaign=OuterRef("campaign"), is_granted=True)
    seen = Coalesce(Subquery(granted.order_by("-pk").values("edit_number")[:1]), 0)
    own = CampaignEdit.objects.filter(campaign=OuterRef("pk"), editor=user, pk__gt=seen)
    rows = Campaign.objects.filter(~Exists(own), status=CampaignStatus.IN_REVIEW)
    return rows.exclude(author=user)


def _overrides(user: User) -> QuerySet[FairnessOverride]:
    """Return those of drafts whose segment still has the rule that was looked at."""
    rows = FairnessOverride.objects.filter(
        confirmed_at=None,
        campaign__status__in=(CampaignStatus.DRAFT, CampaignStatus.APPROVED),
        campaign__segment__current_version=F("segment_version"),
    )
    return rows.exclude(requested_by=user).exclude(campaign__author=user)


def _exports(user: User) -> QuerySet[SegmentExport]:
    rows = SegmentExport.objects.filter(state=ExportState.REQUESTED)
    return rows.exclude(requested_by=user)


def _versions(user: User) -> QuerySet[ModelVersion]:
    """Return the newest version of each model where it is a candidate that she did not train."""
    newer = ModelVersion.objects.filter(model=OuterRef("model"), number__gt=OuterRef("number"))
    rows = ModelVersion.objects.filter(~Exists(newer), state=VersionState.CANDIDATE)
    if not user.has_perm("analytics.change_modelversion"):
        risky = [purpose.value for purpose in ModelPurpose if purpose.is_risk]
        rows = rows.filter(model__purpose__in=risky)
    return rows.exclude(trained_by=user)


def _policies(user: User) -> QuerySet[PolicyVersion]:
    rows = PolicyVersion.objects.filter(state=PolicyState.PROPOSED)
    return rows.exclude(proposed_by=user)


_ROWS: Mapping[ApprovalKind, Callable[[User], QuerySet]] = {  # type: ignore[type-arg] # of many tables
    ApprovalKind.CAMPAIGN: _campaigns,
    ApprovalKind.FAIRNESS: _overrides,
    ApprovalKind.EXPORT: _exports,
    ApprovalKind.MODEL: _versions,
    ApprovalKind.POLICY: _policies,
}
# As `WaitingApproval` has them.
_COLUMNS: Mapping[ApprovalKind, tuple[Any, ...]] = {
    ApprovalKind.CAMPAIGN: ("pk", "name", Value(0), "author__username", "updated_at"),
    ApprovalKind.FAIRNESS: (
        *("campaign_id", "campaign__name", Value(0)),
        *("requested_by__username", "requested_at"),
    ),
    ApprovalKind.EXPORT: (
        *("pk", "segment__name", Value(0)),
        *("requested_by__username", "requested_at"),
    ),
    ApprovalKind.MODEL: ("pk", "model__name", "number", "trained_by__username", "trained_at"),
    ApprovalKind.POLICY: ("pk", Value(""), "number", "proposed_by__username", "proposed_at"),
}

"""Let a campaign pass the check of fairness all the same: one person says why, another agrees."""

from datetime import datetime

from django.utils.translation import gettext as _

from campaigns.models import Campaign, FairnessOverride
from campaigns.services.campaigns import approval, fairness
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError

REQUESTS = "campaigns.add_fairnessoverride"
CONFIRMS = "campaigns.confirm_fairnessoverride"
SHORTEST_REASON = 10


class FairnessOverrideRefused(LoanCrmError):
    """The override says too little, is needless, or would be confirmed by the wrong person."""

    code = "fairness_override_refused"


def request_override(
    *, campaign: Campaign, reason: str, actor: Actor, now: datetime
) -> FairnessOverride:
    """Say why a campaign should pass; nothing passes before a second person agrees.

    Raises:
        PermissionRefused: The actor may not ask for it.
        FairnessOverrideRefused: The reason is too short, nothing blocks, or the actor is no person.
    """
    act = acting(actor, REQUESTS, on=campaign, now=now)
    if actor.user is None:
        raise FairnessOverrideRefused(_("Only a person can do this."))
    why = reason.strip()
    if len(why) < SHORTEST_REASON:
        raise FairnessOverrideRefused(
            _("Say why it is lawful and needed, in %(count)s characters or more.")
            % {"count": SHORTEST_REASON}
        )
    found = fairness.measure(campaign, now=now)
    open_groups = [] if found is None else fairness.not_agreed(campaign, found)
    version = fairness.rule_of(campaign)
    if not open_groups or version is None:
        raise FairnessOverrideRefused(_("Nothing blocks this campaign."))
    with act:
        row = FairnessOverride.objects.create(
            campaign=campaign,
            segment_version=version,
            groups=[
                {"attribute": one.attribute.value, "group": one.group, "ratio": round(one.ratio, 6)}
                for one in open_groups
            ],
            reason=why,
            requested_by=actor.user,
            requested_at=now,
        )
        act.record(
            "fairness_override.requested",
            facts={"override": row.pk, "groups": row.groups},
            reason=why[:300],
        )
    return row


def confirm_override(*, override_id: int, actor: Actor, now: datetime) -> FairnessOverride:
    """Agree, as a second person who did not write the campaign; nothing when somebody has.

    Raises:
        PermissionRefused: The actor may not agree.
        FairnessOverrideRefused: The actor asked for it, wrote or changed the campaign, or the
            segment has another rule by now.
    """
    row = FairnessOverride.objects.select_related(
        "campaign__segment", "segment_version", "requested_by"
    ).get(pk=override_id)
    act = acting(actor, CONFIRMS, on=row.campaign, now=now)
    if actor.user is None:
        raise FairnessOverrideRefused(_("Only a person can do this."))
    if actor.user.pk == row.requested_by_id:
        raise FairnessOverrideRefused(_("A second person has to agree, not who asked for it."))
    if approval.is_barred(row.campaign, actor.user):
        raise FairnessOverrideRefused(
            _("Nobody agrees to a campaign that they wrote or changed themselves.")
        )
    version = fairness.rule_of(row.campaign)
    if version is None or version.pk != row.segment_version_id:
        raise FairnessOverrideRefused(
            _("The segment has another rule since; look at the figures again.")
        )
    with act:
        confirmed = FairnessOverride.objects.filter(pk=row.pk, confirmed_at=None).update(
            confirmed_by=actor.user, confirmed_at=now
        )
        if confirmed:
            act.record(
                "fairness_override.confirmed",
                facts={"override": row.pk, "groups": row.groups},
                reason=row.reason[:300],
            )
        else:
            act.unchanged()
    row.refresh_from_db()
    return row

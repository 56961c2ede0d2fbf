"""The check before a campaign goes out: does a model choose some groups too rarely?"""

from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils import translation

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.fairness import (
    LIMIT,
    FairnessAttribute,
    FairnessReport,
    UnfairGroup,
    impact_ratios,
    standardised_differences,
)
from campaigns.labels import fairness as fairness_labels
from campaigns.models import Campaign, Dispatch, FairnessOverride, Message, ModelAudience
from campaigns.selectors.campaigns import fairness_groups
from customers.models import Customer, Segment, SegmentVersion
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import Phrase
from loancrm.kernel.words.phrases import gettext as _

# A later audience may fall short by so much more than what was agreed to.
TOLERANCE = 0.05


class AudienceUnfair(LoanCrmError):
    """A model chooses some group of people too rarely; nothing is submitted or sent."""

    code = "audience_unfair"


def fairness_of(*, campaign: Campaign, actor: Actor, now: datetime) -> FairnessReport | None:
    """Return how the campaign's audience stands now; None where no model chooses it.

    Raises:
        PermissionRefused: The actor may not see the campaign.
        SegmentRuleInvalid: The segment's rule no longer fits the catalogue.
    """
    access.require(actor, "campaigns.view_campaign", campaign)
    return measure(campaign, now=now)


def measure(
    campaign: Campaign, *, now: datetime, frozen: Dispatch | None = None
) -> FairnessReport | None:
    """Return how the campaign's audience stands now; None where no model chooses it.

    Args:
        frozen: The very people of this dispatch are held against those they were chosen from.
    """
    version = rule_of(campaign)
    if version is None:
        return None
    people = None
    if frozen is not None:
        people = Customer.objects.filter(
            pk__in=Message.objects.filter(dispatch=frozen).values("customer")
        )
    return measure_rule(version.rule, now=now, people=people)


def rule_of(campaign: Campaign) -> SegmentVersion | None:
    """Return the rule that chooses the campaign's people.

    That of its segment; once it runs that of its first run, which every later one goes by.
    """
    if campaign.status in (CampaignStatus.RUNNING, CampaignStatus.PAUSED):
        runs = Dispatch.objects.filter(campaign=campaign, position=1).order_by("run_number")
        first = runs.select_related("segment_version").first()
        if first is not None and first.segment_version is not None:
            return first.segment_version
    return campaign.segment.current_version if campaign.segment else None


def measure_rule(
    rule: object, *, now: datetime, people: QuerySet[Customer] | None = None
) -> FairnessReport | None:
    """Return how the people of a rule stand to those they were chosen from; None: by no model.

    Args:
        people: Whom the rule chose a moment ago; by default whom it chooses now.
    """
    choice = fairness_groups.choice_of(rule, now=now)
    if choice is None:
        return None
    today = now.astimezone(clock.company_zone()).date()
    base = fairness_groups.counts_of(choice.base, today=today)
    chosen = fairness_groups.counts_of(choice.chosen if people is None else people, today=today)
    # Whoever was chosen could be chosen, also where a list has left them out since.
    base = {cell: max(base.get(cell, 0), chosen.get(cell, 0)) for cell in {*base, *chosen}}
    all_of, chosen_of = fairness_groups.by_attribute(base), fairness_groups.by_attribute(chosen)
    return FairnessReport(
        audience=sum(chosen.values()),
        base=sum(base.values()),
        limit=LIMIT,
        ratios={
            attribute: impact_ratios(
                {
                    group: (chosen_of[attribute].get(group, 0), size)
                    for group, size in all_of[attribute].items()
                }
            )
            for attribute in FairnessAttribute
        },
        differences={
            model: {
                attribute: standardised_differences(found)
                for attribute, found in fairness_groups.moments_by_attribute(
                    fairness_groups.moments_of(model, choice.base, today=today)
                ).items()
            }
            for model in choice.models
        },
    )


def require_fair(
    campaign: Campaign, *, now: datetime, frozen: Dispatch | None = None
) -> FairnessReport | None:
    """Refuse an audience that falls short, unless two people let it pass.

    Args:
        frozen: Whose very people are measured; without it whom the rule chooses now.

    Raises:
        AudienceUnfair: With the groups and their ratios.
    """
    found = measure(campaign, now=now, frozen=frozen)
    if found is None:
        return None
    open_groups = not_agreed(campaign, found)
    if open_groups:
        raise AudienceUnfair(
            _(
                "A model chooses some people too rarely: %(groups)s (at least %(limit)s is needed)."
                " Change the segment, or let two people agree to it under “Fairness”."
            )
            % {
                "groups": _in_words(open_groups),
                "limit": f"{found.limit:.2f}",
            },
            campaign=campaign.slug,
            groups=[(one.attribute.value, one.group, round(one.ratio, 4)) for one in open_groups],
        )
    return found


def _in_words(groups: list[UnfairGroup]) -> Phrase:
    told = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            told[code] = fairness_labels.groups(groups)
    return Phrase.of(told)


def not_agreed(campaign: Campaign, found: FairnessReport) -> list[UnfairGroup]:
    """Return the groups that block, less those that two people agreed to for this very rule."""
    agreed: dict[tuple[str, str], float] = {}
    version = rule_of(campaign)
    for row in FairnessOverride.objects.filter(
        campaign=campaign, segment_version=version, confirmed_at__isnull=False
    ):
        for group in row.groups:
            key = (group["attribute"], group["group"])
            agreed[key] = min(agreed.get(key, 1.0), group["ratio"])
    return [
        one
        for one in found.unfair
        if one.ratio < agreed.get((one.attribute.value, one.group), 2.0) - TOLERANCE
    ]


def audit_facts(found: FairnessReport | None) -> dict[str, object]:
    """Return what the entry of a launch tells of the check; nothing where no model chose."""
    if found is None:
        return {}
    ratios = [ratio for ratio in found.parity.values() if ratio is not None]
    return {
        "lowest_impact_ratio": round(min(ratios), 4) if ratios else None,
        "agreed_unfair": [(one.attribute.value, one.group) for one in found.unfair],
    }


def record_model_audience(
    *,
    actor: Actor,
    segment: Segment,
    base: Segment | None,
    source: str,
    score_models: list[str],
    now: datetime,
) -> ModelAudience:
    """Keep that a model chose the people of a list, and from whom; for the apps above.

    Raises:
        PermissionRefused: The actor may not change the segment.
    """
    with acting(actor, "customers.change_segment", on=segment, now=now) as act:
        row, _created = ModelAudience.objects.update_or_create(
            segment=segment,
            defaults={
                "base": base,
                "source": source,
                "score_models": score_models,
                "recorded_at": now,
            },
        )
        act.record(
            "segment.chosen_by_model",
            facts={"source": source, "base": base.slug if base else "", "models": score_models},
        )
    return row

"""Drafts that save themselves while they are written: many saves a minute, told once.

What one author's quick saves change again within a while stays one entry of the trail and one
version of a text. A save by the button, a submission, a test message or somebody else's save ends
that: what it has seen is never written over.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.text import slugify

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.given.problems import ValueProblem, ValueProblemCode
from campaigns.models import Campaign, CampaignEdit
from campaigns.services.campaigns.problems import refused
from loancrm.kernel.acting import Act
from loancrm.kernel.auditing import audit

# How long after its first save a quick save is told with it.
TOLD_TOGETHER = timedelta(minutes=10)
# The fact of an entry that no person asked for.
BY_ITSELF = "by_itself"


@dataclass(frozen=True, slots=True)
class Course:
    """What the author's own quick saves since the last other deed have told already.

    Attributes:
        since: When the first of them was told; none when this save is no quick one, or the first.
        told: Fields and texts that their entries name.
    """

    since: datetime | None = None
    told: frozenset[str] = field(default_factory=frozenset)


def course_of(campaign: Campaign, act: Act, *, is_autosave: bool) -> Course | None:
    """Return what a quick save of a locked draft goes on with; none of a person's own save."""
    if not is_autosave:
        return None
    who = (act.actor.kind.value, act.actor.id)
    since: datetime | None = None
    told: set[str] = set()
    for entry in audit.about(campaign).reverse():
        is_own = (entry.actor_kind, entry.actor_id) == who
        if not is_own or BY_ITSELF not in entry.facts or entry.at <= act.now - TOLD_TOGETHER:
            break
        since = entry.at
        told.update(entry.facts.get("fields", ()), entry.facts.get("changed", ()))
    return Course(since, frozenset(told))


def record_edit(
    act: Act,
    campaign: Campaign,
    *,
    deed: str,
    facts: dict[str, list[str]],
    course: Course | None,
) -> None:
    """Write down a change and who made it, unless an entry of the same course tells it already."""
    named = {name for names in facts.values() for name in names}
    if course is not None and named <= course.told:
        act.counted_elsewhere()
        return
    note_edit(act, campaign)
    act.record(f"campaign.{deed}", facts={**facts, **fact(is_autosave=course is not None)})


def fact(*, is_autosave: bool) -> dict[str, bool]:
    """Return what an entry says of a quick save."""
    return {BY_ITSELF: True} if is_autosave else {}


def note_edit(act: Act, campaign: Campaign) -> None:
    """Keep who changed a campaign: they may not approve it."""
    if act.actor.user is not None:
        CampaignEdit.objects.create(campaign=campaign, editor=act.actor.user, at=act.now)


def has_only_saved_itself(campaign: Campaign) -> bool:
    """Return whether no person has saved or submitted a draft yet."""
    facts = audit.about(campaign).values_list("facts", flat=True)
    return campaign.status == CampaignStatus.DRAFT and all(BY_ITSELF in each for each in facts)


def slug_of(name: str, *, at: datetime) -> str:
    """Return the slug that a campaign gets from its name, or from when it was begun."""
    return slugify(name)[:80] or f"campaign-{at:%Y%m%d-%H%M%S}"


def free_slug(campaign: Campaign, name: str) -> str:
    """Return the slug of a name that is still being written.

    Raises:
        CampaignRefused: Another campaign has it.
    """
    slug = slug_of(name, at=campaign.created_at)
    if Campaign.objects.filter(slug=slug).exclude(pk=campaign.pk).exists():
        raise refused((ValueProblem("slug", ValueProblemCode.EXISTS),))
    return slug

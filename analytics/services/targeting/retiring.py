"""Lists of offers that a targeting does not make any more: emptied, or left as they are in use."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from analytics.models import TargetingList
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.models import Campaign, ModelAudience
from customers.models import Segment
from customers.services.segments import versions as segments
from loancrm.kernel import clock
from loancrm.kernel.access import Actor

_OVER = (CampaignStatus.COMPLETED, CampaignStatus.CANCELLED, CampaignStatus.IMPORTED)


@dataclass(frozen=True, slots=True)
class RetiredList:
    """A list that a targeting of its short name has left out.

    Attributes:
        size: People in it before.
        used_by: Names of the campaigns and segments for which it stays as it is; of none: its
            people were taken out.
    """

    slug: str
    name: str
    size: int
    used_by: tuple[str, ...]


def left_out(*, targeting: str, places: Collection[tuple[str, str]]) -> list[RetiredList]:
    """Return the lists that a targeting will leave out, and who uses them.

    What was left out before is told again only while there are people in it.

    Args:
        targeting: Its short name.
        places: Offer and channel of each list that it makes.
    """
    rows = TargetingList.objects.filter(targeting=targeting).select_related("segment")
    return [
        RetiredList(
            slug=row.segment.slug,
            name=row.segment.name,
            size=row.segment.last_count or 0,
            used_by=tuple(_users(row.segment)),
        )
        for row in rows.order_by("segment__slug")
        if (row.offer, row.channel) not in places
        and (row.segment.last_count or row.retired_at is None)
    ]


def retire_lists(
    *,
    actor: Actor,
    targeting: str,
    places: Collection[tuple[str, str]],
    source: str,
    now: datetime,
) -> list[RetiredList]:
    """Take the people out of lists that a targeting left out, unless something uses them.

    Either way the list says in its note that it is not followed any more. Frozen audiences are rows
    of their own: nothing that a campaign froze changes. In the caller's transaction.
    """
    found = left_out(targeting=targeting, places=places)
    rows = {
        row.segment.slug: row
        for row in TargetingList.objects.filter(
            segment__slug__in=[one.slug for one in found]
        ).select_related("segment")
    }
    for one in found:
        row = rows[one.slug]
        if not one.used_by:
            segments.replace_members(
                actor=actor, slug=one.slug, name=one.name, customer_ids=(), source=source, now=now
            )
        if row.retired_at is None:
            row.retired_at = now
            row.save(update_fields=["retired_at"])
            _note(actor, row.segment, _with(row.segment.description, _note_text(now)), now=now)
    return found


def revive(*, actor: Actor, row: TargetingList, segment: Segment, now: datetime) -> None:
    """Take the note away again: the list is followed once more."""
    if row.retired_at is None:
        return
    text = _note_text(row.retired_at)
    row.retired_at = None
    row.save(update_fields=["retired_at"])
    _note(actor, segment, segment.description.replace(text, "").strip(), now=now)


def _users(segment: Segment) -> list[str]:
    """Return what would choose other people if the list were emptied, by name.

    Also the lists that were chosen from it: their fairness is held against its people.
    """
    campaigns = Campaign.objects.filter(segment=segment).exclude(
        status__in=[status.value for status in _OVER]
    )
    names = list(campaigns.order_by("name", "pk").values_list("name", flat=True))
    slugs = segments.segments_referring_to(segment.slug)
    referring = Segment.objects.filter(slug__in=slugs).order_by("name", "pk")
    names += referring.values_list("name", flat=True)
    chosen_from_it = ModelAudience.objects.filter(base=segment).order_by("segment__name", "pk")
    names += chosen_from_it.values_list("segment__name", flat=True)
    return list(dict.fromkeys(names))


def _note(actor: Actor, segment: Segment, text: str, *, now: datetime) -> None:
    segments.edit_segment(
        actor=actor, segment=segment, name=segment.name, description=text, now=now
    )


def _with(description: str, told: str) -> str:
    return description if told in description else f"{description}\n{told}".strip()


def _note_text(at: datetime) -> str:
    """Return the note in every language: a description is stored as one text."""
    day = at.astimezone(clock.company_zone()).date().isoformat()
    told = []
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            told.append(
                gettext("Since %(day)s no targeting fills this list: its offer was left out.")
                % {"day": day}
            )
    return " · ".join(told)

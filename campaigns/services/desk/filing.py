"""Put campaigns away under folders and tags, whatever their state: nothing of it is approved."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from campaigns.models import Campaign, CampaignTag
from campaigns.services.campaigns import authoring
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError

LONGEST_FOLDER = 60
LONGEST_TAG = 40
MOST_TAGS = 20


class FilingRefused(LoanCrmError):
    """A folder or tag is too long, or there are too many."""

    code = "filing_refused"


def file_campaign(
    *, campaign: Campaign, folder: str, tags: Sequence[str], actor: Actor, now: datetime
) -> None:
    """Give a campaign this folder and exactly these tags; nothing is written that is so already.

    Args:
        folder: Empty for none.
        tags: Blanks at their ends and repetitions count for nothing.

    Raises:
        PermissionRefused: The actor may not write campaigns.
        FilingRefused: A word is too long, or there are more than 20 tags.
    """
    act = acting(actor, authoring.WRITES, on=campaign, now=now)
    place = folder.strip()
    wanted = list(dict.fromkeys(name for tag in tags if (name := tag.strip())))
    if len(place) > LONGEST_FOLDER or any(len(name) > LONGEST_TAG for name in wanted):
        raise FilingRefused(
            _("A folder has at most %(folder)s characters, a tag %(tag)s.")
            % {"folder": LONGEST_FOLDER, "tag": LONGEST_TAG}
        )
    if len(wanted) > MOST_TAGS:
        raise FilingRefused(_("A campaign has at most %(count)s tags.") % {"count": MOST_TAGS})
    with act:
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        own = CampaignTag.objects.filter(campaign=locked)
        before = set(own.values_list("name", flat=True))
        if before == set(wanted) and locked.folder == place:
            act.unchanged()
            return
        own.exclude(name__in=wanted).delete()
        CampaignTag.objects.bulk_create(
            [CampaignTag(campaign=locked, name=name) for name in wanted if name not in before]
        )
        Campaign.objects.filter(pk=locked.pk).update(folder=place)
        act.record("campaign.filed", on=locked, facts={"folder": place, "tags": wanted})

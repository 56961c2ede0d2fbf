"""Who has said no while a campaign was running, through whatever channel."""

from datetime import datetime

from django.db.models import QuerySet

from campaigns.domain.receipts.stops import StopSource
from campaigns.models import Suppression

# Whoever ticks channels off one by one says which of them may go on.
CHOSEN_ONE_BY_ONE = StopSource.PREFERENCE_CENTRE


def of_people(*, purpose: str, since: datetime) -> QuerySet[Suppression]:
    """Return the stops of people that ended a purpose altogether since a time.

    An answer to one message of a campaign is an answer to the campaign: it counts for its later
    messages through other channels too.
    """
    return Suppression.objects.filter(
        customer__isnull=False,
        purpose__in=["", purpose],
        at__gte=since,
        lifted_at__isnull=True,
    ).exclude(source=CHOSEN_ONE_BY_ONE)

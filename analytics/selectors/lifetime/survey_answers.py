"""What people answered when they were asked how content they are."""

from collections import Counter
from datetime import datetime

from django.db.models import Max, OuterRef, Subquery

from customers.domain.events.event import EventName
from customers.domain.events.survey import SurveyKind
from customers.models import Event


def answers(kind: SurveyKind, *, since: datetime, until: datetime) -> Counter[int]:
    """Return {score: people} by the last answer of each, `until` left out (1 query)."""
    given = Event.objects.filter(
        type__name=EventName.SURVEY_ANSWERED,
        subject=kind.value,
        amount__isnull=False,
        occurred_at__gte=since,
        occurred_at__lt=until,
        customer__merged_into__isnull=True,
    )
    last = given.filter(customer=OuterRef("customer_id")).order_by("-occurred_at", "-pk")
    people = given.values("customer_id").annotate(
        latest=Max("occurred_at"), score=Subquery(last.values("amount")[:1])
    )
    return Counter(int(score) for score in people.values_list("score", flat=True))

"""A search goes on without who is erased or merged while it looks, and says how many they were."""

from datetime import timedelta

import numpy as np
import pytest

from analytics.services import discovery, discovery_clusters
from customers.models import Customer, Event, Score, SegmentMember
from customers.services.segments import versions
from loancrm.kernel.models import AuditEntry
from tests.integration.analytics.services.test_discovery import (
    FEATURES,
    _planted,
    _population,
    _repaid,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]


def _rfm(people, actor, now, on_progress):
    Event.objects.bulk_create(
        _repaid(person, days=number % 300 + 1, amount=100 + number, now=now, key=str(number))
        for number, person in enumerate(people)
    )
    return discovery.discover_rfm(actor=actor, now=now, on_progress=on_progress)


def _clusters(_people, actor, now, on_progress):
    return discovery_clusters.discover_clusters(
        actor=actor, now=now, features=FEATURES, max_clusters=4, on_progress=on_progress
    )


def _lookalike(people, actor, now, on_progress):
    versions.replace_members(
        actor=actor,
        slug="best",
        name="best",
        customer_ids=[person.pk for person in people[:220]],
        source="test",
        now=now - timedelta(days=1),
    )
    return discovery.discover_lookalike(
        actor=actor,
        now=now,
        seed_segment="best",
        features=FEATURES,
        share=1.0,
        on_progress=on_progress,
    )


@pytest.mark.parametrize("search", [_rfm, _clusters, _lookalike])
def test_who_is_erased_or_merged_during_a_search_is_left_out_and_counted(search, actor, now):
    values = _planted(400, seed=1)[0]
    if search is _lookalike:
        values = values[np.argsort(-values[:, 0])]
    people = _population(values, now)
    erased, merged = people[300], people[301]

    def meanwhile(_step):
        Event.objects.filter(customer__in=[erased.pk, merged.pk]).delete()
        Customer.objects.filter(pk=erased.pk).delete()
        Customer.objects.filter(pk=merged.pk).update(merged_into=people[302].pk)

    found = search(people, actor, now, meanwhile)

    assert (found.people, found.skipped) == (398, 2)
    gone = {erased.pk, merged.pk}
    named = set(SegmentMember.objects.filter(left_at=None).values_list("customer_id", flat=True))
    named |= set(Score.objects.values_list("customer_id", flat=True))
    assert named
    assert not named & gone
    entry = AuditEntry.objects.get(action=f"discovery.{found.method}")
    assert entry.facts["skipped"] == 2

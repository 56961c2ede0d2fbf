"""Segments, killed after any commit of their builds and built again, hold whom one run holds."""

from datetime import UTC, datetime, timedelta

import pytest

from customers.models import Customer, Segment, SegmentMember
from customers.services.segments import rounds, versions
from tests.factories.people import make_people
from tests.kills import assert_kills_leave_no_trace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
NOW = datetime(2026, 7, 20, 2, 0, tzinfo=UTC)
WOMEN = {
    "combinator": "and",
    "rules": [{"field": "gender", "operator": "=", "value": "female"}],
}


def test_a7_members_are_the_same_after_a_kill_at_any_commit(actor):
    def build(at):
        rounds.build_round(actor=actor, holder="worker", read_clock=lambda: at)
        rounds.change_round(actor=actor, holder="worker", now=at)

    later = NOW + timedelta(hours=1)

    def prepare():
        people = make_people(6)
        for slug in ("women", "women-again"):
            versions.create_segment(actor=actor, slug=slug, name=slug, rule=WOMEN, now=NOW)
        build(NOW)
        Customer.objects.filter(pk__in=[one.pk for one in people[:2]]).update(
            gender="male", updated_at=later
        )
        make_people(2, prefix="new", created_at=later, updated_at=later)

    assert_kills_leave_no_trace(prepare, lambda: build(later), commits=2)
    assert Segment.objects.count() == 2
    assert SegmentMember.objects.filter(left_at__isnull=True).count() == 12
    assert SegmentMember.objects.filter(left_at=later).count() == 4

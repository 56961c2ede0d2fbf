import pytest

from customers.benchmarks import segments
from customers.models import Event, SegmentBuild, SegmentMember

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def test_the_ten_rules_count_the_same_as_the_sql_written_by_hand():
    report = segments.run_segments(scale=0.001, rounds=1).to_json()
    assert (report["customers"], report["events"]) == (1000, 10_000)
    assert len(report["counts"]) == 10
    # Each rule selects some and not all, else it would compare nothing.
    assert all(
        0 < count < 1000 for name, count in report["counts"].items() if "profile" not in name
    )
    assert set(report["ratios"]) == {f"ratio_{name}" for name in report["counts"]} | {"worst_ratio"}
    assert not report["met"], "only a full run can keep the goals"


def test_the_refresh_benchmark_keeps_ten_segments_and_follows_one_customer():
    report = segments.run_refresh(scale=0.004, rounds=1).to_json()
    assert report["segments"] == SegmentBuild.objects.filter(state="built").count() == 10
    assert SegmentMember.objects.filter(left_at__isnull=False).exists()
    assert Event.objects.filter(dedup_key__startswith="one-").count() == 1
    assert report["one_customer_seconds"] < 5

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from analytics.models import MetricSnapshot
from analytics.services import reports
from campaigns.models import Campaign
from loancrm.kernel.access import Actor, ActorKind, PermissionRefused
from loancrm.kernel.models import AuditEntry


@pytest.fixture
def campaign(db, now):
    return Campaign.objects.create(
        slug="spring",
        name="spring",
        goal_event="application_submitted",
        created_at=now,
        updated_at=now,
    )


@pytest.mark.sql
def test_figures_are_stored_once_for_a_time(campaign, actor, now):
    first = reports.store_report(actor=actor, slug="spring", now=now)
    again = reports.store_report(actor=actor, slug="spring", now=now)
    later = reports.store_report(actor=actor, slug="spring", now=now + timedelta(days=1))

    count = len(first.report.all_figures())
    assert (first.stored, again.stored, later.stored) == (count, 0, count)
    assert MetricSnapshot.objects.count() == 2 * count
    row = MetricSnapshot.objects.get(metric="conversion_rate", as_of=now)
    assert (row.value, row.numerator, row.denominator, row.note) == (None, 0, 0, "no_cases")
    assert (row.window_kind, row.window_length) == ("after_exposure", 7)
    assert AuditEntry.objects.filter(action="report.store").count() == 3


def test_an_unknown_campaign_is_refused(db, actor, now):
    with pytest.raises(reports.CampaignUnknown):
        reports.report_campaign(actor=actor, slug="none", now=now)


def test_the_future_cannot_be_reported(campaign, actor, now):
    with pytest.raises(reports.TimeInFuture):
        reports.report_campaign(
            actor=actor, slug="spring", now=now, as_of=now + timedelta(seconds=1)
        )


def test_without_permission_nothing_is_reported_or_stored(campaign, now):
    stranger = Actor(kind=ActorKind.USER, id="1", label="x")

    with pytest.raises(PermissionRefused):
        reports.store_report(actor=stranger, slug="spring", now=now)

    assert MetricSnapshot.objects.count() == 0


def test_the_command_prints_a_table_and_names_its_errors(campaign, capsys):
    call_command("campaign_report", "spring", "--as-of", "2026-03-04T10:00:00", "--store")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "spring (2026-03-04T10:00:00+08:00)"
    assert any(line.split() == ["conversion_rate", "-", "no_cases"] for line in lines)
    as_of = datetime(2026, 3, 4, 2, tzinfo=UTC)
    assert MetricSnapshot.objects.filter(as_of=as_of).exists()
    with pytest.raises(CommandError, match="campaign_unknown"):
        call_command("campaign_report", "none")
    with pytest.raises(CommandError, match="not an ISO 8601 time"):
        call_command("campaign_report", "spring", "--as-of", "yesterday")

"""A rule over the imported bank-marketing customers against a recount of the raw files."""

import json
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from django.core.management import call_command

from customers.models import Customer, IdentityLink
from customers.services.segments import versions

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
CALLED_TWICE = {
    "event": "call_made",
    "operator": ">=",
    "value": 2,
    "between": ["2026-04-01", "2026-05-31"],
    "where": [{"property": "channel", "operator": "=", "value": "cellular"}],
}
RULE = {
    "combinator": "and",
    "rules": [
        {"field": "age", "operator": "between", "value": "25,50"},
        {"field": "event", "operator": "=", "value": CALLED_TWICE},
        {
            "combinator": "and",
            "not": True,
            "rules": [
                {"field": "event", "operator": "=", "value": {"event": "application_submitted"}}
            ],
        },
        {"field": "consent.sms.marketing", "operator": "granted"},
    ],
}


def test_a_rule_over_profile_events_and_consent_equals_a_recount_in_pandas(shared_data, capsys):
    folder = shared_data / "campaign_bank"
    call_command("import_customers", folder / "customers.csv", "--mapping=campaign_bank", "--json")
    call_command("import_events", folder / "events.csv", "--json")
    assert json.loads(capsys.readouterr().out.splitlines()[0])["rows"] == 4258

    found = set(versions.audience_queryset(RULE, now=NOW).values_list("pk", flat=True))
    assert found == _recounted(folder)
    assert len(found) > 50


def _recounted(folder):
    """Return the same people from the raw events; only who is who comes from the import."""
    people = dict(IdentityLink.objects.values_list("external_id", "customer_id"))
    events = pd.read_csv(folder / "events.csv", dtype=str)
    events["person"] = events["external_id"].map(people)
    at = pd.to_datetime(events["occurred_at"], utc=True).dt.tz_convert("Asia/Shanghai")
    in_spring = (at >= "2026-04-01") & (at < pd.Timestamp("2026-06-01", tz="Asia/Shanghai"))
    calls = events[(events["event"] == "call_made") & (events["channel"] == "cellular") & in_spring]
    called = calls.groupby("person").size()
    applied = set(events.loc[events["event"] == "application_submitted", "person"])
    rows = pd.read_csv(folder / "customers.csv", dtype=str, keep_default_na=False)
    rows["person"] = rows["external_id"].map(people)
    # Several rows of one person can only narrow a consent: every one has to say yes.
    consented = rows.groupby("person")["sms_consent"].agg(set)
    allowed = set(consented[consented.map(lambda said: said == {"Y"})].index)
    today = date(2026, 11, 22)
    grown = {
        customer.pk
        for customer in Customer.objects.filter(birth_date__isnull=False)
        if 25 <= _age(customer.birth_date, today) <= 50
    }
    return (set(called[called >= 2].index) & grown & allowed) - applied


def _age(born, today):
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))

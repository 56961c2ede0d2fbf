"""Spending habits of stored events: computed, kept with their time, shown, used by rules."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics.selectors.spending_facts import spending_facts
from analytics.services import spending
from customers.models import Customer, Event, EventType, Score
from customers.selectors.segments.catalogue import catalogue_for_builder
from customers.services.segments import versions
from loancrm.kernel import clock
from loancrm.kernel.access import PermissionRefused, user_actor
from tests.factories.links import make_linked

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

AS_OF = date(2026, 7, 15)
# Half past midnight of 1 May in Shanghai is still April in UTC.
EDGE = datetime(2026, 4, 30, 16, 30, tzinfo=UTC)


def _told(person, name, at, amount, subject=""):
    kind, _created = EventType.objects.get_or_create(name=name)
    return Event(
        customer=person, type=kind, occurred_at=at, received_at=at, amount=Decimal(str(amount)),
        subject=subject, source="bank", dedup_key=f"{person.pk}-{name}-{at}-{subject}",
    )  # fmt: skip


def _at(month, day):
    return datetime(2026, month, day, 4, tzinfo=UTC)


@pytest.fixture
def people():
    """One who spends on food and rent and is paid on the tenth, one who only pays instalments."""
    found = make_linked(["spender", "payer", "private", "second"])
    log = []
    for month, food in ((4, 100), (5, 200), (6, 300)):
        who = found["spender"]
        log += [
            _told(who, "purchase_made", _at(month, 3), food, "food"),
            _told(who, "account_debited", _at(month, 5), 500, "rent"),
            _told(who, "account_debited", _at(month, 20), 999, "loan_payment"),
            _told(who, "account_credited", _at(month, 10), 8000),
            _told(found["payer"], "account_debited", _at(month, 20), 999, "loan_payment"),
            _told(found["private"], "purchase_made", _at(month, 20), 50, "food"),
        ]
    log.append(_told(found["second"], "purchase_made", EDGE, 70, "餐饮"))
    log.append(_told(found["spender"], "purchase_made", _at(7, 1), 70_000, "car"))
    Event.objects.bulk_create(log)
    Customer.objects.filter(pk=found["private"].pk).update(personalisation_allowed=False)
    return found


def _in_use(person):
    rows = Score.objects.filter(customer=person, is_latest=True).order_by("model_name")
    return {row.model_name: (float(row.value), row.band) for row in rows}


def test_s17_spending_is_stored_with_its_time_and_read_by_rules(people, actor, now):
    found = spending.describe_spending(actor=actor, as_of=AS_OF, now=now)

    assert (found.customer_count, found.categories) == (2, ("food", "rent", "餐饮"))
    # 600 + 700 + 800 in three months; the slope is 100 of 700; 600 and 1500 of 2100.
    assert _in_use(people["spender"]) == {
        "pay_day": (10.0, ""),
        "spending_monthly": (700.0, ""),
        "spending_share_food": (0.2857, ""),
        "spending_share_rent": (0.7143, ""),
        "spending_top": (0.7143, "rent"),
        "spending_trend": (0.1429, ""),
    }
    assert _in_use(people["payer"]) == _in_use(people["private"]) == {}
    # May and June count: what was bought at half past midnight belongs to May.
    assert _in_use(people["second"])["spending_monthly"] == (35.0, "")
    assert set(Score.objects.values_list("scored_at", "version")) == {(now, spending.VERSION)}
    for field, operator, value, names in (
        ("score.spending_monthly", ">", 100, ["spender"]),
        ("score.spending_share_rent", ">=", 0.5, ["spender"]),
        ("score.spending_share_餐饮", "=", 1, ["second"]),
        ("score.pay_day", "between", [8, 12], ["spender"]),
    ):
        rule = {
            "combinator": "and",
            "rules": [{"field": field, "operator": operator, "value": value}],
        }
        chosen = versions.audience_queryset(rule, now=now)
        assert [person.external_id for person in chosen] == names, field


def test_s17_again_adds_nothing_and_a_change_keeps_the_old_figures(people, actor, now):
    spending.describe_spending(actor=actor, as_of=AS_OF, now=now)
    count = Score.objects.count()
    later = now + timedelta(days=31)
    spending.describe_spending(actor=actor, as_of=AS_OF, now=later)
    assert Score.objects.count() == count

    spending.describe_spending(actor=actor, as_of=date(2026, 8, 1), now=later)

    kept = Score.objects.filter(customer=people["spender"], model_name="spending_monthly")
    assert [(float(s.value), s.is_latest) for s in kept.order_by("pk")] == [
        (700.0, False),
        ((2100 + 70_000) / 4, True),
    ]
    Event.objects.filter(customer=people["second"]).delete()
    spending.describe_spending(actor=actor, as_of=AS_OF, now=later)
    assert _in_use(people["second"]) == {}
    assert not Score.objects.filter(model_name="spending_share_餐饮", is_latest=True).exists()


def test_s17_everybody_is_read_in_two_queries(people, actor, now):
    with CaptureQueriesContext(connection) as caught:
        rows = list(spending_facts(until=AS_OF, zone=clock.company_zone()))
    assert [key for key, _spent, _received in rows] == sorted(
        [people["spender"].pk, people["second"].pk]
    )
    assert len(caught) <= 2


def test_s17_the_page_and_the_builder_show_it_in_both_languages(people, actor, now):
    spending.describe_spending(actor=actor, as_of=AS_OF, now=now)
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    address = reverse("admin:customers_customer_change", args=[people["spender"].pk])
    page = client.get(address, headers={"accept-language": "en"}).text
    for text in ("Spending habits", "¥700", "+14.3% a month", "71.4%", "rent", "Day of pay"):
        assert text in page
    page = client.get(address, headers={"accept-language": "zh-hans"}).text
    for text in ("消费习惯", "发薪日", "月均消费"):
        assert text in page
    nobody = reverse("admin:customers_customer_change", args=[people["payer"].pk])
    assert "消费习惯" not in client.get(nobody, headers={"accept-language": "zh-hans"}).text
    for language, label in (("zh", "消费占比：rent"), ("en", "share of spending: rent")):
        assert label in json.dumps(catalogue_for_builder(language=language), ensure_ascii=False)


def test_s17_the_command_tells_what_it_did_and_needs_the_right(people, now):
    out = StringIO()
    call_command("describe_spending", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["version"], set(told)) == (
        "spending-1",
        {"customer_count", "categories", "version"},
    )
    with pytest.raises(PermissionRefused):
        spending.describe_spending(
            actor=user_actor(User.objects.create_user("reader")), as_of=AS_OF, now=now
        )

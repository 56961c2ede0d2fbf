"""Everybody else against the global control group, and what a campaign's report makes of it."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from analytics.selectors import global_control
from campaigns.domain.experiments.global_control import PeriodLength, period_at
from campaigns.models import GlobalControlChoice
from campaigns.selectors.sending import global_control as choices_made
from customers.models import Customer, Loan
from loancrm.kernel import clock
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
TODAY = date(2026, 3, 4)


def _choose(valid_from, share="0.2", number=5):
    return GlobalControlChoice.objects.create(
        share=Decimal(share),
        period_length=PeriodLength.QUARTER,
        valid_from=valid_from,
        salt=UUID(int=number),
        reason="agreed by the board",
        recorded_at=clock.now(),
    )


def _lend(person, day, amount):
    return Loan.objects.create(
        customer=person,
        source="bank",
        external_id=f"{person.pk}-{day}",
        principal_amount=amount,
        term_months=3,
        disbursed_on=day,
    )


def _split(people, period):
    inside = [person for person in people if period.holds([person.pk])]
    return inside, [person for person in people if person not in inside]


def test_d8_both_groups_of_a_period_are_counted_as_on_paper(django_assert_num_queries):
    people = make_people(50)
    _choose(date(2026, 1, 1))
    period = period_at(choices_made.choices(), TODAY)
    inside, outside = _split(people, period)
    _lend(inside[0], date(2026, 1, 1), 100)
    _lend(outside[0], date(2026, 3, 4), 300)
    _lend(outside[0], date(2026, 2, 1), 200)
    _lend(outside[1], date(2026, 2, 1), 50)
    _lend(outside[2], date(2025, 12, 31), 999)
    _lend(outside[3], date(2026, 3, 5), 999)
    # A record in the group makes the person one of it, with all that both records drew.
    Customer.objects.filter(pk=inside[1].pk).update(merged_into=outside[1])
    # Joins too late to be counted.
    Customer.objects.filter(pk=outside[4].pk).update(created_at=clock.now() + timedelta(days=9999))

    with django_assert_num_queries(2):
        (found,) = global_control.load_results(today=TODAY)

    assert (found.contact.borrowers, found.contact.drawn.people) == (1, len(outside) - 2)
    assert (found.contact.drawn.total, found.contact.drawn.total_of_squares) == (500, 250_000)
    assert (found.control.borrowers, found.control.drawn.people) == (2, len(inside))
    assert (found.control.drawn.total, found.control.drawn.total_of_squares) == (150, 12_500)


def test_d8_the_database_assigns_as_the_worker_does():
    people = make_people(200)
    _choose(date(2026, 1, 1), share="0.1")
    inside, outside = _split(people, period_at(choices_made.choices(), TODAY))

    (found,) = global_control.load_results(today=TODAY)

    assert found.control.drawn.people == len(inside)
    assert found.contact.drawn.people == len(outside)


def test_d8_periods_without_a_group_are_not_shown():
    make_people(3)
    _choose(date(2025, 7, 1))
    _choose(date(2025, 10, 1), share="0", number=6)
    _choose(date(2026, 1, 1), number=7)

    found = global_control.load_results(today=TODAY)

    assert [each.period.starts_on for each in found] == [date(2026, 1, 1), date(2025, 7, 1)]


def test_d8_the_page_shows_each_period(admin_client):
    address = reverse("reports:global_control")
    empty = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    assert "No period with a global control group yet" in empty
    assert reverse("admin:campaigns_globalcontrolchoice_add") in empty
    assert address in admin_client.get(reverse("reports:index")).content.decode()

    make_people(20)
    _choose(date(2020, 1, 1))
    text = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    # No more than two years of them.
    assert text.count("data-period=") == global_control.MOST_PERIODS
    assert "Runs still" in text
    chinese = admin_client.get(address, headers={"accept-language": "zh-hans"}).content.decode()
    assert "全局对照组" in chinese


def test_d8_the_page_is_for_those_who_read_reports(client):
    client.force_login(User.objects.create(username="nobody", is_staff=True))
    assert client.get(reverse("reports:global_control")).status_code == 403

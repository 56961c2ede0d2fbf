"""The loan book on one page: how much went bad, by the definition of docs/metrics.md."""

import re
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from customers.models import Loan
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def lend(person, number, status, **columns):
    values = {"principal_amount": 100, "term_months": 3, "source": "bank", "status": status}
    return Loan.objects.create(
        customer=person,
        external_id=f"L{number}",
        disbursed_on=date(2026, 1, 1),
        **{**values, **columns},
    )


def test_the_book_is_shown_with_its_default_rates(admin_client, django_assert_max_num_queries):
    (person,) = make_people(1)
    for number, status in enumerate(("active", "settled", "charged_off", "cancelled")):
        lend(person, number, status, outstanding_amount=10)
    address = reverse("reports:loan_book")
    assert address in admin_client.get(reverse("reports:index")).content.decode()
    with django_assert_max_num_queries(12):
        page = admin_client.get(address, headers={"accept-language": "en"})
    text = page.content.decode()
    assert page.context["book"].loan_count == 3
    rates = [tile.value for tile in page.context["tiles"]]
    assert rates == ["33.33%", "50.00%"]
    assert "¥30.00" in text
    assert "charged_off" not in text
    # In words that are there without a pointer over them.
    shown = re.sub(r'title="[^"]*"', "", text)
    for words in (
        "1 of 3 loans · Loans ever in default, of all loans that were paid out.",
        "1 of 2 loans · Loans ever in default, of those that are settled or charged off.",
        "ever 90 days past due or was charged off",
        "Paid back in full, or closed by the source.",
        "What borrowers still owe of all these loans together.",
    ):
        assert words in shown


def test_only_who_reads_reports_sees_it():
    client = Client()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(reverse("reports:loan_book")).status_code in (403, 404)

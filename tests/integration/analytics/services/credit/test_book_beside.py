"""The loan book derived twice at the same moment: every loan is in it once."""

import threading
from datetime import date

import pytest
from django.db import connection, transaction

from analytics.models import LoanHistory, LoanMonthEnd
from analytics.services.credit import loan_book
from loancrm.kernel.access import system_actor
from tests.factories.people import make_people
from tests.integration.analytics.services.warning.scene import lend

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]


def derive(now):
    return loan_book.derive_loan_book(actor=system_actor("test"), as_of=date(2026, 4, 30), now=now)


def test_the_daily_job_and_a_person_derive_it_beside_each_other(now):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    for person in make_people(3):
        lend(person)
    expected = derive(now)
    found = []

    def beside():
        try:
            found.append(derive(now))
        except Exception as error:  # noqa: BLE001 - whatever it is
            found.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        derive(now)
        worker = threading.Thread(target=beside)
        worker.start()
        worker.join(1.0)
    worker.join(10)
    assert found == [expected]
    assert LoanHistory.objects.count() == expected.loan_count == 3
    assert LoanMonthEnd.objects.count() == expected.month_count

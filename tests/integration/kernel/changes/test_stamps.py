"""The database stamps what is written, and a stamp that went missing is found and put back."""

import pytest
from django.db import connection

from customers.models import BureauPull, Customer, Inquiry, Loan, Repayment, Score, Tradeline
from loancrm.kernel.changes import stamps
from loancrm.kernel.running import readiness
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

_DROP = {
    "postgresql": "DROP TRIGGER loancrm_change_stamp ON customers_loan",
    "sqlite": "DROP TRIGGER loancrm_change_stamp_update_customers_loan",
}
_WEAKEN = {
    "postgresql": "ALTER TABLE customers_loan DISABLE TRIGGER loancrm_change_stamp",
    "sqlite": (
        "CREATE TRIGGER loancrm_change_stamp_update_customers_loan"
        " AFTER UPDATE OF status ON customers_loan BEGIN SELECT 1; END"
    ),
}


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_every_writing_moves_the_stamp_on():
    (person,) = make_people(1)
    rows = Customer.objects.filter(pk=person.pk)
    seen = [rows.get().changed_at]
    for city in "abcde":
        rows.update(city=city)
        seen.append(rows.get().changed_at)
    Customer.objects.bulk_update([rows.get()], ["city"])
    seen.append(rows.get().changed_at)
    assert None not in seen
    assert seen == sorted(set(seen))


def test_missing_and_weakened_stamps_are_found_and_put_back(now):
    assert stamps.missing() == []
    execute(_DROP[connection.vendor])
    assert stamps.missing() == [Loan]
    assert [finding.code for finding in readiness.database_findings()] == ["changes_not_stamped"]
    stamps.install()
    if connection.vendor == "sqlite":
        execute(_DROP["sqlite"])
    execute(_WEAKEN[connection.vendor])
    assert stamps.missing() == [Loan]
    stamps.install()
    assert stamps.missing() == []
    assert readiness.database_findings() == []


def test_tables_whose_rows_are_written_again_are_stamped():
    assert set(stamps._models()) == {
        *(BureauPull, Customer, Inquiry, Loan, Repayment, Score, Tradeline)
    }

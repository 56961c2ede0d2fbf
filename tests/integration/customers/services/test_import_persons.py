"""Age and sex: what the identity number says is what counts, and a contradiction is counted."""

from datetime import date

import pytest

from customers.models import Customer, ImportBatch
from customers.selectors.profile.person import age_years
from tests.integration.customers.import_rows import NOW, card, loader, person

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def test_s16_age_from_the_identity_number_equals_that_from_the_birth_date(tmp_path):
    number = card(7)
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    loader(tmp_path)(
        [
            person(1, card=number, born=""),
            person(2, born=born.isoformat()),
            person(3, card=card(8), born=f"{card(8)[6:10]}-01-01"),
        ]
    )

    by_number, by_date, by_both = Customer.objects.order_by("external_id")
    today = NOW.date()
    assert by_number.birth_date == by_date.birth_date == born
    assert age_years(by_number.birth_date, today) == age_years(by_date.birth_date, today)
    assert age_years(born, today) == today.year - born.year - (
        (today.month, today.day) < (born.month, born.day)
    )
    assert by_both.birth_date.isoformat() == f"{card(8)[6:10]}-01-01"
    assert ImportBatch.objects.get().by_reason == {}


def test_s16_a_contradiction_is_a_quality_issue_and_the_number_counts(tmp_path):
    number = card(7)

    report = loader(tmp_path)([person(1, card=number, born="1999-09-09"), person(2)])

    assert report.by_reason == {"birth_conflict": 1}
    first = Customer.objects.order_by("external_id").first()
    assert first.birth_date.isoformat() == f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    quality = ImportBatch.objects.get().quality["consistency"]
    assert (quality["numerator"], quality["denominator"]) == (1, 2)

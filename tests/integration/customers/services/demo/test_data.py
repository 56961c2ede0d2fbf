from datetime import date

import pytest

from customers.domain.demo.population import generate
from customers.models import (
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    Event,
    Instalment,
    Loan,
    Repayment,
    Score,
)
from customers.services.demo import data
from loancrm.kernel.access import PermissionRefused
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
TODAY = date(2026, 3, 3)


def test_every_row_of_the_stories_arrives(actor, now):
    stories = list(generate(count=120, seed=7, today=TODAY))

    counts = data.write_population(actor=actor, stories=stories, now=now)

    loans = [loan for story in stories for loan in story.history.loans]
    assert counts.customers == Customer.objects.count() == 120
    assert counts.events == Event.objects.count() == sum(len(s.events) for s in stories)
    assert counts.loans == Loan.objects.count() == len(loans)
    assert counts.instalments == Instalment.objects.count()
    assert counts.instalments == sum(len(loan.schedule) for loan in loans)
    assert counts.repayments == Repayment.objects.count()
    assert counts.consents == ConsentRecord.objects.count()
    assert counts.scores == Score.objects.count()
    assert ConsentState.objects.count() < ConsentRecord.objects.count()


def test_personal_data_is_sealed_and_found_by_its_index(actor, now):
    story = next(s for s in generate(count=20, seed=7, today=TODAY) if s.person.email)
    data.write_population(actor=actor, stories=generate(count=20, seed=7, today=TODAY), now=now)

    vault, column = crypto.vault(), ContactPoint.VALUE_COLUMN
    point = ContactPoint.objects.get(value_index=vault.blind_index(column, story.person.email))

    assert point.customer.public_id == story.person.public_id
    assert vault.open(column, point.row_key, point.value_sealed) == story.person.email
    assert story.person.email.encode() not in bytes(point.value_sealed)


def test_a_second_run_is_refused_and_writes_nothing(actor, now):
    data.write_population(actor=actor, stories=generate(count=3, seed=7, today=TODAY), now=now)

    with pytest.raises(data.DemoDataPresent):
        data.write_population(actor=actor, stories=generate(count=3, seed=8, today=TODAY), now=now)

    assert Customer.objects.count() == 3
    assert AuditEntry.objects.filter(action="customers.demo_generated").count() == 1


def test_nobody_generates_without_permission(now):
    with pytest.raises(PermissionRefused):
        data.write_population(actor=None, stories=generate(count=3, seed=7, today=TODAY), now=now)

    assert not Customer.objects.exists()

"""Which rows each purpose learns from, looked at from when, and what came of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from analytics.domain.modelling.life.choices import ModelPurpose, TrainingChoices
from analytics.domain.modelling.life.observations import Exclusion
from analytics.selectors.modelling import features, targets
from analytics.services.credit import loan_book
from campaigns.models import Dispatch, Message
from customers.models import Application, Customer, Event, EventType
from loancrm.kernel.access import system_actor
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.loans import make_loan, on
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
ACTOR = system_actor("test")


def found(purpose, **choices):
    seen = targets.load_observations(TrainingChoices(purpose, **choices), as_of=NOW)
    rows = zip(
        seen.customer_ids.tolist(), map(features.moment_of, seen.times.tolist()),
        seen.outcome.tolist(), strict=True,
    )  # fmt: skip
    return list(rows), dict(seen.excluded)


def test_s37_default_is_good_bad_or_neither_from_the_application_on():
    good, bad, between, young, refusing = make_people(5)
    Customer.objects.filter(pk=refusing.pk).update(personalisation_allowed=False)
    booked = on("2025-01-10")
    every = [(booked + timedelta(days=30 * n), 200) for n in range(1, 7)]
    asked = Application.objects.create(
        source="t", external_id="1", customer=good, submitted_at=datetime(2025, 1, 8, tzinfo=UTC)
    )
    make_loan(good, "good", booked, amount=1200, months=6, paid=every, application=asked)
    make_loan(bad, "bad", booked, amount=1200, months=6)
    # The second instalment, due on 10 March, came on 20 April: 41 days late; then all was paid.
    late = [(on("2025-02-10"), 200), (on("2025-04-20"), 1000)]
    make_loan(between, "between", booked, amount=1200, months=6, paid=late)
    make_loan(young, "young", on("2025-12-20"), amount=1200, months=6)
    make_loan(refusing, "refusing", booked, amount=1200, months=6)
    loan_book.derive_loan_book(actor=ACTOR, as_of=NOW.date(), now=NOW)

    rows, excluded = found(ModelPurpose.DEFAULT_RISK, months=6)
    start = datetime(2025, 1, 9, 16, tzinfo=UTC)
    assert rows == [(good.pk, asked.submitted_at, 0.0), (bad.pk, start, 1.0)]
    assert excluded == {
        Exclusion.IMMATURE: 1,
        Exclusion.INDETERMINATE: 1,
        Exclusion.NO_PERSONALISATION: 1,
    }


def test_a_book_derived_long_ago_says_nothing_of_the_months_since():
    (one,) = make_people(1)
    make_loan(one, "l", on("2025-01-10"), amount=1200, months=6)
    loan_book.derive_loan_book(actor=ACTOR, as_of=on("2025-03-01"), now=NOW)
    assert found(ModelPurpose.DEFAULT_RISK, months=6) == ([], {Exclusion.IMMATURE: 1})


def test_s22_a_response_is_the_goal_within_the_window_after_the_message():
    people = make_people(4)
    make_channel()
    make_launched(ACTOR, NOW)
    sent_at = NOW - timedelta(days=20)
    Message.objects.update(state="sent", sent_at=sent_at)
    kind = EventType.objects.get_or_create(name="application_submitted")[0]
    for person, days in ((people[0], 6), (people[1], 8), (people[2], -1)):
        Event.objects.create(
            customer=person, type=kind, occurred_at=sent_at + timedelta(days=days),
            received_at=NOW, source="t", dedup_key=str(person.pk),
        )  # fmt: skip
    rows, excluded = found(ModelPurpose.RESPONSE)
    assert [(key, outcome) for key, _at, outcome in rows] == [
        (people[0].pk, 1.0), (people[1].pk, 0.0), (people[2].pk, 0.0), (people[3].pk, 0.0),
    ]  # fmt: skip
    assert {moment for _key, moment, _outcome in rows} == {sent_at}
    assert excluded == {}
    Message.objects.update(sent_at=NOW - timedelta(days=6))
    assert found(ModelPurpose.RESPONSE) == ([], {Exclusion.IMMATURE: 4})
    assert found(ModelPurpose.RESPONSE, campaign="another") == ([], {})
    assert Dispatch.objects.get().goal_window_days == 7


def test_s52_churn_is_a_loan_paid_off_long_before_its_plan_ends():
    early, staying, ending = make_people(3)
    make_loan(early, "e", on("2025-06-01"), months=24, settled_on=on("2025-12-01"))
    make_loan(staying, "s", on("2025-06-01"), months=24)
    make_loan(ending, "x", on("2025-06-01"), months=6)
    rows, excluded = found(ModelPurpose.CHURN, window_days=60)
    by_person = {}
    for key, _moment, outcome in rows:
        by_person.setdefault(key, []).append(outcome)
    # Looked at 240, 180, 120 and 60 days ago; it was paid off between the third and the last.
    assert by_person[early.pk] == [0.0, 0.0, 1.0]
    assert by_person[staying.pk] == [0.0, 0.0, 0.0, 0.0]
    assert excluded[Exclusion.OVER_BEFORE] >= 1
    assert targets.people_to_score(ModelPurpose.CHURN, as_of=NOW) == [staying.pk, ending.pk]


def test_s50_need_is_an_application_within_the_window_of_who_was_known_by_then():
    known, late = make_people(2)
    Customer.objects.filter(pk=late.pk).update(created_at=NOW - timedelta(days=100))
    Application.objects.create(
        source="t", external_id="1", customer=known, amount=Decimal(1),
        submitted_at=NOW - timedelta(days=30),
    )  # fmt: skip
    rows, _excluded = found(ModelPurpose.NEED, window_days=90)
    assert [(key, outcome) for key, _at, outcome in rows] == [
        (known.pk, 0.0), (known.pk, 0.0), (known.pk, 0.0), (known.pk, 1.0), (late.pk, 0.0),
    ]  # fmt: skip


def test_of_too_many_rows_the_same_are_drawn(monkeypatch):
    make_people(40)
    monkeypatch.setattr(targets, "MOST_ROWS", 25)
    rows, excluded = found(ModelPurpose.NEED, window_days=90, seed=3)
    assert (len(rows), excluded[Exclusion.SAMPLED_OUT]) == (25, 135)
    assert found(ModelPurpose.NEED, window_days=90, seed=3)[0] == rows
    assert found(ModelPurpose.NEED, window_days=90, seed=4)[0] != rows

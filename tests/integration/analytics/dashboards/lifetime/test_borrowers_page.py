"""The page of churn, repeat loans and satisfaction: figures with intervals, and empty states."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from analytics.dashboards.credit.book_charts import UNKNOWN
from customers.models import Event, EventType, Loan
from customers.services import scores
from customers.services.scores import GivenScore
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def show(client, language="en"):
    page = client.get(reverse("reports:borrowers"), headers={"accept-language": language})
    assert page.status_code == 200
    return page


@pytest.mark.parametrize(
    ("language", "borrowers", "answers"),
    [
        ("en", "Nobody has been a borrower for long enough yet", "No answer of the last 90 days"),
        ("zh-hans", "尚无足够久的借款人", "最近 90 天没有调查回答"),
    ],
)
def test_nothing_on_record_is_said_and_is_no_rate_of_zero(
    admin_client, language, borrowers, answers
):
    text = show(admin_client, language).content.decode()
    assert borrowers in text
    assert answers in text
    assert "0.00%" not in text


def test_rates_scores_and_intervals_are_shown(admin_client):
    today, now = clock.today(), clock.now()
    people = make_people(4)
    for number, person in enumerate(people):
        Loan.objects.create(
            customer=person,
            source="bank",
            external_id=f"L{number}",
            principal_amount=1000,
            term_months=12,
            disbursed_on=today - timedelta(days=700),
            settled_on=today - timedelta(days=300) if number == 0 else None,
        )
    kind, _new = EventType.objects.get_or_create(name="survey_answered")
    for number, person in enumerate(people):
        for subject, score in (("nps", (10, 9, 8, 3)), ("csat", (5, 4, 3, 1))):
            Event.objects.create(
                customer=person,
                type=kind,
                subject=subject,
                amount=score[number],
                occurred_at=now - timedelta(days=1),
                received_at=now,
                source="survey",
                dedup_key=f"{subject}-{number}",
            )

    page = show(admin_client)

    churn = page.context["tiles"][0]
    assert churn.value == "25.00%"
    assert churn.basis.startswith("1 of 4")
    # Wilson's interval of 1 of 4.
    assert churn.note == "95% interval 4.56% to 69.94%"
    csat, nps = page.context["survey_tiles"]
    assert (csat.value, csat.note) == ("50.00%", "95% interval 15.00% to 85.00%")
    # 100 · (2 − 1) ÷ 4 with three answers added: (2.75 − 1.75) ÷ 7 ± 1.96 · √(.6224 ÷ 7).
    assert (nps.value, nps.note) == ("+25.0", "95% interval -44.2 to +72.7")
    text = page.content.decode()
    for words in ("Churned", "Promoters (9 and 10)", "Repeat loans", "Settled early"):
        assert words in text


@pytest.mark.parametrize(
    ("language", "title"), [("en", "How long borrowers stay"), ("zh-hans", "借款人留存多久")]
)
def test_s53_the_years_of_borrowers_and_what_they_will_bring(admin_client, now, language, title):
    today = clock.today()
    assert title not in show(admin_client, language).content.decode()
    people = make_people(60)
    for number, person in enumerate(people):
        ended = number < 30
        Loan.objects.create(
            customer=person,
            source="bank",
            external_id=f"L{number}",
            principal_amount=1000,
            term_months=12,
            disbursed_on=today - timedelta(days=1000),
            settled_on=today - timedelta(days=1000 - 25 * (number + 1)) if ended else None,
        )
    (first, *_rest) = show(admin_client, language).context["years"]
    assert first[1] == "60"
    assert first[-1] == UNKNOWN
    scores.record_scores(
        actor=system_actor("test"),
        model_name="clv_so_far",
        version="1",
        scores=[GivenScore(person.pk, Decimal(100)) for person in people],
        now=now,
    )
    page = show(admin_client, language)
    assert title in page.content.decode()
    assert all(year[-1].startswith("¥") for year in page.context["years"])


def test_who_may_not_read_reports_sees_nothing(client, django_user_model):
    user = django_user_model.objects.create_user("nobody", is_staff=True)
    client.force_login(user)
    assert client.get(reverse("reports:borrowers")).status_code == 403

"""The page of the cut-off: the declined beside the accepted, and the swap set of another rule."""

from datetime import timedelta

import pytest
from django.urls import reverse
from scipy.stats import binomtest

from analytics.domain.credit.reviewing import PolicyState
from analytics.models import PolicyVersion
from customers.models import Application, Customer, Loan
from loancrm.kernel import clock
from tests.factories.loans import make_loan
from tests.factories.people import make_people
from tests.factories.scored import give_scores

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def show(client, language="en", **query):
    page = client.get(reverse("reports:acceptance"), query, headers={"accept-language": language})
    assert page.status_code == 200
    return page


@pytest.fixture
def policy():
    return PolicyVersion.objects.create(
        number=1,
        content={"score_model": "pd", "cut_off": "0.10"},
        digest="-",
        state=PolicyState.ACTIVE,
        proposed_at=clock.now(),
    )


@pytest.fixture
def applicants(policy):
    """Eight accepted up to 8 %, two of them bad; four declined, the third by personal refusal."""
    now, today = clock.now(), clock.today()
    then = now - timedelta(days=500)
    people = make_people(12)
    give_scores(people, "pd", lambda at: 0.01 * (at + 1) if at < 8 else 0.2, then)
    give_scores(people, "shadow", lambda at: 0.02 if at != 7 else 0.3, then)
    # Who has defaulted is known to every score of today.
    give_scores(people, "pd", lambda at: 0.9 if at in {3, 7} else 0.0, now)
    give_scores(people, "late", lambda _at: 0.01, now)
    for at, person in enumerate(people):
        application = Application.objects.create(
            customer=person,
            source="bank",
            external_id=f"A{at}",
            amount=1000,
            status="approved" if at < 8 else "declined",
            submitted_at=then + timedelta(days=1),
            decided_at=then + timedelta(days=2),
        )
        if at < 8:
            loan = make_loan(
                person, f"L{at}", today - timedelta(days=490), amount=1000, rate="0.12",
                max_dpd_days=120 if at in {3, 7} else 0,
            )  # fmt: skip
            Loan.objects.filter(pk=loan.pk).update(application=application)
    Customer.objects.filter(pk=people[11].pk).update(personalisation_allowed=False)
    return people


@pytest.mark.parametrize(
    ("language", "without_policy", "without_scores"),
    [
        ("en", "No credit policy is in force", "No decided application was known"),
        ("zh-hans", "没有生效的信贷政策", "没有已决定的申请"),
    ],
)
def test_what_is_missing_is_said(admin_client, language, without_policy, without_scores, request):
    assert without_policy in show(admin_client, language).content.decode()
    request.getfixturevalue("policy")
    assert without_scores in show(admin_client, language).content.decode()


def test_the_declined_stand_beside_the_headline_by_the_scores_of_that_day(
    admin_client, applicants, django_assert_max_num_queries
):
    with django_assert_max_num_queries(25):
        page = show(admin_client)
    found = page.context["sensitivity"]
    assert (found["accepted"], found["declined"], found["young"]) == (8, 3, 0)
    assert found["acceptance_rate"] == "72.73%"
    headline, *others = found["rows"]
    assert (headline["is_headline"], headline["rate"]) == (True, "25.00%")
    # Bad are the 4th and the 8th of eight: 3 + 6 of 12 pairs. Scores of today would give 1.
    assert headline["auc"] == "0.7500"
    assert [row["is_headline"] for row in others] == [False] * 5
    assert "A sensitivity" in page.content.decode()


def test_the_swap_set_tells_who_comes_in_and_goes_out_and_what_it_is_worth(
    admin_client, applicants
):
    page = show(admin_client, model="shadow", cut_off="10")
    lines = {str(line["term"].label): line for line in page.context["swap"]["lines"]}
    counts = {name: line["count"] for name, line in lines.items()}
    assert counts == {
        "Accepted before and after": 7,
        "Comes in": 3,
        "Goes out": 1,
        "Declined before and after": 0,
    }
    assert lines["Goes out"]["known"] == "1 / 1"
    # 0.3 × 0.65 × 1000 of who goes out, 3 × 0.02 × 0.65 × 1000 of who comes in.
    assert (lines["Goes out"]["loss"], lines["Comes in"]["loss"]) == ("¥195", "¥39")
    assert page.context["swap"]["loss_change"] == "¥-156"
    assert "Built-in assumption" in page.content.decode()


def test_a_score_that_came_after_the_decision_judges_nobody(admin_client, applicants):
    page = show(admin_client, model="late")
    assert page.context["swap"] is None
    assert "No application had this score" in page.content.decode()


def test_a_lower_cut_off_of_the_score_in_use_keeps_people_out(admin_client, applicants):
    lines = show(admin_client, cut_off="5").context["swap"]["lines"]
    assert [line["count"] for line in lines] == [5, 0, 3, 3]
    for wrong in ("abc", "-3", "nan", "250"):
        assert show(admin_client, cut_off=wrong).context["cut_off"] == "10"


def test_bands_of_the_score_in_use_rise_in_both_halves_and_wait_for_enough_loans(
    admin_client, applicants
):
    assert show(admin_client).context["bands"] == []
    then = clock.now() - timedelta(days=500)
    people = make_people(400, prefix="b")
    # Twenty in a hundred of the risky half default, two of the other.
    give_scores(people, "pd", lambda at: 0.02 if at % 2 else 0.2, then)
    applications = Application.objects.bulk_create(
        Application(
            customer=person, source="bank", external_id=f"B{at}", amount=1000, status="approved",
            submitted_at=then + timedelta(minutes=at), decided_at=then + timedelta(minutes=at),
        )
        for at, person in enumerate(people)
    )  # fmt: skip
    Loan.objects.bulk_create(
        Loan(
            customer=person, source="bank", external_id=f"B{at}", principal_amount=1000,
            term_months=12, disbursed_on=clock.today() - timedelta(days=490),
            application=applications[at],
            max_dpd_days=120 if at % 100 in range(0, 20, 2) or at % 100 == 51 else 0,
        )
        for at, person in enumerate(people)
    )  # fmt: skip

    bands = show(admin_client).context["bands"]

    assert [band["name"] for band in bands] == ["A", "B"]
    assert sum(band["count"] + band["later_count"] for band in bands) == 408
    rates = [float(band["later_rate"].partition("%")[0]) for band in bands]
    assert rates == pytest.approx([2, 20], abs=2)
    ends = [
        binomtest(round(rate * band["later_count"] / 100), band["later_count"]).proportion_ci(
            method="wilson"
        )
        for rate, band in zip(rates, bands, strict=True)
    ]
    for end, band in zip(ends, bands, strict=True):
        assert f"{end.low:.2%}" in band["later_rate"]
        assert f"{end.high:.2%}" in band["later_rate"]

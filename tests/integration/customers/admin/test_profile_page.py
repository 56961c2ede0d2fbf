from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.domain.events.event import ReportedEvent
from customers.domain.fields.bands import age_band
from customers.models import (
    Application,
    AttributeDefinition,
    AttributeValue,
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    Event,
    EventType,
    IdentityLink,
    Loan,
    Product,
    Repayment,
)
from customers.selectors.profile import history
from customers.selectors.profile import person as profile_person
from customers.services import scores
from customers.services.events import log
from customers.services.scores import GivenScore
from loancrm.kernel import clock
from loancrm.kernel.security import crypto
from tests.factories.people import make_people
from tests.factories.sources import make_source

pytestmark = pytest.mark.django_db


def _reader():
    user = User.objects.create_user("reader", is_staff=True, is_superuser=True)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _page(person):
    return reverse("admin:customers_customer_change", args=[person.pk])


def _told(person, name, at):
    return ReportedEvent(
        source="bank",
        external_id="",
        name=name,
        occurred_at=at,
        dedup_key=f"{name}{at}",
        customer_id=person.pk,
    )


@pytest.fixture
def borrower(actor):
    person = make_people(1)[0]
    now = clock.now()
    told = [
        _told(person, "application_submitted", now - timedelta(days=300)),
        _told(person, "loan_disbursed", now - timedelta(days=290)),
        _told(person, "loan_settled", now - timedelta(days=20)),
    ]
    log.append_events(events=told, now=now)
    for days, version, value in ((40, "rfm-old", 444), (1, "rfm-new", 555)):
        scores.record_scores(
            actor=actor,
            model_name="rfm",
            version=version,
            scores=[GivenScore(person.pk, Decimal(value), "important-value")],
            now=now - timedelta(days=days),
        )
    return person


def test_b5_the_page_shows_the_stage_history_and_score_versions_with_dates(borrower):
    answer = _reader().get(_page(borrower))

    assert [label for label, _stay in answer.context["stays"]] == [
        "Repaid",
        "Active",
        "Applicant",
        "Lead",
    ]
    page = answer.content.decode()
    assert "rfm-old" in page
    assert "rfm-new" in page
    assert "Important, valued" in page
    assert f"{clock.today() - timedelta(days=40):%Y-%m-%d}" in page
    assert [chart.is_empty for chart in answer.context["charts"]] == [False, True]


def _describe(person, now):
    """Give a person one of everything that the page shows."""
    definition = AttributeDefinition.objects.create(
        name="monthly_income", value_type="number", label_en="Monthly income", unit="CNY"
    )
    AttributeValue.objects.create(
        customer=person, definition=definition, number=9_500, source="survey", updated_at=now
    )
    product = Product.objects.create(code="cash-12", name_zh="现金贷")
    Application.objects.create(
        source="core", external_id="A1", customer=person, product=product, submitted_at=now
    )
    ConsentRecord.objects.create(
        customer=person, channel="sms", purpose="marketing", is_granted=True, source="app-form",
        policy_version="2026-01", at=now, recorded_at=now,
    )  # fmt: skip
    ContactPoint.objects.filter(customer=person).update(source="branch")
    IdentityLink.objects.create(source="core", external_id="C77", customer=person, created_at=now)
    Customer.objects.filter(pk=person.pk).update(source="partner-file", city="杭州")


def test_s12_every_value_shows_its_source_and_day_and_personal_data_is_masked(borrower):
    now = clock.now()
    _describe(borrower, now)
    page = _reader().get(_page(borrower))
    facts = {fact.name: fact for fact in page.context["profile"].facts}
    content = page.content.decode()

    assert {fact.source for fact in facts.values()} == {"partner-file", "survey"}
    assert facts["Full name"].value == "客**"
    years = profile_person.age_years(borrower.birth_date, clock.today())
    assert facts["Age"].note == f"band {age_band(years)}"
    assert facts["Income"].note == "derived from the amount"
    assert facts["Income"].value == "¥8,000–15,000 a month"
    for text in ("app-form", "2026-01", "branch", "core", "C77", "survey"):
        assert text in content
    for whole in ("客户1", "p1@example.com"):
        assert whole not in content


def test_s18_preferred_products_are_on_the_page(borrower):
    now = clock.now()
    _describe(borrower, now)
    kind = EventType.objects.create(name="page_viewed")
    for number, subject in enumerate(("cash-12", "no-product")):
        Event.objects.create(
            customer=borrower, type=kind, occurred_at=now, received_at=now, subject=subject,
            source="web", dedup_key=f"view-{number}",
        )  # fmt: skip

    (found,) = _reader().get(_page(borrower)).context["profile"].preferences

    assert (found.product, found.share) == (str(Product.objects.get(code="cash-12")), 1.0)
    assert found.score == pytest.approx(4.0, abs=0.01)


@pytest.mark.sql
def test_b1_the_page_takes_at_most_fifteen_queries(borrower):
    client = _reader()
    _describe(borrower, clock.now())
    Loan.objects.create(
        source="bank",
        external_id="L1",
        customer=borrower,
        principal_amount=1000,
        term_months=12,
        disbursed_on=clock.today() - timedelta(days=100),
    )
    client.get(_page(borrower))

    with CaptureQueriesContext(connection) as caught:
        client.get(_page(borrower))

    # The session, the reader and the look whether sending waits are counted too. What the bell and
    # the badges of approvals and filings count stands in the head of every page: one query each.
    heads = ('FROM "campaigns_notice"', 'FROM "campaigns_filing"', 'FROM "campaigns_approval"')
    frame = [q for q in caught if any(head in q["sql"] for head in heads)]
    assert len(frame) <= 3
    assert len(caught) - len(frame) <= 15, [q["sql"][:120] for q in caught]


@pytest.mark.sql
def test_b1_one_page_shows_everything_about_a_person_and_masks_who_it_is(borrower):
    now = clock.now()
    _describe(borrower, now)
    loan = Loan.objects.create(
        source="bank",
        external_id="L-77",
        customer=borrower,
        product=Product.objects.get(),
        principal_amount=43_210,
        outstanding_amount=12_345,
        term_months=12,
        disbursed_on=clock.today() - timedelta(days=100),
    )
    ConsentState.objects.get_or_create(
        customer=borrower, channel="sms", purpose="marketing",
        defaults={"is_granted": True, "changed_at": now},
    )  # fmt: skip
    client = _reader()
    answer = client.get(_page(borrower))
    shown, page = answer.context["profile"], answer.content.decode()

    assert [fact.name for fact in shown.attributes] == ["Monthly income"]
    assert [row.state.channel for row in shown.consents if row.source == "app-form"] == ["sms"]
    assert [row.external_id for row in shown.applications] == ["A1"]
    assert [facts.loan.pk for facts in shown.loans] == [loan.pk]
    assert [(s.model_name, s.version) for s in shown.scores] == [("rfm", "rfm-new")]
    for text in ("Monthly income", "9500", "cash-12", "43,210", "12,345", "app-form", "rfm-new"):
        assert text in page
    # The part with the messages is loaded by the page itself.
    messages = client.get(answer.context["messages_url"])
    assert messages.status_code == 200
    vault = crypto.vault()
    secrets = [
        vault.open(ContactPoint.VALUE_COLUMN, point.row_key, point.value_sealed)
        for point in borrower.contact_points.all()
    ] + [vault.open(Customer.NAME_COLUMN, borrower.public_id, borrower.name_sealed)]
    assert len(secrets) >= 2
    assert not [secret for secret in secrets if secret in page + messages.text]


def entries_of(page):
    return [shown["entry"] for shown in page.context["entries"]]


def test_b2_the_timeline_is_filtered_and_paged_by_event(borrower):
    kind = EventType.objects.create(name="page_viewed")
    now = clock.now()
    Event.objects.bulk_create(
        Event(
            customer=borrower,
            type=kind,
            occurred_at=now - timedelta(minutes=n),
            received_at=now,
            source="web",
            dedup_key=str(n),
        )
        for n in range(10_000)
    )
    client = _reader()
    url = reverse("admin:customers_customer_timeline", args=[borrower.pk])

    first = client.get(url, {"event": "page_viewed"})
    older = client.get(first.context["older_url"])
    stages = client.get(url, {"event": "stage_entered"})

    times = [row.at for part in (first, older) for row in entries_of(part)]
    assert times == [now - timedelta(minutes=n) for n in range(60)]
    assert [(row.title, row.subject) for row in entries_of(stages)] == [
        ("Lifecycle stage entered", "Repaid"),
        ("Lifecycle stage entered", "Active"),
        ("Lifecycle stage entered", "Applicant"),
    ]
    assert "older_url" not in stages.context
    assert client.get(url, {"event": "nothing_such"}).context["entries"] == []
    assert client.get(url, {"kind": "nonsense"}).status_code == 400
    assert client.get(url, {"after": "nonsense"}).status_code == 400


def test_the_balance_falls_with_every_payment_and_ends_with_the_loan():
    person = make_people(1)[0]
    loan = Loan.objects.create(
        source="bank",
        external_id="L1",
        customer=person,
        principal_amount=1000,
        term_months=12,
        disbursed_on=date(2025, 10, 10),
        settled_on=date(2026, 2, 3),
    )
    for number, (day, amount) in enumerate(((date(2025, 11, 5), 300), (date(2026, 1, 31), 200))):
        Repayment.objects.create(
            source="bank", external_id=str(number), loan=loan, paid_on=day, amount=amount
        )

    found = history.months(
        history.activity(person, zone=clock.company_zone()),
        loans=[loan],
        today=date(2026, 3, 4),
    )

    assert [month.start for month in found][:2] == [date(2025, 4, 1), date(2025, 5, 1)]
    assert [int(month.balance_amount) for month in found[5:]] == [0, 1000, 700, 700, 500, 0, 0]


def test_s65_the_page_marks_what_came_from_a_barred_source(borrower):
    make_source("gone", is_active=False)
    borrower.contact_points.filter(kind="phone").update(source="gone")
    borrower.consent_states.filter(channel="sms").update(source="gone")

    page = _reader().get(_page(borrower)).content.decode()

    assert page.count("source barred") == 2

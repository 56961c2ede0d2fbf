"""The tabs of the loan book: figures that add up, cells that open masked loans, empty states."""

import re
from datetime import date

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from analytics.services.credit import loan_book
from customers.selectors.profile.person import masked_name
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from tests.factories.loans import make_loan
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

TABS = ("vintages", "rolls", "stages")


@pytest.fixture
def book():
    """Three loans that never paid, of two months, and the book of them."""
    today = clock.today()
    year = today.year - 1
    people = make_people(3)
    for number, person in enumerate(people):
        make_loan(
            person,
            f"L{number}",
            date(year, 1 + number // 2, 10),
            dpd_days=100,
            status="overdue",
            outstanding_amount=1200,
        )
    loan_book.derive_loan_book(actor=system_actor("test"), as_of=today, now=clock.now())
    return people


def show(client, name, language="en", **query):
    page = client.get(reverse(f"reports:{name}"), query, headers={"accept-language": language})
    assert page.status_code == 200
    return page


@pytest.mark.parametrize("name", TABS)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_empty_book_says_what_to_do(admin_client, name, language):
    text = show(admin_client, name, language).content.decode()

    words = {"en": "has not been derived yet", "zh-hans": "尚未生成"}
    assert words[language] in text


@pytest.mark.parametrize("name", TABS)
def test_every_page_has_the_tabs_and_a_fixed_number_of_queries(
    admin_client, book, name, django_assert_max_num_queries
):
    show(admin_client, name)
    with django_assert_max_num_queries(20):
        text = show(admin_client, name).content.decode()
    for tab in ("loan_book", *TABS):
        assert reverse(f"reports:{tab}") in text


def test_a_cell_of_the_triangle_opens_its_masked_loans(admin_client, book):
    page = show(admin_client, "vintages", days="90")
    first = page.context["rows"][0]
    cell = next(cell for cell in first["cells"] if cell["url"])
    assert cell["text"] == "100.00%"

    listed = admin_client.get(cell["url"])

    assert listed.context["count"] == 2
    rows = listed.context["rows"]
    assert {row["external_id"] for row in rows} == {"L0", "L1"}
    assert {row["name"] for row in rows} == {
        masked_name(person) or person.external_id for person in book[:2]
    }


def test_the_whole_matrix_and_the_flow_open_as_many_loans_as_they_say(admin_client, book):
    page = show(admin_client, "rolls", months="12")
    opened = 0
    for row in page.context["matrix"]:
        for cell in row["cells"]:
            if cell["url"]:
                listed = admin_client.get(cell["url"])
                assert listed.context["count"] == cell["count"]
                opened += 1
    assert opened
    flow = next(row for row in page.context["flows"] if row["url"])
    assert "Their product" in page.content.decode()
    assert admin_client.get(flow["url"]).context["count"] == 3


def test_stages_open_their_loans_and_say_what_is_assumed(admin_client, book):
    page = show(admin_client, "stages")
    (worst,) = [line for line in page.context["lines"] if line["count"]]
    assert admin_client.get(worst["url"]).context["count"] == 3
    assert (worst["amount"], worst["loss"]) == ("¥3,600.00", "¥2,340.00")
    assert "Built-in assumption" in page.content.decode()


def test_amounts_instead_of_numbers(admin_client, book):
    by_count = show(admin_client, "vintages", days="30", by="count")
    by_amount = show(admin_client, "vintages", days="30", by="amount")

    tips = [
        next(cell["tip"] for cell in page.context["rows"][0]["cells"] if cell["url"])
        for page in (by_count, by_amount)
    ]
    assert re.search(r"2 of 2", tips[0])
    assert re.search(r"¥2,400\.00 of ¥2,400\.00", tips[1])


def test_long_lists_have_pages(admin_client):
    people = make_people(1)
    for number in range(53):
        make_loan(people[0], f"N{number}", date(2026, 1, 10))
    loan_book.derive_loan_book(actor=system_actor("test"), as_of=date(2026, 3, 1), now=clock.now())
    query = {"kind": "vintage", "cohort": "2026-01-01"}
    address = reverse("reports:book_loans")

    first = admin_client.get(address, query)
    second = admin_client.get(address, {**query, "page": 2})

    assert (len(first.context["rows"]), len(second.context["rows"])) == (50, 3)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"kind": "x"},
        {"kind": "vintage"},
        {"kind": "vintage", "cohort": "2026-01-01", "days": "45", "month": "1"},
        {"kind": "vintage", "cohort": "2026-01-01", "days": "30", "month": "9" * 20},
        {"kind": "roll", "first": "2026-01-01", "last": "2026-02-01", "closing": "M9"},
        {"kind": "stage", "stage": "4"},
    ],
)
def test_an_address_that_means_nothing_is_not_found(admin_client, query):
    assert admin_client.get(reverse("reports:book_loans"), query).status_code == 404


def test_who_reads_reports_sees_figures_and_no_loans(book):
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_report"))
    client = Client()
    client.force_login(reader)

    assert client.get(reverse("reports:vintages")).status_code == 200
    address = reverse("reports:book_loans")
    answer = client.get(address, {"kind": "vintage", "cohort": "2026-01-01"})
    assert answer.status_code in (403, 404)


def test_charts_name_every_bucket_and_what_their_colours_mean(admin_client, book):
    matrix, bars = show(admin_client, "rolls").context["charts"]

    assert matrix.option["xAxis"]["axisLabel"]["interval"] == 0
    assert matrix.option["visualMap"]["text"] == ["100.00%", "0.00%"]
    # A legend of two lines would cover the months.
    assert bars.option["legend"]["type"] == "scroll"

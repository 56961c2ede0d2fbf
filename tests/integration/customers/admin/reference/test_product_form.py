"""The form of a loan product: rates in percent, and no lost update."""

from decimal import Decimal

import pytest
from django.urls import reverse

from customers.models import Product

pytestmark = pytest.mark.django_db
FORM = {
    "code": "quick", "name_zh": "快贷", "name_en": "Quick", "min_amount": "1000",
    "max_amount": "50000", "term_months": "12", "is_active": "on",
}  # fmt: skip
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def add(admin_client):
    def post(rate, **changes):
        address = reverse("admin:customers_product_add")
        data = FORM | {"annual_rate": rate} | changes
        return admin_client.post(address, data, headers=ENGLISH)

    return post


@pytest.mark.parametrize(("rate", "stored"), [("7.2", "0.072"), ("36", "0.36"), ("0", "0")])
def test_u47_a_rate_is_written_in_percent(admin_client, add, rate, stored):
    assert add(rate).status_code == 302
    product = Product.objects.get()
    assert product.annual_rate == Decimal(stored)
    address = reverse("admin:customers_product_change", args=[product.pk])
    shown = admin_client.get(address, headers=ENGLISH).content.decode()
    assert f'value="{rate}"' in shown
    assert "7.2 means 7.2 %" in shown


@pytest.mark.parametrize("rate", ["0.072", "36.1", "720"])
def test_u47_an_unusual_rate_is_asked_about(add, rate):
    answer = add(rate)
    assert f"This would be {rate} % a year." in answer.content.decode()
    assert not Product.objects.exists()
    assert add(rate, is_unusual_meant="on").status_code == 302
    assert Product.objects.get().annual_rate == Decimal(rate) / 100


def test_u47_a_rate_that_is_none_is_refused(add):
    for rate in ("-1", "100000", "seven", ""):
        assert add(rate).status_code == 200
    assert not Product.objects.exists()


def test_u40_who_saves_a_product_second_is_told(admin_client, add):
    add("7.2")
    product = Product.objects.get()
    address = reverse("admin:customers_product_change", args=[product.pk])
    seen = admin_client.get(address).context["seen"]
    mine = FORM | {"annual_rate": "8.5", "seen": seen}
    assert admin_client.post(address, mine).status_code == 302
    theirs = FORM | {"annual_rate": "7.2", "name_en": "Quicker", "seen": seen}
    answer = admin_client.post(address, theirs, headers=ENGLISH)
    shown = answer.content.decode()
    assert "Somebody else has saved this" in shown
    assert "annual rate, %: 8.5" in shown
    product.refresh_from_db()
    assert (product.annual_rate, product.name_en) == (Decimal("0.085"), "Quick")
    again = theirs | {"seen": answer.context["seen"]}
    assert admin_client.post(address, again).status_code == 302
    product.refresh_from_db()
    assert product.name_en == "Quicker"


def test_u40_a_product_form_that_came_back_still_began_from_what_it_showed(admin_client, add):
    add("7.2")
    product = Product.objects.get()
    address = reverse("admin:customers_product_change", args=[product.pk])
    seen = admin_client.get(address).context["seen"]
    mine = FORM | {"annual_rate": "8.5", "seen": seen}
    assert admin_client.post(address, mine).status_code == 302
    back = admin_client.post(address, mine | {"annual_rate": "much"})
    # The refusal of the stale save is told with that of the field.
    assert back.context["seen"] != seen
    Product.objects.update(name_en="Changed again")
    back = admin_client.post(address, mine | {"code": "", "seen": back.context["seen"]})
    assert "Changed again" in back.content.decode()

import pytest

from campaigns.services import addresses
from customers.models import ContactPoint
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db


def test_only_codes_about_the_address_mark_it():
    people = make_people(5)
    codes = ["5.1.1", "5.7.1", "550", "number_invalid", "signature_missing"]
    marked = addresses.mark_refused(
        channel_kind="email",
        codes={person.pk: code for person, code in zip(people, codes, strict=True)},
    )
    assert marked == 2
    statuses = ContactPoint.objects.filter(kind="email").order_by("customer_id")
    assert list(statuses.values_list("status", flat=True)) == [
        "bounced", "active", "active", "invalid", "active",
    ]  # fmt: skip
    assert set(ContactPoint.objects.filter(kind="phone").values_list("status", flat=True)) == {
        "active"
    }


def test_channels_without_addresses_mark_nothing():
    (person,) = make_people(1)
    assert addresses.mark_refused(channel_kind="console", codes={person.pk: "5.1.1"}) == 0
    assert not ContactPoint.objects.exclude(status="active").exists()

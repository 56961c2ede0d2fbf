import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import ContactPoint, Customer
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def test_any_of_selects_what_in_selects():
    people = make_people(5)
    wanted = [people[1].pk, people[3].pk, -1]
    found = set(Customer.objects.filter(pk__any_of=wanted).values_list("pk", flat=True))
    assert found == {people[1].pk, people[3].pk}
    points = ContactPoint.objects.filter(customer_id__any_of=wanted, kind="email")
    assert set(points.values_list("customer_id", flat=True)) == found


def test_any_of_takes_texts_and_no_keys_at_all():
    people = make_people(3)
    index = people[0].contact_points.get(kind="email").value_index
    assert ContactPoint.objects.filter(value_index__any_of=[index]).count() == 1
    assert not ContactPoint.objects.filter(customer_id__any_of=[]).exists()
    assert not ContactPoint.objects.filter(value_index__any_of=[]).exists()


def test_any_of_excludes_and_passes_one_parameter():
    people = make_people(4)
    with CaptureQueriesContext(connection) as captured:
        rest = list(Customer.objects.exclude(pk__any_of=[people[0].pk, people[1].pk]))
    assert len(rest) == 2
    assert len(captured) == 1

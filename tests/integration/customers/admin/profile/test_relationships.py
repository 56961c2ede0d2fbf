"""S15: the ties on the page of a person, for somebody with a purpose."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from customers.models import AttributeDefinition, AttributeValue
from customers.services import relationships
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db
SEES = ("view_customer", "read_relationships")


def _client(*codenames):
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _address(person):
    return reverse("admin:customers_customer_relationships", args=[person.pk])


def _page(person):
    return reverse("admin:customers_customer_change", args=[person.pk])


@pytest.fixture
def housemates():
    now, people = clock.now(), make_people(3)
    definition = AttributeDefinition.objects.create(
        name="device_id", value_type="text", label_en="Device", is_risk_only=True
    )
    AttributeValue.objects.bulk_create(
        AttributeValue(
            customer=person, definition=definition, text="device-1", source="app", updated_at=now
        )
        for person in people
    )
    relationships.derive(actor=system_actor("test"), now=now)
    return people


def test_the_picture_and_the_list_are_shown_for_a_purpose_and_the_look_is_recorded(housemates):
    page = _client(*SEES).post(_address(housemates[0]), {"purpose": "fraud_check"})
    content = page.content.decode()

    assert content.count("<circle") == 3
    assert "Same device" in content
    assert "shared with 2 others" in content
    assert "客户" not in content
    assert AuditEntry.objects.get(action="relationships.look").reason == "fraud_check"


@pytest.mark.parametrize("purpose", ["", "marketing"])
def test_without_a_risk_purpose_nothing_is_shown_or_recorded(housemates, purpose):
    content = _client(*SEES).post(_address(housemates[0]), {"purpose": purpose}).content.decode()

    assert "Say what you need to know it for." in content
    assert "<circle" not in content
    assert not AuditEntry.objects.filter(action="relationships.look").exists()


def test_who_lacks_the_permission_sees_neither_the_card_nor_the_features(housemates):
    client = _client("view_customer")
    content = client.get(_page(housemates[0])).content.decode()

    assert client.post(_address(housemates[0]), {"purpose": "fraud_check"}).status_code == 403
    for hidden in ("Relationships", "Tied customers", "device-1", "graph_"):
        assert hidden not in content


def test_who_has_it_sees_the_features_with_their_source(housemates):
    content = _client(*SEES).get(_page(housemates[0])).content.decode()

    for shown in ("Relationships", "Tied customers", "Others on the same devices", "Device"):
        assert shown in content

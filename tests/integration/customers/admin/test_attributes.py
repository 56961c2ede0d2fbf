from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from customers.models import AttributeDefinition, AttributeValue
from customers.selectors.segments import preview as segment_preview
from customers.selectors.segments.references import load_rule
from loancrm.kernel import clock
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
FORM = {
    "name": "card_expires_on",
    "value_type": "day",
    "label_zh": "卡片到期日",
    "label_en": "card expiry",
    "unit": "",
}


@pytest.fixture
def client():
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="x"))
    return client


def test_a14_a_date_attribute_added_in_the_admin_works_in_a_segment_at_once(client, now):
    address = reverse("admin:customers_attributedefinition_add")
    assert client.post(address, FORM).status_code == 302
    definition = AttributeDefinition.objects.get()
    soon, late, _unknown = make_people(3)
    for person, day in ((soon, date(2026, 4, 1)), (late, date(2027, 4, 1))):
        AttributeValue.objects.create(
            customer=person, definition=definition, day=day, updated_at=now
        )
    condition = {"field": "attribute.card_expires_on", "operator": "<", "value": "2026-12-31"}
    rule, scope = load_rule(
        {"combinator": "and", "rules": [condition]}, now=now, zone=clock.company_zone()
    )
    preview = segment_preview.preview(rule, scope, language="zh-hans")
    assert [person.customer_id for person in preview.sample] == [soon.pk]
    assert preview.count == 1
    assert "卡片到期日" in preview.sentence


def test_a14_a_type_that_does_not_exist_is_refused(client):
    address = reverse("admin:customers_attributedefinition_add")
    answer = client.post(address, {**FORM, "value_type": "colour"})
    assert answer.status_code == 200
    assert not AttributeDefinition.objects.exists()
    page = client.get(address).content.decode()
    assert all(f'<option value="{kind}"' in page for kind in ("number", "text", "day", "flag"))

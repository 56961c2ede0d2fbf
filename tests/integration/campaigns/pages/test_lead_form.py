import re
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from campaigns.channels import registry
from campaigns.services.consents import confirmations
from campaigns.services.sending import providers
from customers.domain.consents.texts import LEAD_FORM_TEXT
from customers.models import (
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    DataSource,
    Event,
    OptInRequest,
)
from loancrm.kernel import clock
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel
from tests.factories.sources import make_source

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
UTM = "?utm_source=wechat&utm_campaign=spring&utm_medium=social&lang=en"


@pytest.fixture(autouse=True)
def _clean():
    cache.clear()
    yield
    registry.close_all()


def _hand_in(client=None, **changes):
    form = {
        "form_id": str(uuid4()),
        "name": "王小明",
        "phone": "13800138000",
        "email": "wang@example.com",
        "city": "杭州",
        "notice": "on",
        **changes,
    }
    return (client or Client()).post("/enquiry/?lang=en", form)


def test_k1_no_box_is_ticked_beforehand():
    page = Client().get("/enquiry/").content.decode()
    assert page.count('type="checkbox"') == 3
    assert not re.search(r"<input[^>]*checked", page)


def test_k1_a_lead_keeps_the_text_version_the_campaign_and_no_consent_yet():
    client = Client()
    page = client.get(f"/enquiry/{UTM}").content.decode()
    assert 'name="utm_source" value="wechat"' in page
    answer = _hand_in(client, consent=["sms", "email"], utm_source="wechat", utm_campaign="spring")
    assert answer.status_code == 200
    person = Customer.objects.get()
    assert (person.source, person.city, person.language) == ("lead_form", "杭州", "en")
    assert ContactPoint.objects.filter(customer=person).count() == 2
    event = Event.objects.get()
    assert (event.type.name, event.channel, event.subject) == ("lead_captured", "web", "spring")
    assert event.properties == {
        "utm_source": "wechat",
        "utm_campaign": "spring",
        "text_version": LEAD_FORM_TEXT.version,
        "text_shown": LEAD_FORM_TEXT.evidence("en"),
    }
    asked = OptInRequest.objects.order_by("channel").values_list(
        "channel", "purpose", "policy_version", "source"
    )
    assert list(asked) == [
        ("email", "marketing", LEAD_FORM_TEXT.version, "lead_form"),
        ("sms", "marketing", LEAD_FORM_TEXT.version, "lead_form"),
    ]
    assert not ConsentState.objects.exists()


def test_k2_a_form_leads_by_the_message_to_a_consent():
    channel = make_channel("email")
    _hand_in(consent=["email"])
    assert confirmations.send_confirmations(now=clock.now()) == 1
    (asked,) = providers.provider_of(channel).delivered
    assert asked.to == "wang@example.com"
    assert not ConsentRecord.objects.exists()


def test_s65_the_form_is_protected_against_other_sites():
    assert _hand_in(Client(enforce_csrf_checks=True)).status_code == 403
    assert not Customer.objects.exists()
    client = Client(enforce_csrf_checks=True)
    page = client.get("/enquiry/").content.decode()
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)[1]
    assert _hand_in(client, csrfmiddlewaretoken=token).status_code == 200
    assert Customer.objects.count() == 1


def test_s65_too_many_forms_from_one_address_are_held_back():
    codes = [_hand_in().status_code for _again in range(7)]
    assert codes == [200] * 5 + [429] * 2
    assert Event.objects.count() == 5


def test_s65_the_same_form_twice_is_one_lead():
    form_id = str(uuid4())
    for _again in range(3):
        _hand_in(form_id=form_id, consent=["sms"])
    assert (Customer.objects.count(), Event.objects.count()) == (1, 1)
    assert OptInRequest.objects.count() == 1
    assert AuditEntry.objects.filter(action="lead_form.hand_in").count() == 1


def test_s65_a_known_person_is_not_changed_and_the_answer_tells_nothing():
    first = _hand_in()
    person = Customer.objects.get()
    before = (person.name_sealed, person.city, person.updated_at, ContactPoint.objects.count())
    again = _hand_in(city="成都", email="", consent=["sms"])
    assert again.content == first.content
    person = Customer.objects.get()
    assert before == (
        person.name_sealed, person.city, person.updated_at, ContactPoint.objects.count(),
    )  # fmt: skip
    assert OptInRequest.objects.get().customer_id == person.pk
    assert not ConsentState.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"phone": "12345", "email": ""},
        {"phone": "", "email": ""},
        {"email": "not an address"},
        {"notice": ""},
        {"form_id": "x"},
    ],
)
def test_s65_a_faulty_form_is_shown_again_and_nothing_is_stored(changes):
    answer = _hand_in(**changes)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert "王小明" in answer.content.decode()
    assert not Customer.objects.exists()
    assert not AuditEntry.objects.exists()


def test_s65_a_machine_that_fills_in_every_field_leaves_nothing():
    assert _hand_in(website="http://spam.example").status_code == 200
    assert not Customer.objects.exists()


def test_s65_a_form_that_is_switched_off_takes_nothing_and_says_so():
    make_source("lead_form", kind="own_form", is_active=False)

    shown, answer = Client().get("/enquiry/?lang=en"), _hand_in()

    assert shown.status_code == answer.status_code == 503
    assert "We take no enquiries here at present." in answer.content.decode()
    assert not Customer.objects.exists()


def test_s65_the_form_is_a_source_of_its_own_kind():
    _hand_in()

    assert DataSource.objects.get().kind == "own_form"
    assert Customer.objects.get().source == "lead_form"


def test_u25_what_was_ticked_before_a_mistake_stays_ticked():
    page = _hand_in(phone="1", email="", consent=["sms"])
    assert page.status_code == 400
    ticked = re.findall(r'<input[^>]*value="(\w+)"[^>]*checked', page.content.decode())
    assert ticked == ["on", "sms"]
    page = _hand_in(notice="", consent=["email"])
    ticked = re.findall(r'<input[^>]*value="(\w+)"[^>]*checked', page.content.decode())
    assert ticked == ["email"]

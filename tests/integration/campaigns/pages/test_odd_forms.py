"""Values that only some databases refuse, in every field of the public forms: never a 500.

What cannot be kept is refused as a whole or left out; nothing is stored by halves.
"""

from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from campaigns.domain.content import links
from campaigns.domain.content.links import LinkPurpose
from campaigns.domain.content.preference_links import preference_token
from customers.models import ContactPoint, Customer, Event, PrivacyRequest
from loancrm.kernel import clock
from tests.factories.people import make_people
from tests.factories.sent import make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

VALUES = {
    "nul": "a\x00b",
    "halves of a character": "a\ud83d",
    "control characters": "\x01\x1f\x7f\u200f",
    "outside the first plane": "\U0001f600" * 40,
    "long": "x" * 5_000,
    "digits": "9" * 40,
    "negative": "-1",
    "infinite": "1e999",
    "deep json": '{"a":' * 5_000,
    "year 9999": "9999-12-31T23:59:59-12:00",
}
ENQUIRY = (
    *("name", "phone", "email", "city", "form_id", "consent", "notice", "website"),
    *("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"),
)
PREFERENCES = ("action", "consent", "pause", "limit", "personalised", "details")
ENCODED = "application/x-www-form-urlencoded"


def _post(address, form):
    """Post a form whose texts may hold what no text may hold."""
    body = "&".join(f"{name}={_quoted(text)}" for name, text in form.items())
    return Client(raise_request_exception=False).post(address, body, content_type=ENCODED)


def _quoted(text):
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def _token(purpose, message_id):
    return links.signer_for(settings.SECRET_KEY).token(purpose, message_id=message_id)


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("field", ENQUIRY)
def test_b6_no_value_in_the_enquiry_form_is_a_500(field, name):
    cache.clear()
    form = {
        "form_id": str(uuid4()),
        "name": "王小明",
        "phone": "13800138000",
        "email": "wang@example.com",
        "notice": "on",
        field: VALUES[name],
    }
    answer = _post("/enquiry/?lang=en", form)
    assert answer.status_code in {200, 400}
    stored = Customer.objects.count(), Event.objects.count()
    assert stored in {(0, 0), (1, 1)}
    if stored == (0, 0):
        assert not ContactPoint.objects.exists()
    if answer.status_code == 400:
        assert stored == (0, 0)


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("field", ["utm_source", "utm_campaign"])
def test_b6_an_odd_campaign_never_costs_the_lead(field, name):
    form = {"form_id": str(uuid4()), "phone": "13800138000", "notice": "on", field: VALUES[name]}
    assert _post("/enquiry/", form).status_code == 200
    assert Event.objects.filter(type__name="lead_captured").count() == 1


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("field", PREFERENCES)
@pytest.mark.parametrize("action", ["save", "deletion"])
def test_b6_no_value_in_the_preference_form_is_a_500(field, name, action):
    (person,) = make_people(1)
    token = preference_token(links.signer_for(settings.SECRET_KEY), person.pk, today=clock.today())
    form = {"action": action, "consent": "email.marketing", field: VALUES[name]}
    if action == "deletion":
        # The first press asks once more and stores nothing.
        asked = _post(f"/p/{token}/", form)
        assert asked.status_code in {200, 400}
        assert not PrivacyRequest.objects.exists()
        form["confirmed"] = "yes"
    answer = _post(f"/p/{token}/", form)
    assert answer.status_code in {303, 400}
    if answer.status_code == 303 and action == "deletion":
        assert PrivacyRequest.objects.count() == 1


@pytest.mark.parametrize("name", VALUES)
def test_b6_no_value_in_a_refusal_is_a_500_and_it_counts(actor, now, name):
    channel, (message,) = make_sent(actor, now, count=1)
    del channel
    address = f"/u/{_token(LinkPurpose.UNSUBSCRIBE, message.pk)}/"
    answer = _post(address, {"List-Unsubscribe": VALUES[name], "x": VALUES[name]})
    assert answer.status_code == 200
    assert Event.objects.filter(type__name="opted_out").count() == 1


@pytest.mark.parametrize("letter", "tupc")
@pytest.mark.parametrize(
    "token",
    ["%00", "%ED%A0%80", "9" * 40, "x" * 5_000, "%C2%B2", "-1", "a.b.c", "%F0%9F%98%80", "%2F"],
)
def test_b6_no_odd_link_is_a_500(letter, token):
    for method in ("get", "post"):
        answer = getattr(Client(raise_request_exception=False), method)(f"/{letter}/{token}/")
        assert answer.status_code in {400, 404, 405}


@pytest.mark.parametrize("message_id", [2**31, 2**40, 2**48 - 1])
@pytest.mark.parametrize("purpose", [LinkPurpose.UNSUBSCRIBE, LinkPurpose.CONFIRM])
def test_b6_a_signed_link_to_a_number_that_nobody_has_is_not_found(purpose, message_id):
    letter = {LinkPurpose.UNSUBSCRIBE: "u", LinkPurpose.CONFIRM: "c"}[purpose]
    address = f"/{letter}/{_token(purpose, message_id)}/"
    assert Client(raise_request_exception=False).get(address).status_code == 404

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from customers.services.privacy import reveals
from customers.services.privacy.reveals import RevealRefused
from loancrm.kernel import roles
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
WHY = "call back about a complaint"


@pytest.fixture
def person():
    return make_people(1)[0]


@pytest.fixture
def clerk():
    """Somebody who may look at customers and reveal them."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_customer", "reveal_pii"])
    )
    return user


def _client(user):
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _address(person):
    return reverse("admin:customers_customer_reveal", args=[person.pk])


def test_k6_a_look_shows_the_values_and_makes_one_audit_row_with_its_reason(person, clerk):
    page = _client(clerk).post(_address(person), {"reason": f"  {WHY} "}).content.decode()
    assert "客户1" in page
    assert "p1@example.com" in page
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id, entry.reason) == (
        "customer.reveal", str(person.pk), WHY,
    )  # fmt: skip
    assert entry.actor_id == str(clerk.pk)
    assert entry.facts == {"shown": ["name", "email", "phone"]}


def test_k6_opening_the_page_of_a_person_shows_nothing_whole_and_writes_nothing(person, clerk):
    url = reverse("admin:customers_customer_change", args=[person.pk])
    timeline = reverse("admin:customers_customer_timeline", args=[person.pk])
    contact = reverse("admin:campaigns_customer_contact", args=[person.pk])
    for address in (url, timeline, contact):
        page = _client(clerk).get(address)
        assert page.status_code == 200
        assert "p1@example.com" not in page.content.decode()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("reason", ["", "   ", "x"])
def test_k6_without_a_reason_nothing_is_shown_or_written(person, clerk, reason):
    answer = _client(clerk).post(_address(person), {"reason": reason})
    assert "Say why" in answer.content.decode()
    assert "p1@example.com" not in answer.content.decode()
    assert not AuditEntry.objects.exists()


def test_k6_looking_needs_the_permission_and_a_post(person, clerk):
    assert _client(clerk).get(_address(person)).status_code == 405
    roles.ensure_roles()
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename="view_customer"))
    assert _client(reader).post(_address(person), {"reason": WHY}).status_code == 403
    with pytest.raises(PermissionRefused):
        reveals.reveal(
            actor=user_actor(reader), customer_id=person.pk, reason=WHY, now=person.created_at
        )
    assert not AuditEntry.objects.exists()


def test_k6_the_form_is_offered_only_to_those_who_may(person, clerk):
    address = reverse("admin:customers_customer_change", args=[person.pk])
    assert _address(person) in _client(clerk).get(address).content.decode()
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename="view_customer"))
    assert _address(person) not in _client(reader).get(address).content.decode()


def test_k6_looks_are_limited_within_an_hour_and_refusals_leave_no_trace(person, clerk, now):
    actor = user_actor(clerk)
    for number in range(reveals.MOST_AN_HOUR):
        at = now + timedelta(minutes=number)
        reveals.reveal(actor=actor, customer_id=person.pk, reason=WHY, now=at)
    with pytest.raises(RevealRefused):
        reveals.reveal(
            actor=actor, customer_id=person.pk, reason=WHY, now=now + timedelta(minutes=59)
        )
    assert AuditEntry.objects.count() == reveals.MOST_AN_HOUR
    other = user_actor(User.objects.create_superuser("other", password="x"))
    reveals.reveal(actor=other, customer_id=person.pk, reason=WHY, now=now + timedelta(minutes=59))
    reveals.reveal(actor=actor, customer_id=person.pk, reason=WHY, now=now + timedelta(minutes=60))


def test_k6_what_was_revealed_never_shows_in_a_repr(person, clerk, now):
    shown = reveals.reveal(actor=user_actor(clerk), customer_id=person.pk, reason=WHY, now=now)
    assert "客户1" not in repr(shown)
    assert "example" not in repr(shown)


def test_k3_everything_is_downloaded_as_json_for_a_reason(person, clerk):
    address = reverse("admin:customers_customer_own_data", args=[person.pk])
    answer = _client(clerk).post(address, {"reason": "request 17"})

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.json()["customer"]["name"] == "客户1"
    assert AuditEntry.objects.get().reason == "request 17"


def test_k3_without_a_reason_or_the_permission_nothing_is_downloaded(person, clerk):
    address = reverse("admin:customers_customer_own_data", args=[person.pk])
    refused = _client(clerk).post(address, {"reason": " "}, follow=True)
    assert "Say why you need to see this." in refused.content.decode()

    clerk.user_permissions.set(Permission.objects.filter(codename="view_customer"))
    assert _client(clerk).post(address, {"reason": "request 17"}).status_code == 403
    assert not AuditEntry.objects.exists()

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from customers.domain.preferences import RequestKind
from customers.models import PrivacyRequest
from customers.services import preferences
from loancrm.kernel.access import PermissionRefused
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.roles import Role, ensure_roles
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db
LIST = "admin:customers_privacyrequest_changelist"


@pytest.fixture
def request_row(actor, now):
    return preferences.request_privacy(
        actor=actor,
        customer_id=make_people(1)[0].pk,
        kind=RequestKind.CORRECTION,
        details="my street is wrong",
        source="preference_centre",
        now=now,
    )


def _client(user):
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_f10_an_overdue_request_stands_in_the_list_and_is_answered_once(request_row):
    PrivacyRequest.objects.update(due_at=request_row.requested_at + timedelta(days=1))
    client = _client(User.objects.create_superuser("boss", password="x"))
    page = client.get(reverse(LIST)).content.decode()
    assert "Correction" in page
    assert "my street" not in page
    form = {"action": "mark_done", "_selected_action": [request_row.pk]}
    for _again in range(2):
        assert client.post(reverse(LIST), form).status_code == 302
    row = PrivacyRequest.objects.get()
    assert row.status == "done"
    assert row.closed_at is not None
    assert AuditEntry.objects.filter(action="privacy.close").count() == 1


def test_f10_answering_needs_the_permission(request_row, now):
    reader = User.objects.create_user("reader", is_staff=True)
    assert _client(reader).get(reverse(LIST)).status_code == 403
    with pytest.raises(PermissionRefused):
        preferences.close_request(
            actor=None, request_id=request_row.pk, is_done=True, reason="x", now=now
        )
    assert PrivacyRequest.objects.get().status == "open"


@pytest.mark.parametrize("role", Role)
def test_e9_only_the_compliance_role_answers_requests(request_row, role):
    ensure_roles()
    user = User.objects.create_user("one", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    form = {"action": "mark_refused", "_selected_action": [request_row.pk]}
    _client(user).post(reverse(LIST), form)

    expected = "refused" if role is Role.COMPLIANCE else "open"
    assert PrivacyRequest.objects.get().status == expected


def test_e9_a_deletion_is_not_done_while_the_person_is_there(actor, now):
    person = make_people(1)[0]
    row = preferences.request_privacy(
        actor=actor,
        customer_id=person.pk,
        kind=RequestKind.DELETION,
        details="",
        source="preference_centre",
        now=now,
    )
    client = _client(User.objects.create_superuser("boss", password="x"))
    answer = client.post(
        reverse(LIST), {"action": "mark_done", "_selected_action": [row.pk]}, follow=True
    )

    assert PrivacyRequest.objects.get().status == "open"
    assert not AuditEntry.objects.filter(action="privacy.close").exists()
    text = answer.content.decode()
    assert "still stored" in text
    assert "contact points" in text
    assert "The answers are noted" not in text
    client.post(reverse(LIST), {"action": "mark_refused", "_selected_action": [row.pk]})
    assert PrivacyRequest.objects.get().status == "refused"

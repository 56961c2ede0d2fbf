from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from customers.domain.consents.preferences import RequestKind
from customers.models import PrivacyRequest
from customers.services.privacy import preferences
from loancrm.kernel.access import PermissionRefused
from loancrm.kernel.manifest import Role
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.roles import ensure_roles
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


def _answer(client, row, what, **given):
    address = reverse("admin:customers_privacyrequest_answer", args=[row.pk, what])
    given = {"reason": "the data is right", "told_by": "phone", **given}
    return client.post(address, given, follow=True)


def test_f10_an_overdue_request_stands_in_the_list_and_is_answered_once(request_row):
    PrivacyRequest.objects.update(due_at=request_row.requested_at + timedelta(days=1))
    client = _client(User.objects.create_superuser("boss", password="x"))
    page = client.get(reverse(LIST)).content.decode()
    assert "Correction" in page
    assert "my street" not in page
    for _again in range(2):
        assert _answer(client, request_row, "done").status_code == 200
    row = PrivacyRequest.objects.get()
    assert row.status == "done"
    assert row.closed_at is not None
    assert AuditEntry.objects.filter(action="privacy.close").count() == 1


def test_f10_answering_needs_the_permission(request_row, now):
    reader = User.objects.create_user("reader", is_staff=True)
    assert _client(reader).get(reverse(LIST)).status_code == 403
    with pytest.raises(PermissionRefused):
        preferences.close_request(
            actor=None,
            request_id=request_row.pk,
            is_done=True,
            reason="x",
            told_by="phone",
            now=now,
        )
    assert PrivacyRequest.objects.get().status == "open"


@pytest.mark.parametrize("role", Role)
def test_e9_only_the_compliance_role_answers_requests(request_row, role):
    ensure_roles()
    user = User.objects.create_user("one", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    _answer(_client(user), request_row, "refused")

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
    answer = _answer(client, row, "done")

    assert PrivacyRequest.objects.get().status == "open"
    assert not AuditEntry.objects.filter(action="privacy.close").exists()
    text = answer.content.decode()
    assert "still stored" in text
    assert "contact points" in text
    assert "The request is closed:" not in text
    _answer(client, row, "refused")
    assert PrivacyRequest.objects.get().status == "refused"


@pytest.mark.parametrize("role", [Role.COMPLIANCE, Role.ANALYST])
def test_e9_who_has_to_answer_reads_what_the_person_wrote_and_leaves_a_trace(actor, now, role):
    ensure_roles()
    (person,) = make_people(1)
    row = preferences.request_privacy(
        actor=actor,
        customer_id=person.pk,
        kind=RequestKind.CORRECTION,
        details="门牌号应为 7",
        source="preference_centre",
        now=now,
    )
    user = User.objects.create_user("one", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    page = (
        _client(user)
        .get(reverse("admin:customers_privacyrequest_change", args=[row.pk]))
        .content.decode()
    )

    answers = role is Role.COMPLIANCE
    assert ("门牌号应为 7" in page) == answers
    customer = reverse("admin:customers_customer_change", args=[person.pk])
    assert (f'href="{customer}"' in page) == answers
    looks = AuditEntry.objects.filter(action="privacy.look", object_id=str(person.pk))
    assert looks.exists() == answers


@pytest.mark.parametrize("missing", [{"reason": " "}, {"told_by": ""}, {"told_by": "telepathy"}])
def test_u28_an_answer_needs_a_reason_and_a_person_who_was_told(request_row, missing):
    client = _client(User.objects.create_superuser("boss", password="x"))
    answer = _answer(client, request_row, "refused", **missing)
    assert set(answer.context["form"].errors) == set(missing)
    assert PrivacyRequest.objects.get().status == "open"


def test_u28_a_refusal_is_asked_for_on_its_page_and_keeps_its_reason(request_row):
    client = _client(User.objects.create_superuser("boss", password="x"))
    listed = client.get(reverse(LIST)).content.decode()
    assert "mark_refused" not in listed
    page = reverse("admin:customers_privacyrequest_change", args=[request_row.pk])
    address = reverse("admin:customers_privacyrequest_answer", args=[request_row.pk, "refused"])
    assert address in client.get(page).content.decode()
    assert "cannot be taken back here" in client.get(address).content.decode()
    assert PrivacyRequest.objects.get().status == "open"
    _answer(client, request_row, "refused", reason="the law bids us to keep it", told_by="letter")
    assert AuditEntry.objects.get(action="privacy.close").reason == "the law bids us to keep it"
    shown = client.get(page).content.decode()
    assert "the law bids us to keep it" in shown
    assert "by letter" in shown
    assert "answered already" in _answer(client, request_row, "done").content.decode()
    assert PrivacyRequest.objects.get().status == "refused"

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from customers.domain.exports import ExportState
from customers.models import Customer, SegmentExport
from customers.services.segments import versions
from loancrm.kernel.manifest import Role
from loancrm.kernel.roles import ensure_roles

pytestmark = pytest.mark.django_db

LIST = reverse("admin:customers_segmentexport_changelist")
ADD = reverse("admin:customers_segmentexport_add")


@pytest.fixture
def open_as():
    ensure_roles()

    def opened(name, role):
        user = User.objects.create_user(name, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client = Client(headers={"accept-language": "en"})
        client.force_login(user)
        return client

    return opened


@pytest.fixture
def segment(actor, now):
    Customer.objects.create(city="上海", external_id="A-1", created_at=now, updated_at=now)
    everybody = {"combinator": "and", "rules": []}
    return versions.create_segment(actor=actor, slug="all", name="All", rule=everybody, now=now)


def test_a_marketer_asks_an_approver_agrees_and_the_marketer_downloads(open_as, segment):
    marketer, approver = open_as("mia", Role.MARKETER), open_as("amy", Role.APPROVER)
    form = marketer.get(f"{ADD}?segment={segment.pk}").content.decode()
    assert "masked as on the screens" in form
    assert "Personal data in clear" not in form
    asked = marketer.post(
        f"{ADD}?segment={segment.pk}",
        {"columns": ["external_id", "city"], "reason": "for the call centre", "is_unmasked": "on"},
        follow=True,
    )
    export = SegmentExport.objects.get()
    assert not export.is_unmasked
    assert "somebody else with the permission" in asked.content.decode()
    file = reverse("admin:customers_segmentexport_download", args=[export.pk])
    assert "The export is not approved" in marketer.get(file, follow=True).content.decode()

    page = reverse("admin:customers_segmentexport_change", args=[export.pk])
    assert "for the call centre" in approver.get(page).content.decode()
    decide = reverse("admin:customers_segmentexport_decide", args=[export.pk, "approve"])
    assert approver.get(decide).status_code == 405
    approver.post(decide, {"note": "fine"}, follow=True)
    export.refresh_from_db()
    assert export.state == ExportState.APPROVED
    assert approver.get(file).status_code == 403

    answer = marketer.get(file)
    assert answer["Content-Disposition"] == f'attachment; filename="all-{export.pk}.csv"'
    assert "no-store" in answer["Cache-Control"]
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines == ["external id,city", "A-1,上海"]
    listed = marketer.get(LIST).content.decode()
    assert "Approved" in listed


def test_the_form_names_what_is_missing_and_who_may_not_is_refused(open_as, segment):
    marketer = open_as("mia", Role.MARKETER)
    answer = marketer.post(f"{ADD}?segment={segment.pk}", {"reason": "x"}).content.decode()
    assert answer.count("errorlist") == 2
    assert marketer.get(ADD).status_code == 404
    assert open_as("ann", Role.ANALYST).get(f"{ADD}?segment={segment.pk}").status_code == 403
    unknown = reverse("admin:customers_segmentexport_decide", args=[1, "burn"])
    assert open_as("amy", Role.APPROVER).post(unknown).status_code == 404

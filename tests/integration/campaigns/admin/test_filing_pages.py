"""The pages of filed signatures and templates."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from campaigns.admin.filing import pages
from campaigns.models import Filing
from loancrm.kernel import clock
from tests.factories.campaigns import make_channel

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}
ADD = "admin:campaigns_filing_add"


@pytest.fixture
def channel():
    return make_channel("sms", filing_demand="signature", filing_idle_days=180)


def form(channel, **changes):
    return {"channel": channel.pk, "kind": "signature", "name": "示例金融", **changes}


def move(client, row, to, reason=""):
    address = reverse("admin:campaigns_filing_move", args=[row.pk])
    return client.post(address, {"to": to, "reason": reason}, headers=ENGLISH)


def shown(client, row):
    address = reverse("admin:campaigns_filing_change", args=[row.pk])
    return client.get(address, headers=ENGLISH).content.decode()


def test_g15_a_filing_is_added_and_taken_through_its_life(admin_client, channel):
    admin_client.post(reverse(ADD), form(channel))
    row = Filing.objects.get()
    assert "Was approved" not in shown(admin_client, row)
    move(admin_client, row, "submitted")
    assert "Was approved" in shown(admin_client, row)
    move(admin_client, row, "refused", "no licence")
    page = shown(admin_client, row)
    assert "Refused" in page
    assert "no licence" in page
    row.refresh_from_db()
    assert row.status == "refused"
    # The history has every step, the newest first, in words.
    assert page.index("submitted for approval") < page.index("added")


def test_g15_the_end_of_an_approval_is_chosen_in_a_calendar(admin_client, channel):
    field = admin_client.get(reverse(ADD)).context["form"]["expires_on"]
    assert 'type="date"' in str(field)


def test_g15_a_template_is_written_a_variable_a_line(admin_client, channel):
    filled = form(
        channel, kind="template", name="A", text="您好${n}，额度${a}", provider_code="7",
        variables="n = name\n\na = offer_amount | money",
    )  # fmt: skip
    admin_client.post(reverse(ADD), filled)
    row = Filing.objects.get()
    assert row.variables == {"n": "name", "a": "offer_amount | money"}
    assert "a = offer_amount | money" in shown(admin_client, row)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"variables": "no sign"}, "variables"),
        ({"kind": "template"}, "text"),
        ({"kind": "template", "text": "您好${n}"}, "variables"),
        ({"name": ""}, "name"),
    ],
)
def test_g15_what_is_wrong_stands_beside_its_field(admin_client, channel, changes, field):
    answer = admin_client.post(reverse(ADD), form(channel, **changes))
    assert field in answer.context["form"].errors
    assert not Filing.objects.exists()


def test_g15_an_approval_that_ends_soon_is_counted_in_the_menu(admin_client, channel, rf):
    admin_client.post(reverse(ADD), form(channel))
    row = Filing.objects.get()
    for to in ("submitted", "approved"):
        move(admin_client, row, to)
    assert pages.waiting(rf.get("/")) == 0
    Filing.objects.update(decided_at=clock.now() - timedelta(days=160))
    assert pages.waiting(rf.get("/")) == 1
    assert "No longer good from" in shown(admin_client, row)


def test_g15_who_may_only_look_changes_nothing(admin_client, channel):
    admin_client.post(reverse(ADD), form(channel))
    row = Filing.objects.get()
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_filing"))
    client = Client()
    client.force_login(reader)
    assert "Was handed in" not in shown(client, row)
    move(client, row, "submitted")
    row.refresh_from_db()
    assert row.status == "draft"
    assert client.get(reverse(ADD)).status_code == 403


def test_g15_the_list_is_read_in_few_queries(admin_client, channel, django_assert_max_num_queries):
    for number in range(20):
        Filing.objects.create(channel=channel, name=f"S{number}")
    address = reverse("admin:campaigns_filing_changelist")
    admin_client.get(address)
    with django_assert_max_num_queries(14):
        page = admin_client.get(address, headers=ENGLISH).content.decode()
    assert "S19" in page


def test_g5_the_channels_form_has_its_fall_over_channels(admin_client, channel):
    make_channel("sms", slug="spare")
    filled = {
        "slug": channel.slug, "name": "SMS", "kind": "sms", "backend": "memory", "sender": "示例",
        "cost_per_part": "0", "filing_demand": "signature", "filing_idle_days": "90",
        "fallbacks": "spare", "options": "{}", "is_active": "on",
    }  # fmt: skip
    admin_client.post(reverse("admin:campaigns_channel_change", args=[channel.pk]), filled)
    channel.refresh_from_db()
    assert (channel.fallbacks, channel.filing_idle_days) == ("spare", 90)

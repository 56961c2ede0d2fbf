"""The preview beside the text: what is sent, for people who are made up, and nothing is stored."""

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import ContentVersion, Variant
from campaigns.services.campaigns import authoring, previews
from customers.models import AttributeDefinition, Customer
from loancrm.kernel import roles
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel, spec
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

URL = "admin:campaigns_campaign_live"


def _asked(client, channel, **changes):
    data = {"channel": channel.pk, "locale": "zh-hans", "name": "春", "purpose": "marketing"}
    return client.post(reverse(URL), {**data, **changes}, headers={"accept-language": "en"}).json()


def test_f2_a_text_is_shown_as_it_would_be_sent(admin_client, actor, now):
    channel = make_channel("sms")
    make_people(1)
    Customer.objects.update(city="成都")
    text = "{{ city }}的朋友，您好。"
    content = {"zh-hans": {"text": text}}
    campaign = authoring.create_campaign(
        source=spec(channel=channel.slug, content=content), actor=actor, now=now
    )
    (shown,) = previews.preview(
        campaign=campaign,
        variant=Variant.objects.get(),
        customers=list(Customer.objects.all()),
        actor=actor,
        now=now,
    )
    answer = _asked(admin_client, channel, text=text)
    assert shown.text in answer["html"]
    assert f"{len(shown.text)} characters" in answer["html"]
    assert answer["findings"] == []


@pytest.mark.parametrize(
    ("sample", "told"),
    [("typical", "王芳"), ("longest", "阿卜杜热西提·买买提吐尔逊"), ("missing", "(name)")],
)
def test_f2_a_person_is_chosen_for_whom_it_is_shown(admin_client, sample, told):
    answer = _asked(admin_client, make_channel("sms"), text="{{ name }}，您好。", sample=sample)
    assert told in answer["html"]


def test_f2_a_default_stands_where_a_value_is_missing(admin_client):
    text = '{{ name | default("客户") }}，您好。'
    answer = _asked(admin_client, make_channel("sms"), text=text, sample="missing")
    assert "客户，您好。" in answer["html"]


def test_f1_an_unknown_variable_is_named_with_its_line(admin_client):
    answer = _asked(admin_client, make_channel("sms"), text="您好，\n{{ nmae }}")
    assert answer["unknown"] == ["nmae"]
    assert any("Line 2" in one["words"] and one["isBlocking"] for one in answer["findings"])


def test_f1_a_text_that_cannot_be_read_is_told_in_words(admin_client):
    answer = _asked(admin_client, make_channel("sms"), text="您好 {{ name")
    assert answer["findings"][0]["part"] == "text"
    assert "lcx-bubble" not in answer["html"]


def test_f2_attributes_have_values_of_their_type(admin_client):
    AttributeDefinition.objects.create(name="points", value_type="number")
    answer = _asked(admin_client, make_channel("sms"), text="您有 {{ points }} 分。")
    assert "1234" in answer["html"]


def test_f2_an_email_is_shown_cleaned(admin_client):
    html = "<p>{{ name }}</p><script>alert(1)</script>"
    answer = _asked(
        admin_client, make_channel("email"), subject="您好 {{ name }}", text="您好", html=html
    )
    assert "您好 王芳" in answer["html"]
    assert "alert(1)" not in answer["html"]


def test_f2_typing_leaves_nothing_behind_and_asks_few_questions(admin_client):
    channel = make_channel("sms")
    before = AuditEntry.objects.count()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        _asked(admin_client, channel, text="{{ name }}，您好。")
    assert len(asked) <= 12
    assert AuditEntry.objects.count() == before
    assert ContentVersion.objects.count() == 0


def test_f2_who_may_not_write_campaigns_sees_no_preview():
    roles.ensure_roles()
    user = User.objects.create_user("ana", is_staff=True)
    user.groups.set(Group.objects.filter(name="analyst"))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    data = {"channel": make_channel("sms").pk, "text": "您好"}
    assert client.post(reverse(URL), data).status_code == 403

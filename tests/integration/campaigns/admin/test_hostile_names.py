"""f13: what a person is called is text, and nothing else, wherever she is shown or written to."""

import email
import email.policy
import random

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.channels import registry
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch as dispatching
from campaigns.services.sending import providers
from customers.models import Customer
from loancrm.kernel.access import user_actor
from loancrm.kernel.security import crypto
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>"


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def is_inert(page: str) -> bool:
    """Return whether no part of the name could be read as markup."""
    return not any(part in page for part in ("<img src=x", "<script>alert", 'onerror=alert(1)>"'))


def test_f13_a_name_that_is_a_script_is_inert_in_lists_pages_previews_and_mails(now):
    root = User.objects.create_superuser("root")
    channel = make_channel()
    (person,) = make_people(1)
    sealed = crypto.vault().seal(Customer.NAME_COLUMN, person.public_id, HOSTILE)
    Customer.objects.update(name_sealed=sealed)
    run = make_launched(user_actor(root), now)
    client = Client()
    client.force_login(root)

    shown = [
        client.get(reverse("admin:customers_customer_changelist")),
        client.get(reverse("admin:customers_customer_change", args=[person.pk])),
        client.get(reverse("admin:campaigns_campaign_change", args=[run.campaign_id])),
        client.post(
            reverse("admin:campaigns_campaign_preview", args=[run.campaign_id]),
            {"customer": f"#{person.pk}"},
        ),
    ]

    assert [answer.status_code for answer in shown] == [200] * 4
    for answer in shown:
        assert is_inert(answer.content.decode())
    ticking.advance(now=now)
    dispatching.drain(holder="t", clock=lambda: now, rng=random.Random(1), slice_seconds=5)
    (sent,) = providers.provider_of(channel).delivered
    mail = email.message_from_bytes(sent.payload.raw, policy=email.policy.default)
    html = mail.get_body(("html",)).get_content()
    assert is_inert(html)
    assert "&lt;script&gt;" in html

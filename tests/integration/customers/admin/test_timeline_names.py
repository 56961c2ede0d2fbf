"""A timeline names what its codes stand for, and leads there."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from oauth2_provider.models import Application

from campaigns.models import Campaign, Partner
from campaigns.services.campaigns import authoring
from campaigns.services.partners import contracts
from customers.models import Customer, Event, EventType, Loan, Product, Segment
from customers.selectors.profile import timeline as timelines
from customers.services.segments import versions
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from tests.factories.campaigns import make_channel, spec
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db
HEADERS = {"accept-language": "zh-hans"}


@pytest.fixture
def partner() -> Partner:
    return contracts.register_partner(
        actor=system_actor("test"), slug="acme", name="远大金融", now=clock.now()
    )[0]


def make_segment(slug: str, name: str) -> Segment:
    rule = {"combinator": "and", "rules": []}
    return versions.create_segment(
        slug=slug, name=name, rule=rule, actor=system_actor("test"), now=clock.now()
    )


def happened(customer: Customer, name: str, *, source: str, subject: str = "") -> None:
    now = clock.now()
    Event.objects.create(
        customer=customer,
        type=EventType.objects.get_or_create(name=name)[0],
        occurred_at=now - timedelta(hours=1),
        received_at=now,
        source=source,
        subject=subject,
        dedup_key=f"{name}{source}{subject}",
    )


def shown(client: Client, customer: Customer) -> str:
    url = reverse("admin:customers_customer_timeline", args=[customer.pk])
    return client.get(url, headers=HEADERS).content.decode()


def test_a_partners_event_leads_to_the_partner_and_the_campaign(
    admin_client: Client, partner: Partner
) -> None:
    make_channel()
    campaign: Campaign = authoring.create_campaign(
        source=spec(segment=make_segment("everybody", "全部客户").slug),
        actor=system_actor("test"),
        now=clock.now(),
    )
    (customer,) = make_people(1)
    happened(customer, "conversion_reported", source=partner.source, subject=campaign.slug)

    text = shown(admin_client, customer)

    assert f'href="{object_url(partner)}">远大金融</a>' in text
    assert f'href="{object_url(campaign)}">{campaign.name}</a>' in text
    assert partner.source not in text


def test_codes_are_read_as_words(admin_client: Client) -> None:
    (customer,) = make_people(1)
    segment = make_segment("wealthy", "高净值客户")
    product = Product.objects.create(code="cash_01", name_zh="现金贷", name_en="Cash loan")
    Loan.objects.create(
        customer=customer,
        product=product,
        source="core",
        external_id="L1",
        principal_amount=1000,
        annual_rate="0.1",
        term_months=12,
        disbursed_on=clock.today(),
    )
    happened(customer, "segment_entered", source="segments", subject=segment.slug)
    happened(customer, "opted_in", source="double_opt_in", subject="marketing")
    happened(customer, "opted_out", source="unsubscribe_link")

    text = shown(admin_client, customer)

    assert f'href="{object_url(segment)}">高净值客户</a>' in text
    for word in ("现金贷", "营销", "双重确认订阅"):
        assert word in text
    for code in ("cash_01", "wealthy", "marketing", "double_opt_in", "unsubscribe_link"):
        assert code not in text


def test_who_may_not_open_the_partner_reads_its_name_only(partner: Partner) -> None:
    (customer,) = make_people(1)
    happened(customer, "app_login", source=partner.source)
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client = Client()
    client.force_login(reader)

    text = shown(client, customer)

    assert "远大金融" in text
    assert "<a " not in text


def test_a_partner_is_described_in_words_and_leads_to_its_clients(
    admin_client: Client, partner: Partner
) -> None:
    text = admin_client.get(object_url(partner), headers=HEADERS).content.decode()

    assert object_url(Application.objects.get()) in text
    assert object_url(partner.data_source) in text
    for raw in ("leads:write", ">User<", "partner:acme"):
        assert raw not in text
    page = admin_client.get(object_url(Application.objects.get()), headers=HEADERS)
    assert "The client secret" not in page.content.decode()
    clients = reverse("admin:oauth2_provider_application_changelist")
    # As a heading: the page's random tokens may hold any two letters.
    assert not re.search(r">\s*Pk\s*<", admin_client.get(clients, headers=HEADERS).content.decode())


def test_an_event_about_a_product_calls_it_by_its_name(admin_client: Client) -> None:
    Product.objects.create(code="cash-12", name_zh="安心现金贷")
    (customer,) = make_people(1)
    happened(customer, "page_viewed", source="core", subject="cash-12")
    happened(customer, "repayment_made", source="core", subject="gone-6")

    text = shown(admin_client, customer)

    assert "安心现金贷" in text
    assert "cash-12" not in text
    assert "gone-6" in text


def test_older_entries_take_the_focus_of_the_button_that_asked_for_them(
    admin_client: Client,
) -> None:
    (customer,) = make_people(1)
    for number in range(timelines.PAGE + 2):
        happened(customer, "page_viewed", source="core", subject=str(number))

    first = shown(admin_client, customer)
    older = unescape(re.search(r'hx-get="([^"]*after=[^"]*)"', first)[1])
    second = admin_client.get(older, headers=HEADERS).content.decode()

    assert "autofocus" not in first
    assert second.count(' tabindex="-1" autofocus') == 1

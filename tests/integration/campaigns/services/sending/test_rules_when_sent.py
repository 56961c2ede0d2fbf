"""Rules are asked once more when texts are written: by the day, and person by person (f14, f88)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from campaigns.models import Campaign, Dispatch, Message, MessageTemplate
from campaigns.selectors.content import constants, faults
from campaigns.services.campaigns import authoring
from campaigns.services.campaigns.problems import CampaignRefused
from campaigns.services.requests import templates
from campaigns.services.requests.templates import TemplateInvalid
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    ListedPartner,
    Product,
    ProductFee,
)
from tests.factories.campaigns import SMS, make_channel, make_launched, spec
from tests.factories.people import make_people
from tests.factories.templates import make_author, template_spec
from tests.integration.campaigns.services.consents.test_refusals import drain

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

# 10:00 in Shanghai on the day of the rules on marketing, and the day before.
SWITCH = datetime(2026, 9, 30, 2, tzinfo=UTC)
BEFORE = SWITCH - timedelta(days=1)


def _launch(actor, at, text, **changes):
    content = {"zh-hans": {"text": text}}
    return make_launched(actor, at, channel="sms-memory", content=content, **changes)


def _attribute(name, **values):
    definition = AttributeDefinition.objects.create(name=name, value_type="text")
    for person, value in values.pop("of", {}).items():
        AttributeValue.objects.create(
            customer=person, definition=definition, text=value, updated_at=BEFORE
        )


def test_f14_a_word_split_over_two_variables_is_blocked(actor):
    make_channel("sms")
    split, plain = make_people(2)
    _attribute("first", of={split: "低门", plain: "贵"})
    _attribute("second", of={split: "槛", plain: "客"})
    _launch(actor, SWITCH, "您好，{{ first }}{{ second }}")
    drain(SWITCH)
    assert Message.objects.get(customer=split).reason == "rule_broken"
    assert Message.objects.get(customer=plain).state == "sent"


def test_f14_a_price_that_comes_with_a_value_needs_its_annual_rate(actor):
    make_channel("sms")
    dear, plain = make_people(2)
    _attribute("note", of={dear: "日息0.02%", plain: "祝好"})
    _launch(actor, SWITCH, "您好，{{ note }}")
    drain(SWITCH)
    assert Message.objects.get(customer=dear).reason == "rule_broken"
    assert Message.objects.get(customer=plain).state == "sent"


def test_a_rule_that_begins_between_approval_and_sending_holds_the_dispatch(actor):
    make_channel("sms")
    make_people(1)
    schedule = {"start_at": SWITCH.isoformat(), "late_limit_hours": 24}
    run = _launch(actor, BEFORE, "低门槛贷款，{{ name }}", schedule=schedule)
    drain(SWITCH)
    run.refresh_from_db()
    assert (run.status, run.hold_reason) == ("held", "rules_forbid")
    assert Message.objects.get().state == "planned"


def test_the_day_before_the_same_text_goes_out(actor):
    make_channel("sms")
    make_people(1)
    _launch(actor, BEFORE, "低门槛贷款，{{ name }}")
    drain(BEFORE)
    assert Message.objects.get().state == "sent"


def _product(**changes):
    values = {"annual_rate": Decimal("0.12"), "term_months": 12, "min_amount": 10_000, **changes}
    return Product.objects.create(code="calm", name_zh="安心借", name_en="Calm", **values)


LISTING = "{% for p in products %}{{ p.name }}{{ p.cost_text }}{% endfor %}"


def _listing(actor, now):
    content = {"zh-hans": {"text": LISTING}}
    source = spec(channel="sms-memory", content=content)
    return authoring.create_campaign(source=source, actor=actor, now=now)


def test_d22_a_product_above_the_cap_stops_the_approval(actor):
    make_channel("sms")
    product = _product()
    campaign = _listing(actor, SWITCH)
    assert faults.blocking(campaign, now=SWITCH) == []
    fee = ProductFee.objects.create(product=product, name_zh="担保费", amount=80)
    (fault,) = [
        f for f in faults.findings_of(campaign, now=SWITCH) if "cost_above" in f.problem.code
    ]
    assert fault.problem.facts == {"product": "安心借", "cost": "28.70", "cap": "24.00"}
    assert faults.blocking(campaign, now=SWITCH)
    fee.timing = "contingent"
    fee.save()
    assert faults.blocking(campaign, now=SWITCH) == []
    (told,) = constants.products("zh-hans")
    assert told["cost_text"] == "年化综合融资成本12.00%（单利，仅在发生时另收担保费）"
    assert told["all_in_cost"] == Decimal("0.1200")


def test_d22_a_partner_off_the_list_stops_the_approval(actor):
    make_channel("sms")
    partner = ListedPartner.objects.create(
        name="甲担保", listed_from=BEFORE.date(), listed_until=BEFORE.date()
    )
    ProductFee.objects.create(product=_product(), name_zh="担保费", amount=1, collector=partner)
    campaign = _listing(actor, SWITCH)
    assert faults.blocking(campaign, now=BEFORE) == []
    assert len(faults.blocking(campaign, now=SWITCH)) == 1


def test_students_get_no_offer_of_credit_but_other_marketing(actor, now):
    make_channel("sms")
    student, other = make_people(2)
    definition = AttributeDefinition.objects.create(name="is_student", value_type="flag")
    AttributeValue.objects.create(
        customer=student, definition=definition, flag=True, updated_at=now
    )
    make_launched(actor, now, channel="sms-memory", content=SMS)
    drain(now)
    assert Message.objects.get(customer=student).reason == "student"
    assert Message.objects.get(customer=other).state == "sent"
    run = make_launched(
        actor, now, slug="greeting", channel="sms-memory", content=SMS, product_kind="service"
    )
    drain(now)
    assert Message.objects.get(customer=student, dispatch=run).state == "sent"


def test_f88_no_entry_takes_an_offer_under_a_service_consent(actor, now):
    channel = make_channel("sms")
    source = spec(channel="sms-memory", content=SMS, purpose="service", product_kind="credit_offer")
    with pytest.raises(CampaignRefused) as refused:
        authoring.create_campaign(source=source, actor=actor, now=now)
    assert [path for path, _words in refused.value.facts["problems"]] == ["product_kind"]
    campaign = authoring.create_campaign(
        source=spec(channel="sms-memory", content=SMS), actor=actor, now=now
    )
    changes = {"purpose": "service", "product_kind": "credit_offer"}
    with pytest.raises(CampaignRefused):
        authoring.update_campaign(campaign=campaign, changes=changes, actor=actor, now=now)
    with pytest.raises(TemplateInvalid):
        templates.create_template(
            spec=template_spec(channel, product_kind="credit_offer"),
            actor=make_author(),
            now=now,
        )
    campaign = Campaign.objects.get()
    campaign = authoring.update_campaign(
        campaign=campaign, changes={"purpose": "service"}, actor=actor, now=now
    )
    assert campaign.product_kind == "service"


def test_f88_the_database_takes_none_either(actor, now):
    channel = make_channel("sms")
    make_launched(actor, now, channel="sms-memory", content=SMS, purpose="service", slug="notice")
    templates.create_template(spec=template_spec(channel), actor=make_author(), now=now)
    for model in (Campaign, Dispatch, MessageTemplate):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.update(product_kind="credit_offer")

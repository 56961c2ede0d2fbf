"""The page of one person: lifetime value, skipped messages, ties, and the timeline."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from customers.models import AttributeDefinition, AttributeValue, ContactPoint, Customer, Loan
from customers.services import relationships, scores
from customers.services.scores import GivenScore
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from tests.e2e.conftest import Screen, send_all

WORDS = {
    "zh-hans": {
        "value": "生命周期价值",
        "gate": "关卡“授权”",
        "older": "显示更早",
        "show": "显示关系",
        "tie": "同一设备",
        "message": "消息",
    },
    "en": {
        "value": "Lifetime value",
        "gate": "gate “consent”",
        "older": "Show older",
        "show": "Show relationships",
        "tie": "Same device",
        "message": "Message",
    },
}


def _tie(people: list[Customer]) -> None:
    now = clock.now()
    for name, members, text in (
        ("device_id", people[:4], "d-1"),
        ("employer", people[3:8], "示例公司"),
        ("address", people[7:9], "和平路1号"),
    ):
        definition = AttributeDefinition.objects.create(
            name=name, value_type="text", label_zh=name, is_risk_only=name == "device_id"
        )
        AttributeValue.objects.bulk_create(
            AttributeValue(
                customer=person, definition=definition, text=text, source="app", updated_at=now
            )
            for person in members
        )
    Loan.objects.create(
        source="core", external_id="L1", customer=people[1], principal_amount=9000,
        term_months=12, disbursed_on=clock.today() - timedelta(days=200), max_dpd_days=120,
    )  # fmt: skip
    relationships.derive(actor=system_actor("test"), now=now)
    for name, value in (("clv", 1234), ("clv_so_far", 1000), ("clv_to_come", 234)):
        scores.record_scores(
            actor=system_actor("test"),
            model_name=name,
            version="clv-1",
            scores=[GivenScore(people[0].pk, Decimal(value))],
            now=now,
        )


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_s15_b4_the_page_shows_ties_value_and_why_nothing_was_sent(
    open_screen: Callable[..., Screen],
    marketer: User,
    people: list[Customer],
    launched: Any,
    language: str,
) -> None:
    words = WORDS[language]
    person = people[0]
    person.consent_states.all().delete()
    ContactPoint.objects.filter(customer=person).update(source="branch")
    send_all()
    _tie(people)

    screen = open_screen(marketer, language)
    page = screen.go(f"/admin/customers/customer/{person.pk}/change/")

    expect(page.get_by_text(words["value"]).first).to_be_visible()
    entries = page.locator("#timeline-events li")
    expect(entries.filter(has_text=words["gate"]).first).to_be_visible()
    page.locator("select[name=kind]").select_option("message")
    expect(entries).to_have_count(1)
    page.get_by_role("button", name=words["show"]).click()
    picture = page.locator("#relationships svg")
    expect(picture.locator("circle")).to_have_count(8)
    expect(page.locator("#relationships").get_by_text(words["tie"]).last).to_be_visible()
    screen.shoot("customer_ties")

"""Pages of early warning: cases, one case, rules."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from analytics.domain.warning.signals import Signal
from analytics.models import RiskAlert, RiskCase, WarningRule
from analytics.services.warning import rules, watching
from customers.models import Segment
from loancrm.kernel.access import system_actor
from loancrm.kernel.roles import ensure_roles
from tests.factories.people import make_people
from tests.integration.analytics.services.warning.scene import lend

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
HEADERS = {"Accept-Language": "zh-hans"}


@pytest.fixture
def client_of(db):
    ensure_roles()

    def signed_in(role):
        user = User.objects.create_user(f"{role}-1", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def case(db, now, monkeypatch):
    rules.ensure_rules()
    (person,) = make_people(1)
    lend(person)
    watching.watch_people(actor=system_actor("job:test"), customer_ids=[person.pk], now=now)
    return RiskCase.objects.get(alert__rule__name="first-payment-missed")


def test_cases_stand_with_words_and_masked(client_of, case):
    text = client_of("analyst").get(reverse("warning:index"), headers=HEADERS).content.decode()
    for words in ("首期未还", "首期已逾期 12 天。", "还款提醒", "待处理"):
        assert words in text
    for raw in ("first_payment_missed", "客户1", "first-payment-missed"):
        assert raw not in text


def test_the_filters_choose(client_of, case):
    client = client_of("analyst")
    address = reverse("warning:index")
    assert (
        "#" + str(case.pk) in client.get(f"{address}?show=late", headers=HEADERS).content.decode()
    )
    for shown in ("mine", "closed"):
        page = client.get(f"{address}?show={shown}", headers=HEADERS).content.decode()
        assert "没有此类个案" in page
    assert client.get(f"{address}?show=nonsense&page=9x", headers=HEADERS).status_code == 200


def test_an_empty_list_says_what_comes_here(client_of):
    page = client_of("analyst").get(reverse("warning:index"), headers=HEADERS).content.decode()
    assert "没有待处理的个案" in page


def test_a_case_is_taken_and_closed_on_its_page(client_of, case):
    client = client_of("analyst")
    address = reverse("warning:case", args=[case.pk])
    assert "该客户不会收到任何营销信息" in client.get(address, headers=HEADERS).content.decode()
    client.post(reverse("warning:take", args=[case.pk]))
    assert (
        client.get(reverse("warning:index") + "?show=mine").context["rows"][0]["number"] == case.pk
    )
    closing = reverse("warning:close", args=[case.pk])
    refused = client.post(closing, {"outcome": "acted", "note": ""}, headers=HEADERS)
    assert refused.status_code == 200
    assert refused.context["form"].errors
    client.post(closing, {"outcome": "false_alarm", "note": "银行延迟入账"})
    case.refresh_from_db()
    assert (case.state, case.outcome, case.note) == ("closed", "false_alarm", "银行延迟入账")
    text = client.get(address, headers=HEADERS).content.decode()
    assert "误报" in text
    assert closing not in text


def test_a_group_is_called_by_its_name(client_of, now):
    rules.ensure_rules()
    Segment.objects.create(slug="young", name="年轻客户", created_at=now)
    alert = RiskAlert.objects.create(
        rule=WarningRule.objects.get(name="segment-arrears"),
        group="young",
        severity="high",
        facts={"bad": 3, "total": 50, "expected": "0.02"},
        opened_at=now,
        seen_at=now,
    )
    RiskCase.objects.create(alert=alert, state="open", action="watch", due_at=now)
    page = client_of("analyst").get(reverse("warning:index"), headers=HEADERS).content.decode()
    assert "年轻客户" in page
    assert "50 笔贷款中 3 笔逾期；全部贷款为 2.0%。" in page


def test_the_tile_counts_whom_alerts_bar_whatever_bars_them(client_of, now):
    """A rule of middling gravity whose action is to stop marketing bars as a grave one does."""
    rules.ensure_rules()
    WarningRule.objects.exclude(name="first-payment-missed").update(is_active=False)
    WarningRule.objects.filter(name="first-payment-missed").update(
        severity="medium", action="stop_marketing"
    )
    (person,) = make_people(1)
    lend(person)
    watching.watch_people(actor=system_actor("test"), customer_ids=[person.pk], now=now)
    page = client_of("analyst").get(reverse("warning:index"))
    tiles = {tile.icon: tile.value for tile in page.context["tiles"]}
    assert tiles["do_not_disturb_on"] == "1"


@pytest.mark.parametrize("role", ["marketer", "approver", "steward"])
def test_others_see_none_of_it(client_of, case, role):
    client = client_of(role)
    addresses = [
        reverse("warning:index"),
        reverse("warning:rules"),
        reverse("warning:case", args=[case.pk]),
        reverse("warning:rule", args=[case.alert.rule_id]),
    ]
    assert [client.get(address).status_code for address in addresses] == [403] * 4
    client.post(reverse("warning:take", args=[case.pk]))
    case.refresh_from_db()
    assert case.state == "open"


def test_a_rule_is_changed_on_its_page_by_who_may(client_of, case):
    client = client_of("analyst")
    address = reverse("warning:rule", args=[case.alert.rule_id])
    form = client.get(address).context["form"]
    assert list(form.fields) == [
        *("severity", "action", "days", "answer_hours", "cool_down_days", "owner", "is_active")
    ]
    given = {"severity": "low", "action": "watch", "days": 7, "answer_hours": 5}
    client.post(address, given | {"cool_down_days": 9, "is_active": "on"})
    rule = WarningRule.objects.get(pk=case.alert.rule_id)
    assert (rule.severity, rule.days, rule.answer_hours, rule.is_active) == ("low", 7, 5, True)
    refused = client.post(address, given | {"cool_down_days": -1}, headers=HEADERS)
    assert refused.context["form"].errors
    assert client_of("compliance").get(address).status_code == 403


def test_the_list_of_rules_asks_as_much_for_ten_as_for_one(
    client_of, django_assert_max_num_queries
):
    rules.ensure_rules()
    client = client_of("analyst")
    client.get(reverse("warning:rules"))
    with django_assert_max_num_queries(20):
        page = client.get(reverse("warning:rules"), headers=HEADERS).content.decode()
    assert "首期未还" in page


def test_odd_addresses_are_no_errors(client_of, case):
    client = client_of("analyst")
    for key in ("0", "x", "9" * 30):
        assert client.get(f"/admin/early-warning/{key}/").status_code == 404
        assert client.get(f"/admin/early-warning/rules/{key}/").status_code == 404


def test_a_late_case_is_not_called_overdue_as_a_loan_is(client_of, case, now):
    RiskCase.objects.update(due_at=now - timedelta(days=900))
    client = client_of("analyst")
    for address in (reverse("warning:index"), reverse("warning:case", args=[case.pk])):
        text = client.get(address, headers=HEADERS).content.decode()
        assert "已超时" in text
        assert ">已逾期<" not in text


def test_a_case_leads_back_to_the_cases(client_of, case):
    text = client_of("analyst").get(reverse("warning:case", args=[case.pk])).content.decode()
    back = reverse("warning:index")
    assert f'class="lcx-button" href="{back}"' in text


def test_the_calendar_of_a_replay_has_its_words(client_of):
    text = client_of("analyst").get(reverse("warning:replays")).content.decode()
    assert text.index(reverse("admin:jsi18n")) < text.index("calendar.js")
    assert text.index("admin/js/core.js") < text.index("calendar.js")


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        ("bucket_up", ("逾期天数不少于", "逾期档比 … 天前更差", "自“高”起")),
        ("utilisation_high", ("额度使用率（0.9 即 90%）", 'value="0.9"')),
        ("partner_first_default", ("首期未还的正常比例", "都不会停止对其成员的营销")),
        ("segment_drift", ("PSI 高于", "人群人数不少于")),
    ],
)
def test_a_rule_asks_for_its_numbers_in_words_of_its_own(client_of, signal, words):
    rules.ensure_rules()
    rule = WarningRule.objects.get(signal=signal)
    address = reverse("warning:rule", args=[rule.pk])
    text = client_of("analyst").get(address, headers=HEADERS).content.decode()
    for word in words:
        assert word in text


@pytest.mark.parametrize("signal", list(Signal))
def test_every_rule_can_be_saved_as_it_stands(client_of, signal):
    rules.ensure_rules()
    rule = WarningRule.objects.filter(signal=signal).first()
    client = client_of("analyst")
    address = reverse("warning:rule", args=[rule.pk])
    form = client.get(address).context["form"]
    given = {
        name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()
    }
    given |= {
        name: 0 for name, field in form.fields.items() if given[name] == "" and field.required
    }
    assert client.post(address, given).status_code == 302

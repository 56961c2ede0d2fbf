"""Which rule binds whom on which day, and what each does (d22, f6, f80)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from campaigns.domain.compliance.offers import ListedProduct, offer_faults
from campaigns.domain.compliance.rulebook import RULES, rules_on
from campaigns.domain.compliance.rules import LenderType, RuleCheck, RuleSeverity
from campaigns.domain.content import rule_checks, word_search
from campaigns.domain.content.lint import check_sms
from campaigns.domain.content.lint_problems import LintProblemCode

BANK, MICRO = LenderType.BANK, LenderType.MICRO_LENDER
IN_FORCE = rules_on(date(2026, 9, 30), BANK)


def _sms(text, rules, **changes):
    arguments = {"language": "zh-hans", "signature": "诚信", "is_marketing": True, **changes}
    return {p.code: p.severity for p in check_sms(text=text, rules=rules, **arguments)}


def _costs(cost, day, lender):
    found = offer_faults([ListedProduct("贷", Decimal(cost))], rules_on(day, lender))
    return [(fault.code.value, fault.severity.value) for fault in found]


def test_every_rule_has_both_languages_a_source_and_a_name_of_its_own():
    assert all(rule.text_zh and rule.text_en and rule.source for rule in RULES)
    assert len({rule.rule_id for rule in RULES}) == len(RULES)
    assert {rule.check for rule in RULES} == set(RuleCheck)
    assert all(rule.until is None or rule.until >= rule.since for rule in RULES)


@pytest.mark.parametrize(
    ("day", "lender", "cost", "blocked"),
    [
        (date(2025, 9, 30), BANK, "0.2401", []),
        (date(2025, 10, 1), BANK, "0.2401", [("cost_above_cap", "block")]),
        (date(2025, 10, 1), BANK, "0.2400", []),
        (date(2025, 10, 1), LenderType.LOAN_ASSISTING, "0.2401", [("cost_above_cap", "block")]),
        (date(2025, 10, 1), MICRO, "0.2401", []),
        (date(2025, 12, 31), MICRO, "0.2401", [("cost_above_cap", "block")]),
        (date(2027, 12, 30), MICRO, "0.1201", [("cost_above_cap", "warn")]),
        (date(2027, 12, 31), MICRO, "0.1201", [("cost_above_cap", "block")]),
        (date(2027, 12, 31), MICRO, "0.1200", []),
        (date(2027, 12, 31), BANK, "0.1201", []),
        (date(2026, 8, 1), BANK, "0.287000073", [("cost_above_cap", "block")]),
    ],
)
def test_d22_the_cap_depends_on_lender_and_day(day, lender, cost, blocked):
    assert _costs(cost, day, lender) == blocked


def test_d22_from_2026_08_01_a_cost_is_known_and_told():
    unknown = [ListedProduct("贷", None)]
    switch = date(2026, 8, 1)
    before, after = rules_on(switch - timedelta(days=1), BANK), rules_on(switch, BANK)
    assert offer_faults(unknown, before) == []
    assert [f.code.value for f in offer_faults(unknown, after)] == ["cost_unknown"]
    text = "年化利率7.2%起"
    assert _sms(text, before) == {}
    assert _sms(text, after) == {LintProblemCode.COST_NOT_SHOWN: RuleSeverity.WARN}
    assert _sms("年化综合融资成本7.2%起", after) == {}


def test_f6_from_2026_09_30_inducing_words_stop_a_text():
    before, after = rules_on(date(2026, 9, 29), BANK), IN_FORCE
    assert _sms("低门槛贷款", before) == {LintProblemCode.RISKY_WORD: RuleSeverity.WARN}
    assert _sms("低门槛贷款", after) == {LintProblemCode.BANNED_WORD: RuleSeverity.BLOCK}


@pytest.mark.parametrize(
    "text",
    [
        *("低 门 槛", "低門檻", "低門槛", "低门坎", "秒🚀到账", "秒到帳", "低&#38376;槛"),
        *("低&nbsp;门&nbsp;槛", "dī mén kǎn", "ＤＩＭＥＮＫＡＮ", "低\u200b门槛", "<b>低</b>门槛"),
    ],
)
def test_f80_a_word_is_found_however_it_is_dressed_up(text):
    found = word_search.banned(text, IN_FORCE.banned_words())
    assert {severity for _word, severity in found} == {RuleSeverity.BLOCK}


def test_d22_a_written_rate_above_the_cap_stops_a_text():
    assert _sms("年化利率24.01%", IN_FORCE)[LintProblemCode.RATE_ABOVE_CAP] is RuleSeverity.BLOCK
    assert LintProblemCode.RATE_ABOVE_CAP not in _sms("年化利率24%", IN_FORCE)


@pytest.mark.parametrize(
    ("since", "until", "is_listed"),
    [
        (date(2026, 9, 30), None, True),
        (date(2026, 10, 1), None, False),
        (date(2026, 1, 1), date(2026, 9, 30), True),
        (date(2026, 1, 1), date(2026, 9, 29), False),
    ],
)
def test_a_partner_that_charges_is_on_the_list_that_day(since, until, is_listed):
    product = ListedProduct("贷", Decimal("0.1"), (("担保公司", since, until),))
    assert (offer_faults([product], IN_FORCE) == []) is is_listed


def test_f88_a_product_listed_in_a_service_text_is_an_offer():
    products = [ListedProduct("贷", Decimal("0.1"))]
    (found,) = rule_checks.check_offers(products, is_marketing=False, rules=IN_FORCE)
    assert (found.code, found.severity) == (LintProblemCode.OFFER_IN_SERVICE, RuleSeverity.BLOCK)
    assert rule_checks.check_offers(products, is_marketing=True, rules=IN_FORCE) == ()


def test_f14_a_finished_text_is_looked_at_as_a_whole():
    def codes(text, *, is_marketing=True):
        found = rule_checks.check_rendered(
            {"text": text}, is_marketing=is_marketing, rules=IN_FORCE
        )
        return {problem.code for problem in found}

    assert codes("您好，低门槛") == {LintProblemCode.BANNED_WORD}
    assert codes("日息0.02%") == {LintProblemCode.RATE_WITHOUT_APR}
    assert codes("立即申请", is_marketing=False) == {LintProblemCode.OFFER_IN_SERVICE}
    assert codes("您好") == set()

"""What a text shows decides, not how its source is written (c4)."""

from datetime import date

import pytest

from campaigns.domain.compliance import rulebook
from campaigns.domain.compliance.rules import LenderType, RuleSeverity
from campaigns.domain.content.lint import blocks, check_email, check_sms
from campaigns.domain.content.lint_problems import LintProblemCode
from campaigns.domain.content.rate_claims import without_annual_rate

RULES = rulebook.rules_on(date(2026, 11, 1), LenderType.BANK)

HIDING = [
    "{{ '低门槛' }}",
    "{{ name|default('秒到账') }}",
    "{{ '低' }}{{ '门槛' }}",
    "{{ 'DIMENKAN'|lower }}",
    "{{ '低门' if city == '上海' else '您好' }}槛",
    "{% if city == '上海' %}低{% else %}您好{% endif %}{{ 'X' if name is defined else '门槛' }}",
    "{% if city == 'a' %}您好{% elif city == 'b' %}秒到账{% else %}再见{% endif %}",
    "{% for product in products %}{{ product.name }}{% else %}高收益{% endfor %}",
    "{% for product in products %}低{% endfor %}门槛",
    "{{ city or '低门槛' }}",
    "{{ city and '低门槛' }}",
    "{{ nosuch|default('低')|trim }}{{ nosuch|default('门槛') }}",
    "{{ '{{' }}低门槛{{ '}}' }}",
    "{{ '<' }}低门槛{{ '>' }}",
    "<低门槛>",
    # Many choices, and the word only where some are made one way and the next the other way.
    "{% if city is defined %}x{% endif %}" * 8
    + "{% if city is defined %}低{% endif %}{% if city is defined %}y{% else %}门槛{% endif %}",
]


def _codes(problems):
    return {problem.code for problem in problems if problem.severity is RuleSeverity.BLOCK}


def _sms(text, **changes):
    arguments = {
        "language": "zh-hans",
        "signature": "诚信",
        "is_marketing": True,
        "rules": RULES,
        **changes,
    }
    return check_sms(text=text, **arguments)


@pytest.mark.parametrize("text", HIDING)
def test_c4_words_written_in_code_are_found_in_a_text_message(text):
    assert LintProblemCode.BANNED_WORD in _codes(_sms(text))


@pytest.mark.parametrize("text", HIDING)
@pytest.mark.parametrize("where", ["subject", "text", "html"])
def test_c4_words_written_in_code_are_found_in_every_part_of_a_mail(text, where):
    parts = {
        "subject": "您好",
        "text": "{{ brand }} {{ unsubscribe_url }}",
        "html_source": '<p>{{ brand }}</p><a href="{{ unsubscribe_url }}">退订</a>',
    }
    parts["html_source" if where == "html" else where] += text
    found = check_email(**parts, language="zh-hans", is_marketing=True, rules=RULES)
    assert LintProblemCode.BANNED_WORD in {
        problem.code for problem in found if problem.where == where
    }


def test_c4_words_that_come_with_the_products_are_found():
    text = "{% for product in products %}{{ product.name }}{% endfor %}"
    assert not blocks(_sms(text))
    assert LintProblemCode.BANNED_WORD in _codes(
        _sms(text, constants={"products": ({"name": "秒到账"},)})
    )


def test_c4_a_text_that_chooses_in_too_many_places_is_not_looked_through_in_part():
    text = "{% if city is defined %}a{% endif %}" * 31
    assert LintProblemCode.TOO_MANY_CHOICES in _codes(_sms(text))


def test_c4_a_rate_of_one_branch_needs_its_annual_rate_in_the_same_branch():
    apart = "{% if city == 'a' %}日息0.02%{% else %}年化利率（单利）7.2%{% endif %}"
    together = "{% if city == 'a' %}日息0.02%，年化利率（单利）7.3%{% else %}您好{% endif %}"
    assert LintProblemCode.RATE_WITHOUT_APR in _codes(_sms(apart))
    assert LintProblemCode.RATE_WITHOUT_APR not in _codes(_sms(together))


@pytest.mark.parametrize(
    "text",
    [
        "日息低至万二",
        "日利率0.02%",
        "每天只需2.7元",
        "每日 3 元起",
        "借1万日还2.7元",
        "借1万，一天只要3块",
        "利息万分之五",
        "月息 0.6%",
        "月费率0.5%",
        "费用 0.02%/天",
        "万5/天",
        "利率低至7.2%",
        "月供低至300元",
        "免息30天",
        "日 息 低 至 0.02%",
        "日息0.02%，详情咨询年化产品",
        "日息0.02%，April 5 起",
        "only 0.02% a day",
        "0.02% per day, see our apron",
        "from 5 Apr: 0.02% a day",
        "2.7 yuan per day",
        "$1 a day",
        "daily interest of two cents",
        "interest-free for 30 days",
        "rates from 7.2%",
        "APR applies, 0.02% a day",
        "日息0.02%" + "，其他内容" * 30 + "年化利率7.2%",
        "日息0.02%，年化另计，每天0.5%",
    ],
)
def test_c4_a_price_for_a_day_needs_an_annual_number_near_it(text):
    assert without_annual_rate(text)


@pytest.mark.parametrize(
    "text",
    [
        "日息万二，年化利率7.2%",
        "日利率0.02%（年化利率（单利）7.3%）",
        "借1万日还2元，年化（IRR）7.3%",
        "年化利率7.2%起",
        "7.2% APR, about 0.02% a day",
        "APR of 7.2%, 0.02% a day",
        "0.02% per day (annualised rate, simple: 7.3%)",
        "0.02% per day, 7.3% a year",
        "活动持续每天 9 点到 18 点",
        "本月还款日还有三天",
        "请在 5 Apr 2026 前查看",
        "万一您需要帮助，请致电",
        "April offers on aprons",
        "我们每天为您服务",
        "annual report",
    ],
)
def test_c4_what_is_no_price_or_has_its_annual_number_passes(text):
    assert without_annual_rate(text) == ""

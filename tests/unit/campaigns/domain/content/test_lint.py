from datetime import date

import pytest

from campaigns.domain.compliance import rulebook
from campaigns.domain.compliance.rules import LenderType, RuleSeverity
from campaigns.domain.content.lint import (
    LintProblemCode,
    blocks,
    check_email,
    check_sms,
)
from campaigns.domain.content.word_search import banned

RULES = rulebook.rules_on(date(2026, 11, 1), LenderType.BANK)

GOOD_SMS = (
    "{{ name }}{{ title }}您好，{{ product_name }}年化综合融资成本{{ offer_rate|percent }}起，"
    "详情 https://example.com/a"
)


def _sms(text, **changes):
    arguments = {
        "language": "zh-hans",
        "signature": "诚信",
        "is_marketing": True,
        "rules": RULES,
        **changes,
    }
    return check_sms(text=text, **arguments)


def _email(**changes):
    arguments = {
        "subject": "{{ name }}，您好",
        "text": "{{ brand }} 退订 {{ unsubscribe_url }}",
        "html_source": '<p>{{ brand }}</p><a href="{{ unsubscribe_url }}">退订</a>',
        "language": "zh-hans",
        "is_marketing": True,
        "rules": RULES,
        **changes,
    }
    return check_email(**arguments)


def _codes(problems):
    return {problem.code for problem in problems}


def test_good_texts_pass():
    assert _sms(GOOD_SMS) == ()
    assert _email() == ()
    assert not blocks(())


@pytest.mark.parametrize(
    ("_case", "text", "code"),
    [
        ("empty", "  ", LintProblemCode.EMPTY),
        ("not in the catalogue", "{{ phone }}", LintProblemCode.UNKNOWN_VARIABLE),
        ("not allowed", "{{ name|safe }}", LintProblemCode.TEMPLATE_REFUSED),
        ("brackets", "您好【官方】", LintProblemCode.SIGNATURE_IN_BODY),
        ("another signature", "【假冒】您好", LintProblemCode.SIGNATURE_IN_BODY),
        ("banned", "秒到账", LintProblemCode.BANNED_WORD),
        ("rate", "日息低至万二", LintProblemCode.RATE_WITHOUT_APR),
        ("data in a link", "https://example.com/?u={{ name }}", LintProblemCode.VARIABLE_IN_LINK),
    ],
)
def test_planted_faults_of_an_sms_are_found(_case, text, code):
    problems = _sms(text)
    assert code in _codes(problems)
    assert blocks(problems)


def test_a_channel_without_signature_blocks():
    assert LintProblemCode.SIGNATURE_MISSING in _codes(_sms(GOOD_SMS, signature=""))


def test_the_channels_own_signature_may_be_written_out():
    assert _sms("【诚信】" + GOOD_SMS) == ()


def test_attributes_with_values_are_known_names():
    assert LintProblemCode.UNKNOWN_VARIABLE in _codes(_sms("{{ points }}"))
    assert _sms("{{ points }}", known_names=frozenset({"points"})) == ()


def test_many_parts_only_warn():
    problems = _sms("长" * 300)
    assert [(p.code, p.severity, p.facts) for p in problems] == [
        (LintProblemCode.MANY_PARTS, RuleSeverity.WARN, {"parts": 5})
    ]
    assert not blocks(problems)


def test_a_rate_beside_its_annual_rate_passes():
    assert LintProblemCode.RATE_WITHOUT_APR not in _codes(_sms("日息万二，年化利率7.2%"))
    assert LintProblemCode.RATE_WITHOUT_APR not in _codes(_sms("日息万二", is_marketing=False))


@pytest.mark.parametrize(
    ("_case", "changes", "code"),
    [
        ("no way out in the text", {"text": "{{ brand }}"}, LintProblemCode.UNSUBSCRIBE_MISSING),
        (
            "no way out in the HTML",
            {"html_source": "<p>{{ brand }}</p>"},
            LintProblemCode.UNSUBSCRIBE_MISSING,
        ),
        ("subject empty", {"subject": " "}, LintProblemCode.EMPTY),
        ("banned subject", {"subject": "低·门·槛"}, LintProblemCode.BANNED_WORD),
        (
            "person's data as a link",
            {"html_source": '<a href="{{ name }}">x</a>{{ unsubscribe_url }}'},
            LintProblemCode.VARIABLE_IN_LINK,
        ),
        (
            "not allowed",
            {"html_source": "{{ unsubscribe_url.x() }}"},
            LintProblemCode.TEMPLATE_REFUSED,
        ),
    ],
)
def test_planted_faults_of_an_email_are_found(_case, changes, code):
    problems = _email(**changes)
    assert code in _codes(problems)
    assert blocks(problems)


_WAY = "{{ unsubscribe_url }}"


@pytest.mark.parametrize(
    "text",
    [
        "{# unsubscribe_url #}",
        "unsubscribe_url",
        "{% if name == 'x' %}{{ unsubscribe_url }}{% endif %}",
        "{% if city is defined %}{{ unsubscribe_url }}{% endif %}",
        "{% if x %}{{ unsubscribe_url }}{% elif y %}再见{% else %}{{ unsubscribe_url }}{% endif %}",
        "{% for product in products %}{{ unsubscribe_url }}{% endfor %}",
        "{{ unsubscribe_url if gender == 'q' else '' }}",
        "{{ 'unsubscribe_url' }}",
        "{{ unsubscribe_url|mask }}",
        "{{ unsubscribe_url|upper }}",
        "{% if unsubscribe_url == 'x' %}{% endif %}",
        "https://example.com/u/example/",
    ],
)
def test_c4_a_way_out_that_not_everybody_sees_is_none(text):
    for changes in (
        {"text": f"{{{{ brand }}}} {text}", "html_source": ""},
        {"html_source": f"<p>{{{{ brand }}}} {text}</p>"},
    ):
        problems = _email(**changes)
        assert LintProblemCode.UNSUBSCRIBE_MISSING in _codes(problems)
        assert blocks(problems)


@pytest.mark.parametrize(
    "html",
    [
        "<!-- unsubscribe_url -->",
        f"<!-- {_WAY} -->",
        f"<!-- <a href='{_WAY}'>退订</a> -->",
        f"<p style='display:none'><a href='{_WAY}'>退订</a></p>",
        f"<div style='DISPLAY : none !important'><p><a href='{_WAY}'>退订</a></p></div>",
        f"<style>.x {{ display: none }}</style><p class='x'><a href='{_WAY}'>退订</a></p>",
        f"<p style='visibility:hidden'>{_WAY}</p>",
        f"<p style='font-size:0'>{_WAY}</p>",
        f"<p style='font-size:1px;color:#fff'>{_WAY}</p>",
        f"<p style='opacity:0.0'>{_WAY}</p>",
        f"<p style='position:absolute;left:-9999px'>{_WAY}</p>",
        f"<a href='{_WAY}'></a>",
        f"<a href='{_WAY}'>\u200b &nbsp;</a>",
        f"<a href='{_WAY}'><img src='https://a.example/b.png' width='1' height='1'></a>",
        f"<img src='{_WAY}' alt='x'>",
        f"<p title='{_WAY}'>退订</p>",
        f"<script>{_WAY}</script>",
        f"<p style='{{% if name == \"x\" %}}display:none{{% endif %}}'>{_WAY}</p>",
    ],
)
def test_c4_a_way_out_that_no_reader_of_the_html_sees_is_none(html):
    problems = _email(html_source=f"<p>{{{{ brand }}}}</p>{html}")
    assert ("html", LintProblemCode.UNSUBSCRIBE_MISSING) in {(p.where, p.code) for p in problems}
    assert blocks(problems)


@pytest.mark.parametrize(
    "html",
    [
        f'<a href="{_WAY}">退订</a>',
        f"<p>退订：{_WAY}</p>",
        f'<a style="color:#999;font-size:12px" href=" {_WAY} "><b>退订</b></a>',
        f'<a href="{_WAY}"><img src="https://a.example/b.png" alt="退订" width="80"></a>',
        f"{{% if name == 'x' %}}<a href=\"{_WAY}\">退订</a>{{% else %}}<p>{_WAY}</p>{{% endif %}}",
        f"<table><tr><td><p>好<br><a href='{_WAY}'>{{{{ name }}}}，退订</a></table>",
        f"<i style='display:none'>预览</i><p style='max-width:600px'><a href='{_WAY}'>退订</a>",
    ],
)
def test_c4_a_way_out_that_everybody_sees_is_one(html):
    problems = _email(html_source=f"<p>{{{{ brand }}}}</p>{html}")
    assert _codes(problems) <= {LintProblemCode.IMAGE_ONLY}


@pytest.mark.parametrize("code", ["\\u3010官方\\u3011", "\\u3010", "】"])
def test_c4_a_signature_written_by_code_is_one_in_the_body(code):
    problems = _sms(f"您好{{{{ '{code}' }}}}")
    assert LintProblemCode.SIGNATURE_IN_BODY in _codes(problems)


def test_c4_a_sender_whom_not_everybody_sees_is_named_as_missing():
    for text in ("{# brand #}", "{% if name == 'x' %}{{ brand }}{% endif %}"):
        problems = _email(text=f"{text} {_WAY}", html_source="")
        assert _codes(problems) == {LintProblemCode.SENDER_MISSING}


def test_service_mails_need_no_way_out():
    assert _email(text="您的账单", html_source="", is_marketing=False) == ()


def test_a_mail_of_one_picture_asks_for_a_look():
    html = '<img src="https://a.example/b.png" alt=""><a href="{{ unsubscribe_url }}">退订</a>'
    problems = _email(html_source=html)
    assert [(p.code, p.severity) for p in problems] == [
        (LintProblemCode.IMAGE_ONLY, RuleSeverity.WARN)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "低门槛",
        "低 门 槛",
        "低·门·槛",
        "低门坎",
        "低門檻",
        "低-门_槛",
        "低\u200b门槛",
        "低<b>门</b>槛",
        "&#20302;&#38376;&#27099;",
        "低👍门👍槛",
        "dī mén kǎn",
        "Di Men Kan",
        "ｄｉｍｅｎｋａｎ",
        "低{{ name }}门槛",
    ],
)
def test_a_banned_word_is_found_however_it_is_dressed_up(text):
    assert ("低门槛", RuleSeverity.BLOCK) in banned(text, RULES.banned_words())


@pytest.mark.parametrize("text", ["秒🚀到账", "秒到帐", "高 收 益", "低風險"])
def test_the_other_banned_words_too(text):
    assert any(
        severity is RuleSeverity.BLOCK for _word, severity in banned(text, RULES.banned_words())
    )


@pytest.mark.parametrize("text", ["降低风险提示", "门槛较低", "到账时间以银行为准", "收益"])
def test_harmless_texts_are_left_alone(text):
    found = banned(text, RULES.banned_words())
    assert found == () or text == "降低风险提示"


def test_risky_words_warn():
    assert banned("限时抢购，零风险", RULES.banned_words()) == (
        ("零风险", RuleSeverity.WARN),
        ("限时抢购", RuleSeverity.WARN),
    )


def test_u45_a_link_that_nobody_counts_is_named_and_blocks_nothing():
    problems = _sms(GOOD_SMS.replace("https://example.com/a", "www.haojie.example/a"))
    (found,) = problems
    assert (found.code, found.severity) == (LintProblemCode.LINK_NOT_COUNTED, RuleSeverity.WARN)
    assert found.facts["link"] == "www.haojie.example/a"
    assert not blocks(problems)
    html = '<p>{{ brand }}</p><a href="haojie.cn/a">x</a><a href="{{ unsubscribe_url }}">退订</a>'
    (found,) = _email(html_source=html)
    assert (found.code, found.where) == (LintProblemCode.LINK_NOT_COUNTED, "html")


def test_u45_data_in_a_link_with_capitals_is_found():
    assert LintProblemCode.VARIABLE_IN_LINK in _codes(_sms("HTTPS://example.com/?u={{ name }}"))

"""The e-mail that every contender sends, so that all of them do the same work.

An offer as a lender sends it: a subject, a plain and an HTML part with eight variables of the
person and the lender, a loop and a condition.
"""

from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from campaigns.domain.content import email_html, texts
from campaigns.domain.content.texts import CompiledEmail

SUBJECT = "{{ name }}{{ title }}，您的专属额度已更新"
TEXT = """\
尊敬的{{ name }}{{ title }}：

{% if city is defined %}{{ city }}地区的{% endif %}服务已升级，您可在手机应用内查看额度与年化利率。

{% for product in products %}
- {{ product.name }}：最高 {{ product.max_amount | money }}，
  年化利率 {{ product.annual_rate | percent }}（单利），{{ product.term_months }} 期
{% endfor %}

查看详情：https://lender.example/offer

1. 打开手机应用，核对额度与年化利率。
2. 选择金额与期数，查看每期应还本金、利息与还款日。
3. 确认合同后放款；提前结清不收违约金。

贷款有风险，借款需谨慎；请根据个人能力合理贷款，理性消费，避免逾期。
实际额度、利率与放款时间以审批结果为准。{{ brand }}不会在放款前收取任何费用，也不会索要短信验证码。
{{ brand }}　客服电话 {{ hotline }}　{{ sender_address }}
退订：{{ unsubscribe_url }}
"""
HTML = """\
<html><head><style>
body { margin: 0; background: #f4f6f8; font-family: "PingFang SC", "Microsoft YaHei", sans-serif; }
.card { width: 600px; background: #ffffff; border-radius: 8px; }
.head { padding: 20px 32px; background: #0b3d91; color: #ffffff; font-size: 20px; }
.lead { padding: 24px 32px 0 32px; font-size: 16px; line-height: 26px; color: #1f2933; }
.offer { padding: 8px 12px; border-bottom: 1px solid #e4e7eb; font-size: 14px; color: #3e4c59; }
.step { padding: 6px 32px; font-size: 14px; line-height: 24px; color: #3e4c59; }
.button { display: inline-block; padding: 12px 28px; background: #0967d2; color: #ffffff; }
.small { padding: 0 32px 24px 32px; font-size: 12px; line-height: 20px; color: #7b8794; }
</style></head><body><table class="card" align="center" role="presentation">
<tr><td class="head">{{ brand }}</td></tr>
<tr><td class="lead"><p>尊敬的<b>{{ name }}</b>{{ title }}：</p>
<p>{% if city is defined %}{{ city }}地区的{% endif %}服务已升级，
您可在手机应用内查看额度与年化利率。</p>
</td></tr>
<tr><td><table role="presentation" width="100%">
<tr><td class="offer">产品</td><td class="offer">最高额度</td>
<td class="offer">年化利率（单利）</td><td class="offer">期数</td></tr>
{% for product in products %}
<tr><td class="offer">{{ product.name }}</td>
<td class="offer">{{ product.max_amount | money }}</td>
<td class="offer">{{ product.annual_rate | percent }}</td>
<td class="offer">{{ product.term_months }}</td></tr>
{% endfor %}
</table></td></tr>
<tr><td class="lead"><p><a class="button" href="https://lender.example/offer">查看详情</a></p></td></tr>
<tr><td class="step">1. 打开手机应用，核对额度与年化利率。</td></tr>
<tr><td class="step">2. 选择金额与期数，查看每期应还本金、利息与还款日。</td></tr>
<tr><td class="step">3. 确认合同后放款；提前结清不收违约金。</td></tr>
<tr><td class="small"><p>贷款有风险，借款需谨慎；请根据个人能力合理贷款，理性消费，避免逾期。</p>
<p>实际额度、利率与放款时间以审批结果为准。
{{ brand }}不会在放款前收取任何费用，也不会索要短信验证码。</p>
<p>{{ brand }}　客服电话 {{ hotline }}　{{ sender_address }}</p>
<p><a href="{{ unsubscribe_url }}">退订</a></p></td></tr>
</table></body></html>
"""
SMS = "尊敬的{{ name }}{{ title }}，您的专属额度已更新，请在手机应用内查看。"
SENDER = "示例消费金融 <news@lender.example>"


class OfferedProduct(NamedTuple):
    """A product that the e-mail offers."""

    name: str
    annual_rate: Decimal
    max_amount: Decimal
    term_months: int


PRODUCTS = (
    OfferedProduct("安心借", Decimal("0.072"), Decimal(200_000), 12),
    OfferedProduct("随心还", Decimal("0.108"), Decimal(80_000), 24),
    OfferedProduct("循环贷", Decimal("0.144"), Decimal(50_000), 36),
    OfferedProduct("装修贷", Decimal("0.0588"), Decimal(300_000), 60),
    OfferedProduct("助学贷", Decimal("0.0365"), Decimal(20_000), 48),
)
_SHOWN = tuple(product._asdict() for product in PRODUCTS)
LENDER = {
    "brand": "示例消费金融",
    "hotline": "400-000-0000",
    "sender_address": "北京市朝阳区示例路 1 号",
}


CITIES = ("杭州", "成都", "西安", "青岛")


@cache
def compiled() -> CompiledEmail:
    """Return the e-mail compiled, its styles inlined; once a process."""
    return texts.compile_email(
        subject=SUBJECT, text=TEXT, html=email_html.prepare(HTML), language="zh-hans"
    )


def person(number: int) -> dict[str, Any]:
    """Return the variables of one made-up person."""
    return {
        "name": f"客户{number}",
        "title": "女士" if number % 2 else "先生",
        "city": city(number),
        "products": _SHOWN,
        **LENDER,
        "unsubscribe_url": f"https://lender.example/u/{number:030d}/",
        "link_0": f"https://lender.example/t/{number:030d}/",
    }


def city(number: int) -> str:
    """Return the city of one made-up person."""
    return CITIES[number % len(CITIES)]


def address(number: int) -> str:
    """Return the address of one made-up person."""
    return f"person{number}@example.com"


def mobile(number: int) -> str:
    """Return the mobile number of one made-up person."""
    return f"+86139{number:08d}"

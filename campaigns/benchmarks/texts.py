"""The e-mail that every contender sends, so that all of them do the same work."""

from typing import Any

SUBJECT = "{{ name }}，您的专属额度已更新"
TEXT = (
    "尊敬的{{ name }}{{ title }}：\n"
    "您在{{ city | default('本地') }}的申请资料已审核完毕，可在手机应用内查看额度与年化利率。\n"
    "{% if offer_amount is defined %}当前额度：{{ offer_amount | money }} 元。{% endif %}\n"
    "详情：https://lender.example/offer\n退订：{{ unsubscribe_url }}\n"
)
HTML = (
    "<html><body><p>尊敬的<b>{{ name }}</b>{{ title }}：</p>"
    "<p>您在{{ city | default('本地') }}的申请资料已审核完毕，"
    "可在手机应用内查看额度与年化利率。</p>"
    "{% if offer_amount is defined %}<p>当前额度：{{ offer_amount | money }} 元。</p>{% endif %}"
    "<p><a href='https://lender.example/offer'>查看详情</a></p>"
    "<p><a href='{{ unsubscribe_url }}'>退订</a></p></body></html>"
)
SENDER = "示例消费金融 <news@lender.example>"


def person(number: int) -> dict[str, Any]:
    """Return the variables of one made-up person."""
    return {
        "name": f"客户{number}",
        "title": "女士" if number % 2 else "先生",
        "city": ("杭州", "成都", "西安", "青岛")[number % 4],
        "unsubscribe_url": f"https://lender.example/u/{number:030d}/",
        "link_0": f"https://lender.example/t/{number:030d}/",
    }


def address(number: int) -> str:
    """Return the address of one made-up person."""
    return f"person{number}@example.com"

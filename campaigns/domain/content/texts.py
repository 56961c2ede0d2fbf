"""What an author may say about a person, and how a text becomes one person's message.

Texts are compiled once a process and content; the caller keeps nothing. A variable without a value
and without a fallback raises `MissingVariable`, so that this person is skipped with a reason and
never greeted as "None".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from campaigns.domain.content import links, sms_parts
from loancrm.kernel.texts.templates import (
    RenderFailed,
    TextKind,
    TextTemplate,
    compile_text,
)


class VariableKind(StrEnum):
    """What sort of value a variable holds."""

    TEXT = "text"
    MONEY = "money"
    RATE = "rate"
    DATE = "date"
    URL = "url"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Variable:
    """One name that a text may use.

    Attributes:
        name: As written between the braces.
        kind: Sort of value; tells which filter suits.
        label_zh: Name for authors in Chinese.
        label_en: Name for authors in English.
        example: Value for a preview without a customer.
    """

    name: str
    kind: VariableKind
    label_zh: str
    label_en: str
    example: Any


CATALOGUE: tuple[Variable, ...] = (
    Variable("name", VariableKind.TEXT, "姓名", "full name", "王小明"),
    Variable("first_name", VariableKind.TEXT, "名", "given name", "小明"),
    Variable("last_name", VariableKind.TEXT, "姓", "family name", "王"),
    Variable("title", VariableKind.TEXT, "称谓（先生/女士）", "title (Mr/Ms)", "先生"),
    Variable("city", VariableKind.TEXT, "城市", "city", "杭州"),
    Variable("province", VariableKind.TEXT, "省份", "province", "浙江"),
    Variable("product_name", VariableKind.TEXT, "产品名称", "product name", "安心借"),
    Variable(
        "products",
        VariableKind.LIST,
        "在售产品列表，可逐个列出",
        "products on offer, to go through one by one",
        (
            {"name": "安心借", "annual_rate": Decimal("0.072"), "max_amount": Decimal(200_000)},
            {"name": "随心还", "annual_rate": Decimal("0.108"), "max_amount": Decimal(80_000)},
        ),
    ),
    Variable("offer_amount", VariableKind.MONEY, "授信额度", "offered amount", Decimal(50000)),
    Variable(
        "offer_rate",
        VariableKind.RATE,
        "年化利率（小数）",
        "annual rate (fraction)",
        Decimal("0.072"),
    ),
    Variable(
        "offer_expires_on", VariableKind.DATE, "额度有效期", "offer valid until", date(2026, 12, 31)
    ),
    Variable("campaign_name", VariableKind.TEXT, "活动名称", "campaign name", "春季关怀"),
    Variable("brand", VariableKind.TEXT, "品牌", "brand", "示例消费金融"),
    Variable("hotline", VariableKind.TEXT, "客服电话", "service hotline", "400-000-0000"),
    Variable(
        "sender_address", VariableKind.TEXT, "公司地址", "postal address of the sender", "北京市"
    ),
    Variable(
        "unsubscribe_url",
        VariableKind.URL,
        "退订链接",
        "unsubscribe link",
        "https://example.com/u/example/",
    ),
    Variable(
        "preferences_url",
        VariableKind.URL,
        "偏好设置链接",
        "link to the person's preferences",
        "https://example.com/p/example/",
    ),
)
VARIABLES: dict[str, Variable] = {variable.name: variable for variable in CATALOGUE}

_LINK_NAME = re.compile(r"link_\d{1,2}")
_TWO_CHARACTER_SURNAMES = (
    "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政"
    "濮阳公冶太叔申屠公孙慕容仲孙钟离长孙宇文司徒鲜于司空令狐百里呼延东郭西门"
)
_COMPOUND_SURNAMES = frozenset(
    _TWO_CHARACTER_SURNAMES[i : i + 2] for i in range(0, len(_TWO_CHARACTER_SURNAMES), 2)
)
_TITLES = {
    ("zh", "male"): "先生",
    ("zh", "female"): "女士",
    ("en", "male"): "Mr",
    ("en", "female"): "Ms",
}
_NEUTRAL_TITLES = {"zh": "客户", "en": "Customer"}
# Line breaks may stay in an SMS; other control and direction characters may not.
_UNSEEN = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f\u200b-\u200c\u200e-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


@dataclass(frozen=True, slots=True)
class PersonFields:
    """What a text may know about a person: plain values, already opened."""

    name: str = field(repr=False)
    gender: str = ""
    city: str = ""
    province: str = ""


def person_context(person: PersonFields, *, language: str) -> dict[str, Any]:
    """Return the variables about a person; what is not known is left out.

    Args:
        person: Plain values.
        language: Language of the text, `zh-hans` or `en`; decides the title.
    """
    tongue = "zh" if language.startswith("zh") else "en"
    context: dict[str, Any] = {
        "title": _TITLES.get((tongue, person.gender)) or _NEUTRAL_TITLES[tongue]
    }
    if person.name:
        context["name"] = person.name
        context["last_name"], context["first_name"] = split_name(person.name)
    if person.city:
        context["city"] = person.city
    if person.province:
        context["province"] = person.province
    return context


def split_name(name: str) -> tuple[str, str]:
    """Return family and given name; a one-word Latin name is its own family name."""
    if name[0] > "\u2e7f":
        length = 2 if name[:2] in _COMPOUND_SURNAMES and len(name) > 2 else 1
        return name[:length], name[length:] or name
    given, _space, family = name.strip().rpartition(" ")
    return family, given or family


def example_context() -> dict[str, Any]:
    """Return the catalogue's examples, for a preview without a customer."""
    return {variable.name: variable.example for variable in CATALOGUE}


def unknown_variables(names: frozenset[str]) -> tuple[str, ...]:
    """Return the names that are neither in the catalogue nor links, sorted."""
    return tuple(
        sorted(name for name in names if name not in VARIABLES and not _LINK_NAME.fullmatch(name))
    )


@dataclass(frozen=True, slots=True)
class CompiledEmail:
    """An e-mail ready to be filled for one person after the other.

    Attributes:
        link_targets: The n-th is the target behind the variable `link_n`.
        variables: Every name that any part reads.
        required: Those without a fallback somewhere.
    """

    subject: TextTemplate
    text: TextTemplate
    html: TextTemplate | None
    link_targets: tuple[str, ...]
    variables: frozenset[str]
    required: frozenset[str]

    def with_fixed(self, values: Mapping[str, Any]) -> "CompiledEmail":
        """Return the e-mail with everything rendered that is the same for everybody."""
        return replace(
            self,
            subject=self.subject.with_fixed(values),
            text=self.text.with_fixed(values),
            html=self.html.with_fixed(values) if self.html else None,
        )


@dataclass(frozen=True, slots=True)
class CompiledSms:
    """A text message ready to be filled; attributes as in `CompiledEmail`."""

    text: TextTemplate
    link_targets: tuple[str, ...]
    variables: frozenset[str]
    required: frozenset[str]

    def with_fixed(self, values: Mapping[str, Any]) -> "CompiledSms":
        """Return the message with everything rendered that is the same for everybody."""
        return replace(self, text=self.text.with_fixed(values))


@lru_cache(maxsize=256)
def compile_email(*, subject: str, text: str, html: str, language: str) -> CompiledEmail:
    """Compile the three parts of an e-mail; links become variables so that clicks can be seen.

    Args:
        subject: Template of the subject line.
        text: Template of the plain part.
        html: Template of the HTML part, as `email_html.prepare` returned it, or empty.
        language: `zh-hans` or `en`.

    Raises:
        TemplateRefused: A part holds what is not allowed.
    """
    linked_html = links.track_html(html)
    linked_text = links.track_text(text, linked_html.targets)
    parts = [
        compile_text(subject, kind=TextKind.TEXT, language=language),
        compile_text(linked_text.source, kind=TextKind.TEXT, language=language),
    ]
    if html:
        parts.append(compile_text(linked_html.source, kind=TextKind.HTML, language=language))
    return CompiledEmail(
        subject=parts[0],
        text=parts[1],
        html=parts[2] if html else None,
        link_targets=linked_text.targets,
        variables=frozenset().union(*(part.variables for part in parts)),
        required=frozenset().union(*(part.required for part in parts)),
    )


@lru_cache(maxsize=256)
def compile_sms(*, text: str, language: str) -> CompiledSms:
    """Compile a text message.

    Raises:
        TemplateRefused: The text holds what is not allowed.
    """
    linked = links.track_text(text)
    template = compile_text(linked.source, kind=TextKind.TEXT, language=language)
    return CompiledSms(template, linked.targets, template.variables, template.required)


def render_email(compiled: CompiledEmail, context: dict[str, Any]) -> tuple[str, str, str | None]:
    """Return subject, plain text and HTML for one person.

    Args:
        compiled: From `compile_email`.
        context: Plain values without None and without empty texts; see `person_context` and
            `text_templates.freeze`. Values are never themselves read as templates.

    Raises:
        MissingVariable: A variable without fallback has no value; names it.
        RenderFailed: A value does not fit its filter, or the subject is empty.
        OutputTooLong: A part is too long.
    """
    subject = " ".join(compiled.subject.render(context).split())
    if not subject:
        raise RenderFailed("The subject is empty.")
    html = compiled.html.render(context) if compiled.html is not None else None
    return subject, compiled.text.render(context), html


def render_sms(
    compiled: CompiledSms, context: dict[str, Any], *, signature: str, opt_out_text: str
) -> tuple[str, int]:
    """Return the finished text of a message and the number of parts that are billed.

    Args:
        compiled: From `compile_sms`.
        context: As for `render_email`.
        signature: Registered signature without brackets; stands first, once.
        opt_out_text: `sms_parts.OPT_OUT_TEXT` for marketing, empty for servicing.

    Raises:
        MissingVariable, RenderFailed, OutputTooLong: As for `render_email`.
    """
    body = compiled.text.render(context)
    if not body.isprintable():
        body = _UNSEEN.sub("", body)
    if not body.strip():
        raise RenderFailed("The text is empty.")
    text = sms_parts.compose(body, signature=signature, opt_out_text=opt_out_text)
    return text, sms_parts.measure(text).parts

"""What the columns of an unknown file probably hold: from their names and from their cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from enum import StrEnum
from functools import partial
from typing import Final

from customers.domain.values.dates import DateOrder, parse_date
from customers.domain.values.emails import parse_email
from customers.domain.values.names import parse_name
from customers.domain.values.national_id import parse_national_id
from customers.domain.values.quality import ValueRefused
from customers.domain.values.words import clean, parse_amount, parse_flag, parse_gender
from loancrm.kernel.phones import PhoneRefused, parse_phone

# Share of the filled cells that must be readable as a kind: real files have mistakes in them.
_ENOUGH: Final = 0.8
# The same where the column's name says so too.
_ENOUGH_NAMED: Final = 0.5
# Columns with at most this many different words are categories.
_MAX_CATEGORIES: Final = 20
_SEPARATORS: Final = re.compile(r"[\s_\-./()（）:：]+")
_MAX_NAME_CHARS: Final = 30
_MAX_CHINESE_CHARS: Final = 6


class Kind(StrEnum):
    """What the cells of a column look like."""

    EMPTY = "empty"
    NATIONAL_ID = "national_id"
    PHONE = "phone"
    EMAIL = "email"
    FLAG = "flag"
    GENDER = "gender"
    NUMBER = "number"
    AMOUNT = "amount"
    DATE = "date"
    CATEGORY = "category"
    NAME = "name"
    TEXT = "text"


ID_TARGET: Final = "id_column"
# Names of columns as suppliers write them, without separators and in lower case.
_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    ID_TARGET: ("id", "客户号", "客户编号", "客户id", "编号", "会员号", "customerid", "clientid",
                "customerno", "externalid", "userid", "用户id"),
    "customer.name": ("姓名", "客户姓名", "名字", "客户名称", "name", "fullname", "customername"),
    "customer.national_id": ("身份证", "身份证号", "身份证号码", "证件号", "证件号码", "idcard",
                             "idnumber", "nationalid", "idno"),
    "customer.birth_date": ("出生日期", "生日", "出生年月日", "birthdate", "dateofbirth", "dob",
                            "birthday", "born"),
    "customer.gender": ("性别", "gender", "sex"),
    "contact.phone": ("手机", "手机号", "手机号码", "电话", "联系电话", "移动电话", "phone",
                      "mobile", "phonenumber", "tel", "telephone", "cellphone"),
    "contact.email": ("邮箱", "电子邮箱", "邮件", "电子邮件", "email", "mail", "emailaddress"),
    "customer.province": ("省", "省份", "所在省", "province", "state"),
    "customer.city": ("市", "城市", "所在城市", "city", "town"),
    "customer.occupation": ("职业", "工作", "occupation", "job", "profession"),
    "customer.education": ("学历", "教育程度", "文化程度", "education"),
    "customer.marital": ("婚姻", "婚姻状况", "婚否", "marital", "maritalstatus"),
    "customer.income_band": ("收入区间", "收入档次", "incomeband", "incomegroup"),
    "consent.sms.marketing": ("短信同意", "短信营销同意", "接收短信", "smsconsent", "smsoptin"),
    "consent.email.marketing": ("邮件同意", "邮件营销同意", "接收邮件", "emailconsent",
                                "emailoptin"),
    "consent.phone.marketing": ("电话同意", "电话营销同意", "phoneconsent", "callconsent"),
}  # fmt: skip
_BY_ALIAS: Final = {alias: target for target, names in _ALIASES.items() for alias in names}
# What the cells of a column must look like to be taken for what its name says.
_FITTING: Final[Mapping[str, frozenset[Kind]]] = {
    "customer.national_id": frozenset({Kind.NATIONAL_ID}),
    "customer.birth_date": frozenset({Kind.DATE}),
    "customer.gender": frozenset({Kind.GENDER, Kind.FLAG}),
    "contact.phone": frozenset({Kind.PHONE}),
    "contact.email": frozenset({Kind.EMAIL}),
    "consent.sms.marketing": frozenset({Kind.FLAG}),
    "consent.email.marketing": frozenset({Kind.FLAG}),
    "consent.phone.marketing": frozenset({Kind.FLAG}),
}
_BY_KIND: Final[Mapping[Kind, str]] = {
    Kind.NATIONAL_ID: "customer.national_id",
    Kind.PHONE: "contact.phone",
    Kind.EMAIL: "contact.email",
}


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column probably is.

    Attributes:
        target: Suggested target of a mapping, `id_column`, or empty where nothing suggests itself.
        order: `dmy` or `mdy` where only that reads the dates.
        words: The different words of a category, most frequent first.
    """

    column: str
    kind: Kind
    target: str = ""
    order: str = ""
    words: tuple[str, ...] = ()


def guess_columns(
    columns: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    *,
    today: date,
    attributes: Collection[str] = (),
) -> list[Guess]:
    """Return a guess a column; every target but contacts is suggested at most once.

    Args:
        rows: The first rows of the file.
        today: Day against which identity numbers are checked.
        attributes: Names of the attributes that exist already.
    """
    taken: set[str] = set()
    guesses = []
    for column in columns:
        cells = [text for row in rows if (text := row.get(column, "")).strip()]
        named = _BY_ALIAS.get(_SEPARATORS.sub("", column).casefold(), "")
        kind, order = _kind(cells, today, expected=_FITTING.get(named, frozenset()))
        target = _target(column, kind, named, attributes)
        if target in taken and not target.startswith("contact."):
            target = ""
        taken.add(target)
        words = _words(cells) if kind in {Kind.CATEGORY, Kind.FLAG, Kind.GENDER} else ()
        guesses.append(Guess(column, kind, target, order, words))
    return guesses


def _kind(cells: Sequence[str], today: date, *, expected: Collection[Kind]) -> tuple[Kind, str]:
    """Return the kind of cells, and the order of day and month where it matters."""
    if not cells:
        return Kind.EMPTY, ""
    for kind, order, read in _tests(today):
        if _readable(cells, read, share=_ENOUGH_NAMED if kind in expected else _ENOUGH):
            return kind, order
    words = _words(cells)
    if len(words) <= _MAX_CATEGORIES and len(words) * 2 <= len(cells):
        return Kind.CATEGORY, ""
    return (Kind.NAME if _readable(cells, _person_name, share=_ENOUGH) else Kind.TEXT), ""


def _tests(today: date) -> tuple[tuple[Kind, str, Callable[[str], object]], ...]:
    """Return (kind, order, reader), the most telling kinds first."""
    return (
        (Kind.NATIONAL_ID, "", partial(parse_national_id, today=today)),
        (Kind.EMAIL, "", parse_email),
        (Kind.PHONE, "", parse_phone),
        (Kind.FLAG, "", parse_flag),
        (Kind.GENDER, "", parse_gender),
        (Kind.DATE, DateOrder.YEAR_FIRST, partial(_date, order=DateOrder.YEAR_FIRST)),
        (Kind.DATE, DateOrder.DAY_FIRST, partial(_date, order=DateOrder.DAY_FIRST)),
        (Kind.DATE, DateOrder.MONTH_FIRST, partial(_date, order=DateOrder.MONTH_FIRST)),
        (Kind.NUMBER, "", float),
        (Kind.AMOUNT, "", parse_amount),
    )


def _readable(cells: Sequence[str], read: Callable[[str], object], *, share: float) -> bool:
    good = 0
    for text in cells:
        try:
            read(text)
        except (ValueRefused, PhoneRefused, ValueError):
            continue
        good += 1
    return good >= share * len(cells)


def _date(text: str, *, order: str) -> date:
    # A bare number may be anything; only eight digits are taken for a date.
    if text.strip().isdigit() and len(text.strip()) != len("20010703"):
        raise ValueError
    # Only whether it can be read matters here.
    return parse_date(text, zone=UTC, order=order)


def _person_name(text: str) -> str:
    name = parse_name(text)
    longest = _MAX_NAME_CHARS if name.isascii() or "·" in name else _MAX_CHINESE_CHARS
    if not name or len(name) > longest or any(mark.isdigit() for mark in name):
        raise ValueError
    return name


def _words(cells: Iterable[str]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for text in cells:
        if word := clean(text):
            counts[word] = counts.get(word, 0) + 1
    return tuple(sorted(counts, key=lambda word: (-counts[word], word)))


def _target(column: str, kind: Kind, named: str, attributes: Collection[str]) -> str:
    if named and (kind is Kind.EMPTY or kind in _FITTING.get(named, {kind})):
        return named
    slug = _SEPARATORS.sub("_", column.strip()).strip("_").lower()
    if slug in attributes:
        return f"attribute.{slug}"
    return _BY_KIND.get(kind, "")

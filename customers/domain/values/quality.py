"""What can be wrong with a value or a row, and how good a file was.

Codes are stable: they appear in reports, rejects files, `by_reason` and customers' histories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

_SIGNIFICANT = 1.959964


class Code(StrEnum):
    """Everything that an import reports about a cell, a row or a person."""

    PHONE_INVALID = "phone_invalid"
    PHONE_DIGITS_LOST = "phone_digits_lost"
    EMAIL_INVALID = "email_invalid"
    ID_FORMAT = "id_format"
    ID_CHECKSUM = "id_checksum"
    ID_DATE = "id_date"
    ID_REGION = "id_region"
    NAME_MISSING = "name_missing"
    NAME_INVALID = "name_invalid"
    DATE_INVALID = "date_invalid"
    DATE_AMBIGUOUS = "date_ambiguous"
    BIRTH_FUTURE = "birth_future"
    BIRTH_IMPLAUSIBLE = "birth_implausible"
    BIRTH_CONFLICT = "birth_conflict"
    GENDER_INVALID = "gender_invalid"
    GENDER_CONFLICT = "gender_conflict"
    AMOUNT_INVALID = "amount_invalid"
    NUMBER_INVALID = "number_invalid"
    FLAG_INVALID = "flag_invalid"
    CATEGORY_UNKNOWN = "category_unknown"
    TEXT_TOO_LONG = "text_too_long"
    VALUE_MISSING = "value_missing"
    CONSENT_CONFLICT = "consent_conflict"
    CONSENT_UNPROVEN = "consent_unproven"
    DUPLICATE = "duplicate"
    IDENTITY_CONFLICT = "identity_conflict"
    IDENTITY_MISSING = "identity_missing"
    CELLS_MISALIGNED = "cells_misaligned"
    EXISTS_ALREADY = "exists_already"
    NOT_FOUND = "not_found"
    CONTACT_SHARED = "contact_shared"
    ID_TAKEN = "id_taken"
    SOURCE_OUTRANKED = "source_outranked"
    PURPOSE_REFUSED = "purpose_refused"
    QUOTE_UNCLOSED = "quote_unclosed"
    TEXT_UNREADABLE = "text_unreadable"
    TEXT_BINARY = "text_binary"
    CELL_TOO_LONG = "cell_too_long"
    ROW_TOO_LONG = "row_too_long"
    ROW_MALFORMED = "row_malformed"
    CELLS_MISSING = "cells_missing"
    AMOUNT_NEGATIVE = "amount_negative"
    LINES_JOINED = "lines_joined"


class QualitySeverity(StrEnum):
    """What happens because of a finding."""

    NOTE = "note"
    FIELD_DROPPED = "field_dropped"
    ROW_REJECTED = "row_rejected"


_REJECTING = frozenset(
    {
        Code.IDENTITY_MISSING,
        Code.IDENTITY_CONFLICT,
        Code.CELLS_MISALIGNED,
        Code.EXISTS_ALREADY,
        Code.NOT_FOUND,
        Code.PURPOSE_REFUSED,
        Code.QUOTE_UNCLOSED,
        Code.TEXT_UNREADABLE,
        Code.TEXT_BINARY,
        Code.CELL_TOO_LONG,
        Code.ROW_TOO_LONG,
        Code.ROW_MALFORMED,
    }
)
_NOTING = frozenset(
    {
        Code.NAME_MISSING,
        Code.VALUE_MISSING,
        Code.BIRTH_CONFLICT,
        Code.GENDER_CONFLICT,
        Code.CONSENT_CONFLICT,
        Code.DUPLICATE,
        Code.CONTACT_SHARED,
        Code.SOURCE_OUTRANKED,
        Code.CELLS_MISSING,
        Code.LINES_JOINED,
    }
)


@dataclass(frozen=True, slots=True)
class CodeText:
    """A code in words."""

    zh: str
    en: str


REASONS: Mapping[Code, CodeText] = {
    Code.PHONE_INVALID: CodeText("电话号码无效", "not a valid telephone number"),
    Code.PHONE_DIGITS_LOST: CodeText(
        "电话号码被表格软件转成科学计数法，数字已丢失",
        "the spreadsheet rounded the number; digits are lost",
    ),
    Code.EMAIL_INVALID: CodeText("电子邮箱无效", "not a valid e-mail address"),
    Code.ID_FORMAT: CodeText(
        "身份证号码不是18位或15位", "the identity number does not have 18 or 15 characters"
    ),
    Code.ID_CHECKSUM: CodeText(
        "身份证号码校验位错误", "the check digit of the identity number is wrong"
    ),
    Code.ID_DATE: CodeText(
        "身份证号码中的出生日期无效", "the birth date in the identity number is impossible"
    ),
    Code.ID_REGION: CodeText(
        "身份证号码中的省份代码不存在", "the identity number names an unknown province"
    ),
    Code.NAME_MISSING: CodeText("缺少姓名", "the name is missing"),
    Code.NAME_INVALID: CodeText("姓名中没有文字", "the name contains no letters"),
    Code.DATE_INVALID: CodeText("日期无效", "not a valid date"),
    Code.DATE_AMBIGUOUS: CodeText("日期的日和月无法区分", "day and month cannot be told apart"),
    Code.BIRTH_FUTURE: CodeText("出生日期在未来", "the birth date lies in the future"),
    Code.BIRTH_IMPLAUSIBLE: CodeText("出生日期过早", "the birth date is too long ago"),
    Code.BIRTH_CONFLICT: CodeText(
        "出生日期与身份证号码不一致，已采用身份证号码",
        "the birth date contradicts the identity number, which was used",
    ),
    Code.GENDER_INVALID: CodeText("性别无法识别", "the gender is not understood"),
    Code.GENDER_CONFLICT: CodeText(
        "性别与身份证号码不一致，已采用身份证号码",
        "the gender contradicts the identity number, which was used",
    ),
    Code.AMOUNT_INVALID: CodeText("金额无效", "not a valid amount"),
    Code.NUMBER_INVALID: CodeText("数字无效", "not a valid number"),
    Code.FLAG_INVALID: CodeText("无法识别是或否", "neither yes nor no"),
    Code.CATEGORY_UNKNOWN: CodeText("字典中没有该值", "the dictionary does not list this word"),
    Code.TEXT_TOO_LONG: CodeText("文字过长", "the text is too long"),
    Code.VALUE_MISSING: CodeText("缺少应有的值", "an expected value is missing"),
    Code.CONSENT_CONFLICT: CodeText(
        "客户已退订，导入不能恢复同意", "the customer has opted out; a file cannot undo that"
    ),
    Code.CONSENT_UNPROVEN: CodeText(
        "缺少同意文本的版本或时间，未记录同意",
        "the consent was left out: the version of its text or its time is missing",
    ),
    Code.DUPLICATE: CodeText(
        "与文件中另一行是同一人，已合并", "same person as another row of the file; folded into it"
    ),
    Code.IDENTITY_CONFLICT: CodeText(
        "来源编号属于身份证号码不同的另一人",
        "the source's id belongs to a person with another identity number",
    ),
    Code.IDENTITY_MISSING: CodeText(
        "没有任何可识别客户的信息", "nothing in the row identifies a person"
    ),
    Code.CELLS_MISALIGNED: CodeText("单元格多于列", "more cells than columns"),
    Code.EXISTS_ALREADY: CodeText("客户已存在（仅新增模式）", "the customer exists (insert mode)"),
    Code.NOT_FOUND: CodeText("客户不存在（仅更新模式）", "no such customer (update mode)"),
    Code.ID_TAKEN: CodeText(
        "身份证号码已属于另一位客户，等待人工合并",
        "the identity number belongs to another customer; a merge is proposed",
    ),
    Code.PURPOSE_REFUSED: CodeText(
        "该来源的合同不允许用于此用途的同意",
        "the contract of the source does not cover a consent for this purpose",
    ),
    Code.CONTACT_SHARED: CodeText(
        "联系方式已属于另一位客户，仅作为次要联系方式保存",
        "the contact belongs to another customer and was stored as secondary",
    ),
    Code.QUOTE_UNCLOSED: CodeText(
        "该行的引号没有在单元格末尾闭合，该行及可能被它包含的行未导入",
        "a quotation mark opens here and does not close where a cell ends",
    ),
    Code.TEXT_UNREADABLE: CodeText(
        "该行含有无法按文件编码读取的字符", "the line holds bytes that the encoding cannot read"
    ),
    Code.TEXT_BINARY: CodeText(
        "该行含有空字符（NUL）等不可保存的字符", "the line holds characters that cannot be stored"
    ),
    Code.CELL_TOO_LONG: CodeText(
        "单元格超过131072个字符", "a cell is longer than 131,072 characters"
    ),
    Code.ROW_TOO_LONG: CodeText(
        "该行超过1048576个字符", "the line is longer than 1,048,576 characters"
    ),
    Code.ROW_MALFORMED: CodeText("该行不是可读取的记录", "the line is no readable record"),
    Code.CELLS_MISSING: CodeText("单元格少于列", "fewer cells than columns"),
    Code.AMOUNT_NEGATIVE: CodeText("该金额不能为负数", "this amount cannot be negative"),
    Code.LINES_JOINED: CodeText(
        "该单元格含换行，从此行起的多行被读作一条记录，请核对引号",
        "a cell runs over several lines, which were read as one record; check its quotation marks",
    ),
    Code.SOURCE_OUTRANKED: CodeText(
        "更可信来源的值已保留，本文件的值未采用",
        "a value of a more trusted source stays; the file's was not taken",
    ),
}


class ValueRefused(ValueError):
    """A text does not mean a value of the wanted kind; carries the code, never the text."""

    def __init__(self, code: Code) -> None:
        """Keep the code."""
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class QualityFinding:
    """Something an import noticed in one row; `column` is the file's column, or empty."""

    code: Code
    column: str = ""

    @property
    def severity(self) -> QualitySeverity:
        """Return what the finding did to the row."""
        if self.code in _REJECTING:
            return QualitySeverity.ROW_REJECTED
        return QualitySeverity.NOTE if self.code in _NOTING else QualitySeverity.FIELD_DROPPED


@dataclass(slots=True)
class Share:
    """A rate that keeps its numerator and denominator."""

    numerator: int = 0
    denominator: int = 0

    @property
    def rate(self) -> float | None:
        """Return the rate in 0..1, or None where nothing was counted."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def percent(self) -> float | None:
        """Return the rate in percent, or None where nothing was counted."""
        return None if self.rate is None else self.rate * 100

    def count(self, *, good: bool) -> None:
        """Count one more case."""
        self.denominator += 1
        self.numerator += good

    def add(self, other: Share) -> None:
        """Count the cases of another share of the same kind."""
        self.numerator += other.numerator
        self.denominator += other.denominator


class Trend(StrEnum):
    """How the newest figure stands against the earlier ones."""

    BETTER = "better"
    LEVEL = "level"
    WORSE = "worse"
    UNKNOWN = "unknown"


def trend(newest: Share, earlier: Share) -> Trend:
    """Return whether a rate has moved by more than chance explains (two-sided, 5 %).

    Source: pooled two-proportion z-test, Fleiss, Levin and Paik, Statistical Methods for Rates and
    Proportions, 3rd ed. (2003), section 3.1, without continuity correction.

    Args:
        earlier: All earlier figures together; nothing counted on either side is `UNKNOWN`.
    """
    new, old = newest.rate, earlier.rate
    if new is None or old is None:
        return Trend.UNKNOWN
    total = newest.denominator + earlier.denominator
    pooled = (newest.numerator + earlier.numerator) / total
    variance = pooled * (1 - pooled) * (1 / newest.denominator + 1 / earlier.denominator)
    if (new - old) ** 2 <= _SIGNIFICANT**2 * variance:
        return Trend.LEVEL
    return Trend.BETTER if new > old else Trend.WORSE


@dataclass(slots=True)
class Scorecard:
    """Quality of one file: every dimension with numerator and denominator, column by column.

    Completeness: cells with a text among all cells. Validity: accepted among cells with a text.
    Uniqueness: rows that are nobody else's second row among all rows. Consistency: rows whose
    fields do not contradict each other among rows that were kept. Timeliness: rows that are at most
    as old as the mapping allows among rows with a readable date of their state.
    """

    completeness: dict[str, Share] = field(default_factory=dict)
    validity: dict[str, Share] = field(default_factory=dict)
    uniqueness: Share = field(default_factory=Share)
    consistency: Share = field(default_factory=Share)
    timeliness: Share = field(default_factory=Share)

    def count_cells(self, column: str, *, cells: int, blank: int, wrong: int) -> None:
        """Count cells of a mapped column; the blank and the wrong ones are among `cells`."""
        share = self.completeness.setdefault(column, Share())
        share.denominator += cells
        share.numerator += cells - blank
        validity = self.validity.setdefault(column, Share())
        validity.denominator += cells - blank
        validity.numerator += cells - blank - wrong

    def add(self, other: Scorecard) -> None:
        """Count what another card of the same file has counted."""
        for own, more in (
            (self.completeness, other.completeness),
            (self.validity, other.validity),
        ):
            for name, share in more.items():
                own.setdefault(name, Share()).add(share)
        for name in ("uniqueness", "consistency", "timeliness"):
            getattr(self, name).add(getattr(other, name))

    def as_json(self) -> dict[str, object]:
        """Return the card as plain JSON values."""

        def share(item: Share) -> dict[str, object]:
            return {
                "numerator": item.numerator,
                "denominator": item.denominator,
                "rate": item.rate,
            }

        return {
            "completeness": {name: share(item) for name, item in self.completeness.items()},
            "validity": {name: share(item) for name, item in self.validity.items()},
            "uniqueness": share(self.uniqueness),
            "consistency": share(self.consistency),
            "timeliness": share(self.timeliness),
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take the figures that `as_json` wrote."""

        def share(item: Mapping[str, Any]) -> Share:
            return Share(int(item["numerator"]), int(item["denominator"]))

        for name in ("completeness", "validity"):
            setattr(self, name, {key: share(item) for key, item in content[name].items()})
        for name in ("uniqueness", "consistency", "timeliness"):
            setattr(self, name, share(content[name]))


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that a file is over: `count` of `rows` have the problem `code`."""

    code: str
    count: int
    rows: int
    limit: float


REJECTED_LIMIT = "rejected"
LIMIT_CODES: frozenset[str] = frozenset({*(code.value for code in Code), REJECTED_LIMIT})


def exceeded_limits(
    limits: Mapping[str, float], row_codes: Mapping[str, int], *, rows: int, rejected: int
) -> list[Excess]:
    """Return the limits that a file is over; a share equal to its limit is still allowed.

    Args:
        limits: Largest allowed share (0..1) of rows by code, or by `rejected` for all refused rows.
        row_codes: Rows that have a code, each row once a code.
    """
    counts = {**row_codes, REJECTED_LIMIT: rejected}
    return [
        Excess(code, counts.get(code, 0), rows, limit)
        for code, limit in sorted(limits.items())
        # As decimals: 0.29 of 100 rows are 29, in binary a little less.
        if counts.get(code, 0) > Decimal(str(limit)) * rows
    ]

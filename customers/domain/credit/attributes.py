"""The attributes that credit facts become: their names, words, and who may read them."""

import hashlib
from dataclasses import dataclass

from customers.domain.fields.catalogue import Text
from customers.domain.values.attribute import AttributeType

_LONGEST_NAME = 60
# Of a name that is cut: so many digits of the digest of the whole tell it from others.
_MARK_LENGTH = 8


@dataclass(frozen=True, slots=True)
class DerivedAttribute:
    """One attribute that is derived and never typed in.

    Attributes:
        is_risk_only: Rules, texts and models of marketing neither see nor use it.
    """

    name: str
    label: Text
    unit: str = ""
    is_risk_only: bool = False
    value_type: AttributeType = AttributeType.NUMBER


AFFORDABILITY = (
    DerivedAttribute(
        "income_monthly", Text("月收入（信用资料）", "income a month (credit facts)"), "CNY"
    ),
    DerivedAttribute("obligations_monthly", Text("月债务支出", "obligations a month"), "CNY"),
    DerivedAttribute(
        "disposable_monthly", Text("月可支配收入", "disposable income a month"), "CNY"
    ),
    DerivedAttribute("dti", Text("债务收入比（DTI）", "debt to income (DTI)")),
)


def _bureau(prefix: str, zh: str, en: str, *, is_risk_only: bool) -> tuple[DerivedAttribute, ...]:
    """Return the measures of a report, in the order of `BureauMeasures`."""
    words = (
        ("open_count", "未结清账户数", "open accounts", ""),
        ("utilisation", "额度使用率", "utilisation", ""),
        ("max_dpd_days", "近24个月最长逾期天数", "most days past due in 24 months", ""),
        ("recent_inquiries", "近30天查询次数", "inquiries of the last 30 days", ""),
        ("file_age_months", "信用历史月数", "months of credit history", ""),
    )
    return tuple(
        DerivedAttribute(
            f"{prefix}_{name}", Text(f"{zh}：{own_zh}", f"{en}: {own_en}"), unit, is_risk_only
        )
        for name, own_zh, own_en, unit in words
    )


BUREAU = _bureau("bureau", "征信报告", "bureau report", is_risk_only=True)
MARKETING_BUREAU = _bureau(
    "marketing_bureau", "征信报告（营销授权）", "bureau report for marketing", is_risk_only=False
)
DERIVED = (*AFFORDABILITY, *BUREAU, *MARKETING_BUREAU)


def vendor_attribute(name: str, *, is_text: bool, may_market: bool) -> DerivedAttribute:
    """Return the attribute of a vendor's value.

    Numbers and texts of one name are two attributes, because an attribute has one type; so are
    values of vendors whose contract covers marketing and of others. No two of them ever share a
    name, whatever vendors call their values: a value called `risk_x` that marketing may use is
    never taken for the value `x` that it may not.
    """
    risk = "" if may_market else "（仅风险）"
    risk_en = "" if may_market else " (risk only)"
    return DerivedAttribute(
        _vendor_name(name, is_text=is_text, may_market=may_market),
        Text(f"外部数据：{name}{risk}", f"vendor's value: {name}{risk_en}"),
        is_risk_only=not may_market,
        value_type=AttributeType.TEXT if is_text else AttributeType.NUMBER,
    )


def _vendor_name(name: str, *, is_text: bool, may_market: bool) -> str:
    if not may_market:
        prefix = "vendor_risk_"
    else:
        prefix = "vendor_marketing_" if name.startswith(("risk_", "marketing_")) else "vendor_"
    ending = "_text" if is_text else "_number" if name.endswith(("_text", "_number")) else ""
    full = f"{prefix}{name}{ending}"
    if len(full) <= _LONGEST_NAME:
        return full
    mark = hashlib.sha256(full.encode()).hexdigest()[:_MARK_LENGTH]
    return f"{full[: _LONGEST_NAME - _MARK_LENGTH - 1]}_{mark}"

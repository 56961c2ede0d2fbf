"""Which columns a purpose may read, where each comes from and how it is called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from analytics.domain.discovery_names import FEATURE_LABELS
from analytics.domain.modelling.life.choices import ModelPurpose
from customers.domain.fields.catalogue import DataClass, Text
from customers.domain.segments.columns import CUSTOMER_FIELDS
from customers.domain.values.attribute import AttributeType
from customers.domain.values.spells import PROFILE_COLUMNS
from customers.models import AttributeDefinition

PREFIX: Final = "attribute."
OWN_LABELS: Final[Mapping[str, Text]] = {
    **FEATURE_LABELS,
    "months_since_loan": Text("距首笔贷款月数", "months since the first loan"),
    "application_amount": Text("最近申请金额", "amount of the last application"),
    "application_channel": Text("最近申请渠道", "channel of the last application"),
    "application_product": Text("最近申请产品", "product of the last application"),
    **{name: CUSTOMER_FIELDS[name].label for name in PROFILE_COLUMNS},
}
_CATEGORIES: Final = {"application_channel", "application_product", *PROFILE_COLUMNS}
_SOURCES: Final[Mapping[str, str]] = {
    "loan_count": "loans",
    "principal_amount": "loans",
    "months_since_loan": "loans",
    "outstanding_amount": "loan_book",
    "max_dpd_days": "loan_book",
    "application_amount": "applications",
    "application_channel": "applications",
    "application_product": "applications",
    **dict.fromkeys(PROFILE_COLUMNS, "profile"),
}


@dataclass(frozen=True, slots=True)
class ModelColumn:
    """One column that a model may read.

    Attributes:
        source: Table that it comes from: events, loans, loan_book, applications, profile or
            attributes.
        data_class: Whether it is for risk only.
        is_category: It holds words.
    """

    name: str
    label: Text
    source: str
    data_class: DataClass
    is_category: bool = False


def columns_for(purpose: ModelPurpose) -> dict[str, ModelColumn]:
    """Return every column that a model of this purpose may read, by name; one query.

    Protected attributes are never among them. What is for risk only is there for risk only. Texts
    of the lender are categories; those that are none drop out of themselves in the selection.
    """
    found = {
        name: ModelColumn(
            name,
            label,
            _SOURCES.get(name, "events"),
            DataClass.ORDINARY,
            is_category=name in _CATEGORIES,
        )
        for name, label in OWN_LABELS.items()
    }
    rows = AttributeDefinition.objects.filter(
        is_protected=False, value_type__in=(AttributeType.NUMBER, AttributeType.TEXT)
    ).order_by("name")
    if not purpose.is_risk:
        rows = rows.filter(is_risk_only=False)
    for row in rows:
        name = f"{PREFIX}{row.name}"
        found[name] = ModelColumn(
            name,
            Text(row.label_zh or row.name, row.label_en or row.name),
            "attributes",
            DataClass.RISK_ONLY if row.is_risk_only else DataClass.ORDINARY,
            is_category=row.value_type == AttributeType.TEXT,
        )
    return found

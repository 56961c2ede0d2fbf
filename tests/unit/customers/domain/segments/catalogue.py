"""A small catalogue for tests of rules that need no database."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from customers.domain.fields.catalogue import (
    Catalogue,
    DataClass,
    EventSpec,
    FieldSpec,
    FieldType,
    ScoreSpec,
    Store,
    Text,
)
from customers.domain.segments import columns
from customers.domain.segments.scope import RuleScope


def attribute(name, kind, column, **more):
    return FieldSpec(
        f"attribute.{name}",
        kind,
        Text(name, name),
        column,
        store=Store.ATTRIBUTE,
        decimal_places=6,
        **more,
    )


ATTRIBUTES = (
    attribute("number", FieldType.DECIMAL, "number"),
    attribute("plan", FieldType.TEXT, "text"),
    attribute("since", FieldType.DATE, "day"),
    attribute("vip", FieldType.FLAG, "flag"),
    attribute("bureau", FieldType.DECIMAL, "number", data_class=DataClass.RISK_ONLY),
)
CATALOGUE = Catalogue(
    fields={**columns.CUSTOMER_FIELDS, **{spec.name: spec for spec in ATTRIBUTES}},
    loan_fields=columns.LOAN_FIELDS,
    event_properties=columns.EVENT_PROPERTIES,
    events={
        **{str(name): EventSpec(str(name), label) for name, label in columns.EVENT_LABELS.items()}
    },
    scores={
        "propensity": ScoreSpec("propensity", Text("倾向", "propensity")),
        "churn": ScoreSpec("churn", Text("流失", "churn")),
        "pd": ScoreSpec("pd", Text("违约", "default"), DataClass.RISK_ONLY),
    },
    consent_channels=columns.options_of(columns.CHANNELS),
    consent_purposes=columns.options_of(columns.PURPOSES),
    segments={name: Text(name, name) for name in ("listed", "ruled")},
)
NOW = datetime(2026, 3, 31, 16, 30, tzinfo=UTC)
SCOPE = RuleScope(CATALOGUE, NOW, ZoneInfo("Asia/Shanghai"))

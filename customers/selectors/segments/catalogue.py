"""The rule-field catalogue of this company, for reading rules and for the visual builder."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from customers.domain.fields.catalogue import (
    AGGREGATE_LABELS,
    COMBINATOR_LABELS,
    CONSENT_FIELD,
    CONSENT_LABELS,
    MEMBER_LABELS,
    MISSING_HELP,
    NUMBER_OPERATORS,
    SPECIAL_FIELDS,
    Catalogue,
    DataClass,
    EventSpec,
    FieldSpec,
    FieldType,
    Op,
    Option,
    RuleUse,
    ScoreSpec,
    Store,
    Text,
    operator_label,
)
from customers.domain.fields.score_bands import score_name
from customers.domain.segments import columns
from customers.domain.segments.ast import (
    Compare,
    EventCondition,
    LoanCondition,
    ScoreCondition,
    SegmentCondition,
    SequenceCondition,
)
from customers.domain.segments.events import SEGMENT_EVENTS, events_of
from customers.domain.segments.parse import MAX_DEPTH, VERSION, parse_rule
from customers.domain.values.attribute import AttributeType
from customers.models import AttributeDefinition, EventType, Product, Score, Segment

_ATTRIBUTE_TYPES: Mapping[str, tuple[FieldType, str]] = {
    AttributeType.NUMBER: (FieldType.DECIMAL, "number"),
    AttributeType.TEXT: (FieldType.TEXT, "text"),
    AttributeType.DAY: (FieldType.DATE, "day"),
    AttributeType.FLAG: (FieldType.FLAG, "flag"),
}
_GROUPS: Mapping[str, Text] = {
    "customer": Text("客户", "Customer"),
    "attribute": Text("自定义属性", "Attributes"),
    "consent": Text("授权", "Consents"),
    "score": Text("评分", "Scores"),
    "loan": Text("贷款（任意一笔）", "Loans (any one)"),
    "behaviour": Text("行为与人群", "Behaviour and segments"),
}
_INPUTS: Mapping[FieldType, str] = {
    FieldType.INTEGER: "number",
    FieldType.DECIMAL: "number",
    FieldType.DATE: "date",
}


class Part(StrEnum):
    """What the company has defined itself; each part is read by queries of its own."""

    ATTRIBUTES = "attributes"
    PRODUCTS = "products"
    EVENTS = "events"
    SCORES = "scores"
    SEGMENTS = "segments"


def load_catalogue(parts: Collection[Part] = tuple(Part)) -> Catalogue:
    """Return everything a rule may name now; the number of queries depends on no table's size.

    The events that loancrm knows are in it also before the first of them happened.

    Args:
        parts: What to read; a rule that names none of a part's things does without it.
    """
    attributes: list[FieldSpec] = []
    if Part.ATTRIBUTES in parts:
        attributes = [_attribute(row) for row in AttributeDefinition.objects.order_by("name")]
    models = _score_models() if Part.SCORES in parts else []
    segments: dict[str, Text] = {}
    if Part.SEGMENTS in parts:
        rows = Segment.objects.order_by("slug").values_list("slug", "name")
        segments = {slug: Text(name, name) for slug, name in rows}
    return Catalogue(
        fields={**columns.CUSTOMER_FIELDS, **{spec.name: spec for spec in attributes}},
        loan_fields=_loan_fields() if Part.PRODUCTS in parts else columns.LOAN_FIELDS,
        event_properties=columns.EVENT_PROPERTIES,
        events=_events() if Part.EVENTS in parts else {},
        scores={name: ScoreSpec(name, score_name(name)) for name in models},
        consent_channels=columns.options_of(columns.CHANNELS),
        consent_purposes=columns.options_of(columns.PURPOSES),
        segments=segments,
    )


def parts_of(data: Any) -> frozenset[Part]:
    """Return the parts that a rule's JSON needs; a rule over columns alone needs none.

    Whoever names another segment needs all: its rule is read against the same catalogue.
    """
    needed: set[Part] = set()
    for _path, leaf in parse_rule(data).leaves:
        match leaf:
            case Compare(field) if field.startswith("attribute."):
                needed.add(Part.ATTRIBUTES)
            case LoanCondition(where) if any(item.property == "product" for item in where):
                needed.add(Part.PRODUCTS)
            case EventCondition() | SequenceCondition():
                needed.add(Part.EVENTS)
                if set(events_of(leaf)) & SEGMENT_EVENTS:
                    needed.add(Part.SEGMENTS)
            case ScoreCondition():
                needed.add(Part.SCORES)
            case SegmentCondition():
                return frozenset(Part)
            case _:
                continue
    return frozenset(needed)


def _attribute(row: AttributeDefinition) -> FieldSpec:
    kind, column = _ATTRIBUTE_TYPES[row.value_type]
    return FieldSpec(
        f"attribute.{row.name}",
        kind,
        Text(row.label_zh or row.name, row.label_en or row.name),
        column,
        store=Store.ATTRIBUTE,
        unit=Text(row.unit, row.unit) if row.unit else None,
        data_class=_data_class(row),
        decimal_places=6,
        definition_id=row.pk,
    )


def _data_class(row: AttributeDefinition) -> DataClass:
    if row.is_risk_only:
        return DataClass.RISK_ONLY
    return DataClass.PROTECTED if row.is_protected else DataClass.ORDINARY


def _loan_fields() -> Mapping[str, FieldSpec]:
    products = Product.objects.order_by("code").values_list("code", "name_zh", "name_en")
    options = tuple(Option(code, Text(zh, en or zh)) for code, zh, en in products)
    known = dict(columns.LOAN_FIELDS)
    return {**known, "product": replace(known["product"], options=options)}


def _events() -> Mapping[str, EventSpec]:
    recorded = dict(EventType.objects.order_by("name").values_list("name", "id"))
    labels: dict[str, Text] = {str(name): label for name, label in columns.EVENT_LABELS.items()}
    labels |= {name: Text(name, name) for name in recorded if name not in labels}
    return {name: EventSpec(name, label, recorded.get(name)) for name, label in labels.items()}


def _score_models() -> list[str]:
    """Return the models that scored anybody, hopping along the index instead of reading it all."""
    names: list[str] = []
    rows = Score.objects.order_by("model_name").values_list("model_name", flat=True)
    following = rows.first()
    while following is not None:
        names.append(following)
        following = rows.filter(model_name__gt=following).first()
    return names


def catalogue_for_builder(
    *, language: str, use: RuleUse = RuleUse.MARKETING, catalogue: Catalogue | None = None
) -> dict[str, Any]:
    """Return the catalogue as JSON for react-querybuilder, labels in one language.

    `fields` is a list of option groups; each field has `name`, `label`, `kind`, `operators` and,
    where closed or suggested, `values`. `kind` picks the editor: a FieldType, `consent` (no value),
    `segment` (a slug), `event`, `sequence` and `loan` (an object; see the keys `event` and `loan`).
    Fields that may not be used for `use` are left out.
    """
    usable = (catalogue or load_catalogue()).for_use(use)
    groups = {
        "customer": [s for s in usable.fields.values() if s.store is not Store.ATTRIBUTE],
        "attribute": [s for s in usable.fields.values() if s.store is Store.ATTRIBUTE],
        "score": [score.spec for score in usable.scores.values()],
        "loan": [replace(s, name=f"loan.{s.name}") for s in usable.loan_fields.values()],
    }
    listed = {key: [_field(spec, language) for spec in specs] for key, specs in groups.items()}
    listed["consent"] = _consents(usable, language)
    listed["loan"].append(_special("loan", language))
    listed["behaviour"] = [
        _special("event", language),
        _special("sequence", language),
        _segment_field(usable, language),
    ]
    return {
        "version": VERSION,
        "max_depth": MAX_DEPTH,
        "help": MISSING_HELP.read(language),
        "combinators": _named(COMBINATOR_LABELS.items(), language),
        "fields": [
            {"label": label.read(language), "options": listed[key]}
            for key, label in _GROUPS.items()
            if listed[key]
        ],
        "event": _event_editor(usable, language),
        "loan": {"properties": [_field(s, language) for s in usable.loan_fields.values()]},
    }


def _named(items: Iterable[tuple[str, Text]], language: str) -> list[dict[str, str]]:
    return [{"name": str(name), "label": label.read(language)} for name, label in items]


def _operators(ops: Iterable[Op], kind: FieldType, language: str) -> list[dict[str, str]]:
    return _named(((op.value, operator_label(op, kind)) for op in ops), language)


def _field(spec: FieldSpec, language: str) -> dict[str, Any]:
    content: dict[str, Any] = {
        "name": spec.name,
        "label": spec.label.read(language),
        "search": f"{spec.label.zh} {spec.label.en}".lower(),
        "kind": spec.type.value,
        "inputType": _INPUTS.get(spec.type, "text"),
        "operators": _operators(spec.operators, spec.type, language),
        "isProtected": spec.data_class is DataClass.PROTECTED,
    }
    if spec.unit is not None:
        content["unit"] = spec.unit.read(language)
    if spec.type is FieldType.DECIMAL:
        content["decimalPlaces"] = spec.decimal_places
    if spec.options:
        content["values"] = _named(((o.value, o.label) for o in spec.options), language)
    if spec.type is FieldType.CHOICE:
        content["valueEditorType"] = "select"
    if spec.type is FieldType.FLAG:
        flags = {"true": Text("是", "yes"), "false": Text("否", "no")}
        content |= {"valueEditorType": "select", "values": _named(flags.items(), language)}
    return content


def _special(kind: str, language: str) -> dict[str, Any]:
    label = SPECIAL_FIELDS[kind]
    operators = _named([("=", Text("满足", "matches"))], language)
    return {"name": kind, "label": label.read(language), "kind": kind, "operators": operators}


def _consents(usable: Catalogue, language: str) -> list[dict[str, Any]]:
    joint = CONSENT_FIELD.read(language)
    return [
        {
            "name": f"consent.{channel.value}.{purpose.value}",
            "label": joint.format(
                channel=channel.label.read(language), purpose=purpose.label.read(language)
            ),
            "kind": "consent",
            "operators": _named(CONSENT_LABELS.items(), language),
        }
        for purpose in usable.consent_purposes
        for channel in usable.consent_channels
    ]


def _segment_field(usable: Catalogue, language: str) -> dict[str, Any]:
    return {
        "name": "segment",
        "label": SPECIAL_FIELDS["segment"].read(language),
        "kind": "segment",
        "valueEditorType": "select",
        "operators": _named(MEMBER_LABELS.items(), language),
        "values": _named(usable.segments.items(), language),
    }


def _event_editor(usable: Catalogue, language: str) -> dict[str, Any]:
    return {
        "events": _named(((e.name, e.label) for e in usable.events.values()), language),
        "aggregates": _named(AGGREGATE_LABELS.items(), language),
        "operators": _operators(NUMBER_OPERATORS, FieldType.INTEGER, language),
        "properties": [_field(spec, language) for spec in usable.event_properties.values()],
        "subjects": {
            name: _named(((o.value, o.label) for o in options), language)
            for name in usable.events
            if (options := columns.subjects_of(usable, name))
        },
        "needs_subject": sorted(SEGMENT_EVENTS),
    }

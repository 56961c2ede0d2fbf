"""Catalogue of what a segment rule may ask about: fields, operators, labels, where a value lives.

Missing = false: a condition on a value that a customer does not have is false; `not` inverts it.
The one exception says so itself: the operator `null` is true exactly when the value is missing.
Empty text counts as missing. Text is compared exactly: letter case and width matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

MAX_NUMBER = 1_000_000_000
MAX_DAYS = 3_660


class Op(StrEnum):
    """Operators of a condition, named as react-querybuilder names them."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    CONTAINS = "contains"
    BEGINS_WITH = "beginsWith"
    ENDS_WITH = "endsWith"
    REGEX = "regex"
    IN = "in"
    NOT_IN = "notIn"
    BETWEEN = "between"
    NOT_BETWEEN = "notBetween"
    NULL = "null"
    NOT_NULL = "notNull"
    IN_LAST_DAYS = "inLastDays"
    IN_NEXT_DAYS = "inNextDays"
    MORE_THAN_DAYS_AGO = "moreThanDaysAgo"


class FieldType(StrEnum):
    """What kind of value a field holds; decides operators, editor and conversion."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    TEXT = "text"
    CHOICE = "choice"
    DATE = "date"
    FLAG = "flag"


class Store(StrEnum):
    """How a value is kept, so that a condition on it becomes one on what is stored."""

    PLAIN = "plain"
    INSTANT = "instant"  # a moment, compared by its day in the company's zone
    YEARS_SINCE = "years_since"  # a date, compared by completed years up to today
    MONTHS_SINCE = "months_since"  # a date, compared by completed months up to today
    ATTRIBUTE = "attribute"  # a typed row of AttributeValue
    BUCKET = "bucket"  # a key, compared by the hundredth that its hash with the name falls into


class DataClass(StrEnum):
    """How freely a field may be used to choose people."""

    ORDINARY = "ordinary"
    PROTECTED = "protected"
    RISK_ONLY = "risk_only"


class RuleUse(StrEnum):
    """What the people chosen by a rule are chosen for."""

    MARKETING = "marketing"
    CREDIT_OFFER = "credit_offer"
    RISK = "risk"


USABLE: Mapping[RuleUse, frozenset[DataClass]] = {
    RuleUse.MARKETING: frozenset({DataClass.ORDINARY, DataClass.PROTECTED}),
    RuleUse.CREDIT_OFFER: frozenset({DataClass.ORDINARY}),
    RuleUse.RISK: frozenset(DataClass),
}


class Aggregate(StrEnum):
    """What is computed over a customer's matching events."""

    COUNT = "count"
    SUM_AMOUNT = "sum_amount"
    DAYS_SINCE_LAST = "days_since_last"
    DAYS_SINCE_FIRST = "days_since_first"


@dataclass(frozen=True, slots=True)
class Text:
    """One label in both languages of the product."""

    zh: str
    en: str

    def read(self, language: str) -> str:
        """Return the Chinese text for any Chinese language code, else the English one."""
        return self.zh if language.lower().startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a closed list."""

    value: str
    label: Text


_EQUALITY = (Op.EQUAL, Op.NOT_EQUAL)
_LISTS = (Op.IN, Op.NOT_IN)
_ORDER = (Op.LESS, Op.AT_MOST, Op.MORE, Op.AT_LEAST, Op.BETWEEN, Op.NOT_BETWEEN)
_PRESENCE = (Op.NULL, Op.NOT_NULL)
_RELATIVE = (Op.IN_LAST_DAYS, Op.IN_NEXT_DAYS, Op.MORE_THAN_DAYS_AGO)
_PARTS = (Op.CONTAINS, Op.BEGINS_WITH, Op.ENDS_WITH)

NUMBER_OPERATORS = (*_EQUALITY, *_ORDER, *_LISTS)
OPERATORS: Mapping[FieldType, tuple[Op, ...]] = {
    FieldType.INTEGER: (*NUMBER_OPERATORS, *_PRESENCE),
    FieldType.DECIMAL: (*NUMBER_OPERATORS, *_PRESENCE),
    FieldType.TEXT: (*_EQUALITY, *_PARTS, Op.REGEX, *_LISTS, *_PRESENCE),
    FieldType.CHOICE: (*_EQUALITY, *_LISTS, *_PRESENCE),
    FieldType.DATE: (*_EQUALITY, *_ORDER, *_RELATIVE, *_PRESENCE),
    FieldType.FLAG: (*_EQUALITY, *_PRESENCE),
}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One thing that a condition can compare with a constant.

    Attributes:
        column: ORM path of the stored value, from the row that the condition looks at.
        options: All values of a CHOICE; only suggestions for TEXT.
        decimal_places: Digits after the point that a constant may have; it is never rounded.
        definition_id: Key of the attribute's definition when `store` is ATTRIBUTE.
    """

    name: str
    type: FieldType
    label: Text
    column: str
    store: Store = Store.PLAIN
    unit: Text | None = None
    data_class: DataClass = DataClass.ORDINARY
    options: tuple[Option, ...] = ()
    decimal_places: int = 0
    definition_id: int | None = None

    @property
    def operators(self) -> tuple[Op, ...]:
        """Return the operators that the field's type takes."""
        return OPERATORS[self.type]


@dataclass(frozen=True, slots=True)
class EventSpec:
    """One kind of event; `type_id` is None while no such event was ever recorded."""

    name: str
    label: Text
    type_id: int | None = None


@dataclass(frozen=True, slots=True)
class ScoreSpec:
    """One model whose latest score can be asked for."""

    model: str
    label: Text
    data_class: DataClass = DataClass.ORDINARY

    @property
    def spec(self) -> FieldSpec:
        """Return how the score is compared: like a decimal field of its own."""
        name = f"score.{self.model}"
        return FieldSpec(name, FieldType.DECIMAL, self.label, "value", decimal_places=6)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything a rule may name: the fixed fields and what the company has defined."""

    fields: Mapping[str, FieldSpec]
    loan_fields: Mapping[str, FieldSpec]
    event_properties: Mapping[str, FieldSpec]
    events: Mapping[str, EventSpec] = field(default_factory=dict)
    scores: Mapping[str, ScoreSpec] = field(default_factory=dict)
    consent_channels: tuple[Option, ...] = ()
    consent_purposes: tuple[Option, ...] = ()
    segments: Mapping[str, Text] = field(default_factory=dict)

    def for_use(self, use: RuleUse) -> "Catalogue":
        """Return the catalogue without the fields and scores that this use may not touch."""
        allowed = USABLE[use]
        return replace(
            self,
            fields={n: s for n, s in self.fields.items() if s.data_class in allowed},
            loan_fields={n: s for n, s in self.loan_fields.items() if s.data_class in allowed},
            scores={n: s for n, s in self.scores.items() if s.data_class in allowed},
        )


# Conditions that look at more than one value of a customer; the builder offers them like fields.
SPECIAL_FIELDS: Mapping[str, Text] = {
    "loan": Text("同一笔贷款", "one and the same loan"),
    "event": Text("事件", "event"),
    "sequence": Text("先后行为", "one after the other"),
    "segment": Text("人群", "segment"),
}
CONSENT_FIELD = Text("{channel}·{purpose}授权", "consent to {purpose} by {channel}")
MISSING_HELP = Text(
    "没有值的条件视为不成立，“非”会把它反过来；只有“为空”在没有值时成立。",
    "A condition on a missing value is false and “not” inverts it; only “is missing” is true then.",
)
COMBINATOR_LABELS: Mapping[str, Text] = {"and": Text("且", "and"), "or": Text("或", "or")}
CONSENT_LABELS: Mapping[str, Text] = {
    "granted": Text("已同意", "granted"),
    "not_granted": Text("未同意", "not granted"),
}
MEMBER_LABELS: Mapping[str, Text] = {
    "=": Text("在人群中", "is in"),
    "!=": Text("不在人群中", "is not in"),
}
OPERATOR_LABELS: Mapping[Op, Text] = {
    Op.EQUAL: Text("等于", "is"),
    Op.NOT_EQUAL: Text("不等于", "is not"),
    Op.LESS: Text("小于", "is less than"),
    Op.AT_MOST: Text("不大于", "is at most"),
    Op.MORE: Text("大于", "is more than"),
    Op.AT_LEAST: Text("不小于", "is at least"),
    Op.CONTAINS: Text("包含", "contains"),
    Op.BEGINS_WITH: Text("开头是", "begins with"),
    Op.ENDS_WITH: Text("结尾是", "ends with"),
    Op.REGEX: Text("匹配正则", "matches the pattern"),
    Op.IN: Text("属于", "is one of"),
    Op.NOT_IN: Text("不属于", "is none of"),
    Op.BETWEEN: Text("介于", "is between"),
    Op.NOT_BETWEEN: Text("不介于", "is not between"),
    Op.NULL: Text("为空", "is missing"),
    Op.NOT_NULL: Text("不为空", "is known"),
    Op.IN_LAST_DAYS: Text("在最近几天内", "is in the last days"),
    Op.IN_NEXT_DAYS: Text("在未来几天内", "is in the next days"),
    Op.MORE_THAN_DAYS_AGO: Text("早于几天前", "is more than days ago"),
}
DATE_OPERATOR_LABELS: Mapping[Op, Text] = {
    Op.LESS: Text("早于", "is before"),
    Op.AT_MOST: Text("不晚于", "is on or before"),
    Op.MORE: Text("晚于", "is after"),
    Op.AT_LEAST: Text("不早于", "is on or after"),
}
AGGREGATE_LABELS: Mapping[Aggregate, Text] = {
    Aggregate.COUNT: Text("次数", "number of times"),
    Aggregate.SUM_AMOUNT: Text("金额合计", "total amount"),
    Aggregate.DAYS_SINCE_LAST: Text("距最近一次的天数", "days since the last"),
    Aggregate.DAYS_SINCE_FIRST: Text("距首次的天数", "days since the first"),
}


def operator_label(op: Op, kind: FieldType) -> Text:
    """Return how an operator is read aloud for a field of this type."""
    if kind is FieldType.DATE and op in DATE_OPERATOR_LABELS:
        return DATE_OPERATOR_LABELS[op]
    return OPERATOR_LABELS[op]

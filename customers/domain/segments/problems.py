"""What can be wrong with a rule: a path into its JSON, a stable code, a text in both languages.

Machines get the path, people the place in words (`places.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from customers.domain.fields.catalogue import Text


class SegmentProblemCode(StrEnum):
    """Closed list of what is wrong with a rule."""

    NOT_JSON = "not_json"
    NOT_A_RULE = "not_a_rule"
    UNKNOWN_KEY = "unknown_key"
    MISSING_KEY = "missing_key"
    WRONG_TYPE = "wrong_type"
    UNSUPPORTED_VERSION = "unsupported_version"
    UNKNOWN_COMBINATOR = "unknown_combinator"
    UNKNOWN_OPERATOR = "unknown_operator"
    UNKNOWN_AGGREGATE = "unknown_aggregate"
    TOO_DEEP = "too_deep"
    TOO_MANY_RULES = "too_many_rules"
    TOO_MANY_VALUES = "too_many_values"
    EMPTY_GROUP = "empty_group"
    FIELD_NOT_CHOSEN = "field_not_chosen"
    UNKNOWN_FIELD = "unknown_field"
    FIELD_NOT_ALLOWED = "field_not_allowed"
    OPERATOR_NOT_ALLOWED = "operator_not_allowed"
    UNKNOWN_EVENT = "unknown_event"
    UNKNOWN_CONSENT = "unknown_consent"
    UNKNOWN_SCORE = "unknown_score"
    UNKNOWN_SEGMENT = "unknown_segment"
    SEGMENT_CYCLE = "segment_cycle"
    REFERENCES_TOO_DEEP = "references_too_deep"
    VALUE_MISSING = "value_missing"
    VALUE_NOT_EXPECTED = "value_not_expected"
    NOT_A_NUMBER = "not_a_number"
    NOT_WHOLE = "not_whole"
    NUMBER_TOO_LARGE = "number_too_large"
    TOO_MANY_DECIMALS = "too_many_decimals"
    NOT_A_DATE = "not_a_date"
    NOT_A_FLAG = "not_a_flag"
    NOT_TEXT = "not_text"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_NOT_PRINTABLE = "text_not_printable"
    NOT_AN_OPTION = "not_an_option"
    TWO_VALUES_NEEDED = "two_values_needed"
    BOUNDS_REVERSED = "bounds_reversed"
    DAYS_OUT_OF_RANGE = "days_out_of_range"
    TWO_WINDOWS = "two_windows"
    PATTERN_INVALID = "pattern_invalid"
    PATTERN_TOO_LARGE = "pattern_too_large"
    FIELD_SEALED = "field_sealed"
    SEGMENT_EVENT_UNNAMED = "segment_event_unnamed"


TEXTS: Mapping[SegmentProblemCode, Text] = {
    SegmentProblemCode.NOT_JSON: Text("不是有效的 JSON", "This is not valid JSON"),
    SegmentProblemCode.NOT_A_RULE: Text(
        "这里应是一个条件或条件组", "A condition or a group is expected here"
    ),
    SegmentProblemCode.UNKNOWN_KEY: Text("未知的键“{name}”", "The key “{name}” is not known"),
    SegmentProblemCode.MISSING_KEY: Text("缺少键“{name}”", "The key “{name}” is missing"),
    SegmentProblemCode.WRONG_TYPE: Text(
        "类型不对，应为{expected}", "This must be of type {expected}"
    ),
    SegmentProblemCode.UNSUPPORTED_VERSION: Text(
        "不支持的规则版本", "This rule version is not supported"
    ),
    SegmentProblemCode.UNKNOWN_COMBINATOR: Text(
        "组合方式只能是 and 或 or", "The combinator must be and or or"
    ),
    SegmentProblemCode.UNKNOWN_OPERATOR: Text("未知的运算符", "The operator is not known"),
    SegmentProblemCode.UNKNOWN_AGGREGATE: Text("未知的汇总方式", "The aggregate is not known"),
    SegmentProblemCode.TOO_DEEP: Text(
        "嵌套超过 {limit} 层", "Groups are nested deeper than {limit} levels"
    ),
    SegmentProblemCode.TOO_MANY_RULES: Text(
        "条件超过 {limit} 个", "There are more than {limit} conditions and groups"
    ),
    SegmentProblemCode.TOO_MANY_VALUES: Text(
        "取值超过 {limit} 个", "There are more than {limit} values"
    ),
    SegmentProblemCode.EMPTY_GROUP: Text("条件组为空", "The group is empty"),
    SegmentProblemCode.FIELD_NOT_CHOSEN: Text("请选择字段", "Choose a field"),
    SegmentProblemCode.UNKNOWN_FIELD: Text("没有字段“{name}”", "There is no field “{name}”"),
    SegmentProblemCode.FIELD_NOT_ALLOWED: Text(
        "字段“{name}”不可用于此用途", "The field “{name}” may not be used for this purpose"
    ),
    SegmentProblemCode.OPERATOR_NOT_ALLOWED: Text(
        "该字段不能使用此运算符", "This field does not take this operator"
    ),
    SegmentProblemCode.UNKNOWN_EVENT: Text("没有事件“{name}”", "There is no event “{name}”"),
    SegmentProblemCode.UNKNOWN_CONSENT: Text(
        "没有此渠道或用途", "There is no such channel or purpose"
    ),
    SegmentProblemCode.UNKNOWN_SCORE: Text("没有评分“{name}”", "There is no score “{name}”"),
    SegmentProblemCode.UNKNOWN_SEGMENT: Text("没有人群“{name}”", "There is no segment “{name}”"),
    SegmentProblemCode.SEGMENT_CYCLE: Text(
        "人群“{name}”又引用了本人群", "The segment “{name}” leads back to this one"
    ),
    SegmentProblemCode.REFERENCES_TOO_DEEP: Text(
        "人群之间的引用超过 {limit} 层",
        "Segments refer to each other more than {limit} levels deep",
    ),
    SegmentProblemCode.VALUE_MISSING: Text("请填写取值", "A value is needed"),
    SegmentProblemCode.VALUE_NOT_EXPECTED: Text(
        "此运算符不需要取值", "This operator takes no value"
    ),
    SegmentProblemCode.NOT_A_NUMBER: Text("请填写数字", "A number is needed"),
    SegmentProblemCode.NOT_WHOLE: Text("请填写整数", "A whole number is needed"),
    SegmentProblemCode.NUMBER_TOO_LARGE: Text(
        "数字的绝对值不能超过 {limit}", "The number must not pass {limit}"
    ),
    SegmentProblemCode.TOO_MANY_DECIMALS: Text(
        "最多 {limit} 位小数", "At most {limit} decimal places are allowed"
    ),
    SegmentProblemCode.NOT_A_DATE: Text(
        "请填写日期，如 2026-01-31", "A date such as 2026-01-31 is needed"
    ),
    SegmentProblemCode.NOT_A_FLAG: Text("请选择是或否", "True or false is needed"),
    SegmentProblemCode.NOT_TEXT: Text("请填写文字", "Text is needed"),
    SegmentProblemCode.TEXT_TOO_LONG: Text(
        "文字超过 {limit} 个字", "The text is longer than {limit} characters"
    ),
    SegmentProblemCode.TEXT_NOT_PRINTABLE: Text(
        "含有不可用的字符", "The text has characters that cannot be used"
    ),
    SegmentProblemCode.NOT_AN_OPTION: Text("不在可选范围内", "This is not one of the choices"),
    SegmentProblemCode.TWO_VALUES_NEEDED: Text("需要两个取值", "Two values are needed"),
    SegmentProblemCode.BOUNDS_REVERSED: Text("起点大于终点", "The first value is above the second"),
    SegmentProblemCode.DAYS_OUT_OF_RANGE: Text(
        "天数应在 {least} 到 {limit} 之间", "Days must be {least} to {limit}"
    ),
    SegmentProblemCode.TWO_WINDOWS: Text(
        "只能填写一种时间范围", "Only one time window can be given"
    ),
    SegmentProblemCode.PATTERN_INVALID: Text(
        "正则的第 {position} 个字符处不受支持；可用 . [] () | * + ? {{}} ^ $ \\d \\w \\s",
        "The pattern is not supported at character {position}; "
        "use . [] () | * + ? {{}} ^ $ \\d \\w \\s",
    ),
    SegmentProblemCode.PATTERN_TOO_LARGE: Text(
        "正则过长或重复次数过多（最多 {limit} 个字符，每处最多重复 50 次）",
        "The pattern is too long or repeats too much (at most {limit} characters, 50 repeats)",
    ),
    SegmentProblemCode.FIELD_SEALED: Text(
        "“{name}”加密保存，不能用于条件", "“{name}” is stored sealed and cannot be asked about"
    ),
    SegmentProblemCode.SEGMENT_EVENT_UNNAMED: Text(
        "进入或离开人群的事件须用“对象 等于 / 属于”指明是哪个人群",
        "An event of entering or leaving a segment must name it: subject is, or is one of",
    ),
}


_TOLD = Text("{place}：{message}", "{place}: {message}")


@dataclass(frozen=True, slots=True)
class SegmentProblem:
    """One thing wrong with a rule.

    Attributes:
        path: Where, such as `rules[2].value`; empty for the whole rule.
        facts: Values named in the text; what has a label is named by it.
        place: Where, in words; None for the whole rule, or where nobody has looked yet.
    """

    path: str
    code: SegmentProblemCode
    facts: Mapping[str, str | int | Text] = field(default_factory=dict)
    place: Text | None = field(default=None, compare=False)

    def message(self, language: str) -> str:
        """Return what is wrong, for a person who sees where."""
        told = {k: v.read(language) if isinstance(v, Text) else v for k, v in self.facts.items()}
        return TEXTS[self.code].read(language).format(**told)

    def in_words(self, language: str) -> str:
        """Return what is wrong and where, in words."""
        message = self.message(language)
        if self.place is None:
            return message
        return _TOLD.read(language).format(place=self.place.read(language), message=message)

    def as_json(self, language: str) -> dict[str, str]:
        """Return what API clients get."""
        return {"path": self.path, "code": self.code.value, "message": self.message(language)}

    def as_shown(self, language: str) -> dict[str, str]:
        """Return what the builder gets: the path says beside which condition it stands."""
        return {**self.as_json(language), "told": self.in_words(language)}


class RuleRefused(ValueError):
    """A rule cannot be used; carries every problem found."""

    def __init__(self, problems: Sequence[SegmentProblem]) -> None:
        """Keep the problems."""
        super().__init__("; ".join(f"{p.path or '.'}: {p.code}" for p in problems))
        self.problems = tuple(problems)


def join(path: str, part: str) -> str:
    """Return the path of a key below another path."""
    return f"{path}.{part}" if path else part

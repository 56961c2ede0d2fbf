"""A campaign as written in a file or form: JSON in, frozen dataclasses out, problems named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from customers.domain.consent import Purpose

MAX_HOLDOUT = Decimal("0.5")
LOCALES = ("zh-hans", "en")
COST_CATEGORIES = ("media", "incentive", "commission", "staff", "data", "tooling")


class SpecProblems(ValueError):
    """The description is not usable; `problems` names every path and reason."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        """Keep the problems as (path, reason)."""
        super().__init__("; ".join(f"{path}: {reason}" for path, reason in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class TextSpec:
    """The text of one variant in one language."""

    locale: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class VariantSpec:
    """One arm of a step's content test."""

    key: str
    weight: int
    texts: tuple[TextSpec, ...]


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One message; a fallback serves those whom the step before did not reach."""

    channel: str
    variants: tuple[VariantSpec, ...]
    is_fallback: bool = False
    wait_minutes: int = 60


@dataclass(frozen=True, slots=True)
class CostSpec:
    """Money spent beside the messages."""

    category: str
    amount: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class CampaignSpec:
    """Everything that `create_campaign` needs."""

    slug: str
    name: str
    description: str
    purpose: Purpose
    goal_event: str
    goal_window_days: int
    segment_slug: str
    segment_rule: Mapping[str, Any] | None
    steps: tuple[StepSpec, ...]
    holdout_share: Decimal
    start_at: datetime | None
    late_limit_hours: int
    budget_amount: Decimal | None
    cost_per_message: Decimal | None
    costs: tuple[CostSpec, ...]
    author: str


_KNOWN = {
    "slug", "name", "description", "purpose", "goal", "segment", "steps", "channel", "content",
    "variants", "fallback_channel", "fallback_content", "fallback_after_minutes", "holdout_share",
    "schedule", "budget_amount", "budget", "cost_per_message", "costs", "author", "locale",
}  # fmt: skip


class _Reader:
    """Reads values of a JSON object and notes what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []

    def wrong(self, path: str, reason: str) -> None:
        self.problems.append((path, reason))

    def text(
        self, source: Mapping[str, Any], key: str, path: str, *, required: bool = False
    ) -> str:
        value = source.get(key, "")
        if isinstance(value, Mapping):
            value = value.get("zh-hans") or value.get("en") or ""
        if not isinstance(value, str) or (required and not value.strip()):
            self.wrong(path, "a text is expected")
            return ""
        return value

    def number(
        self, source: Mapping[str, Any], key: str, path: str, default: Decimal | None
    ) -> Decimal | None:
        value = source.get(key)
        if value is None or value == "":
            return default
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number < 0:
            self.wrong(path, "a number of at least 0 is expected")
            return default
        return number

    def whole(self, source: Mapping[str, Any], key: str, path: str, default: int) -> int:
        number = self.number(source, key, path, Decimal(default))
        if number is None or number != int(number):
            self.wrong(path, "a whole number is expected")
            return default
        return int(number)

    def moment(self, source: Mapping[str, Any], key: str, path: str) -> datetime | None:
        value = source.get(key)
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.wrong(
                path, "a time with its offset is expected, such as 2026-03-02T10:00:00+08:00"
            )
            return None
        return moment

    def mapping(self, value: Any, path: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.wrong(path, "an object is expected")
            return {}
        return value


def parse_spec(source: Mapping[str, Any]) -> CampaignSpec:
    """Return the campaign that a JSON object describes.

    Raises:
        SpecProblems: At least one value is missing, unknown or of the wrong kind.
    """
    read = _Reader()
    for key in sorted(set(source) - _KNOWN):
        read.wrong(key, "unknown key")
    goal = read.mapping(source.get("goal", {}), "goal")
    schedule = read.mapping(source.get("schedule") or {}, "schedule")
    segment_slug, rule = _segment(source, read)
    holdout = read.number(source, "holdout_share", "holdout_share", Decimal(0)) or Decimal(0)
    if holdout > MAX_HOLDOUT:
        read.wrong("holdout_share", "at most 0.5")
    purpose = str(source.get("purpose") or Purpose.MARKETING)
    if purpose not in set(Purpose):
        read.wrong("purpose", f"one of {', '.join(Purpose)}")
    window = read.whole(goal, "window_days", "goal.window_days", 7)
    if window < 1:
        read.wrong("goal.window_days", "at least 1")
    budget_key = "budget_amount" if "budget_amount" in source else "budget"
    spec = CampaignSpec(
        slug=read.text(source, "slug", "slug") or _slug(read.text(source, "name", "name")),
        name=read.text(source, "name", "name", required=True),
        description=read.text(source, "description", "description"),
        purpose=Purpose(purpose) if purpose in set(Purpose) else Purpose.MARKETING,
        goal_event=read.text(goal, "event", "goal.event", required=True),
        goal_window_days=window,
        segment_slug=segment_slug,
        segment_rule=rule,
        steps=_steps(source, read),
        holdout_share=holdout,
        start_at=read.moment(schedule, "start_at", "schedule.start_at"),
        late_limit_hours=read.whole(schedule, "late_limit_hours", "schedule.late_limit_hours", 24),
        budget_amount=read.number(source, budget_key, budget_key, None),
        cost_per_message=read.number(source, "cost_per_message", "cost_per_message", None),
        costs=_costs(source, read),
        author=read.text(source, "author", "author"),
    )
    if not spec.slug:
        read.wrong("slug", "a short name of letters, digits and hyphens is expected")
    if read.problems:
        raise SpecProblems(read.problems)
    return spec


def _slug(name: str) -> str:
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
    return "-".join(part for part in kept.lower().split("-") if part)[:80]


def _segment(source: Mapping[str, Any], read: _Reader) -> tuple[str, Mapping[str, Any] | None]:
    segment = source.get("segment")
    match segment:
        case str() if segment:
            return segment, None
        case Mapping() if "rules" in segment:
            return "", segment
        case Mapping() if isinstance(segment.get("rule"), Mapping):
            return str(segment.get("slug", "")), segment["rule"]
        case _:
            read.wrong("segment", 'a segment\'s slug or {"rule": {…}} is expected')
            return "", None


def _steps(source: Mapping[str, Any], read: _Reader) -> tuple[StepSpec, ...]:
    listed = source.get("steps")
    if listed is None:
        listed = [source]
        paths = [""]
    else:
        paths = [f"steps[{index}]." for index in range(len(listed))]
    steps: list[StepSpec] = []
    for item, path in zip(listed, paths, strict=True):
        steps.extend(_step(read.mapping(item, path or "steps"), path, read))
    if not steps:
        read.wrong("steps", "at least one step is expected")
    return tuple(steps)


def _step(item: Mapping[str, Any], path: str, read: _Reader) -> list[StepSpec]:
    channel = read.text(item, "channel", f"{path}channel", required=True)
    steps = [StepSpec(channel=channel, variants=_variants(item, path, read))]
    fallback = item.get("fallback_channel")
    if fallback:
        content = item.get("fallback_content") or item.get("content")
        variants = (
            _variants({"content": content}, f"{path}fallback_", read)
            if content
            else steps[0].variants
        )
        wait = read.whole(item, "fallback_after_minutes", f"{path}fallback_after_minutes", 60)
        steps.append(
            StepSpec(channel=str(fallback), variants=variants, is_fallback=True, wait_minutes=wait)
        )
    return steps


def _variants(item: Mapping[str, Any], path: str, read: _Reader) -> tuple[VariantSpec, ...]:
    listed = item.get("variants")
    if listed is None:
        listed = [{"key": "A", "weight": 1, "content": item.get("content")}]
    variants: list[VariantSpec] = []
    for index, variant in enumerate(listed):
        where = f"{path}variants[{index}]"
        known = read.mapping(variant, where)
        variants.append(
            VariantSpec(
                key=str(known.get("key") or "ABCDEFGHIJ"[index % 10]),
                weight=read.whole(known, "weight", f"{where}.weight", 1),
                texts=_texts(known.get("content"), f"{where}.content", read),
            )
        )
    if not variants or sum(variant.weight for variant in variants) <= 0:
        read.wrong(f"{path}variants", "at least one variant with a positive weight is expected")
    if len({variant.key for variant in variants}) != len(variants):
        read.wrong(f"{path}variants", "every variant needs a key of its own")
    return tuple(variants)


def _texts(content: Any, path: str, read: _Reader) -> tuple[TextSpec, ...]:
    known = read.mapping(content, path)
    if known and set(known) <= {"subject", "text", "html"}:
        known = {LOCALES[0]: known}
    texts: list[TextSpec] = []
    for locale, body in known.items():
        where = f"{path}.{locale}"
        if locale not in LOCALES:
            read.wrong(where, f"unknown language; one of {', '.join(LOCALES)}")
            continue
        text = {"text": body} if isinstance(body, str) else read.mapping(body, where)
        texts.append(
            TextSpec(
                locale=locale,
                subject=read.text(text, "subject", f"{where}.subject"),
                text=read.text(text, "text", f"{where}.text"),
                html=read.text(text, "html", f"{where}.html"),
            )
        )
    if known and not any(text.text or text.html for text in texts):
        read.wrong(path, "a text or HTML is expected")
    return tuple(texts)


def _costs(source: Mapping[str, Any], read: _Reader) -> tuple[CostSpec, ...]:
    costs: list[CostSpec] = []
    for index, item in enumerate(source.get("costs") or ()):
        path = f"costs[{index}]"
        known = read.mapping(item, path)
        category = str(known.get("category", ""))
        if category not in COST_CATEGORIES:
            read.wrong(f"{path}.category", f"one of {', '.join(COST_CATEGORIES)}")
        amount = read.number(known, "amount", f"{path}.amount", None)
        if amount is None:
            read.wrong(f"{path}.amount", "an amount is expected")
            amount = Decimal(0)
        costs.append(CostSpec(category=category, amount=amount, note=str(known.get("note", ""))))
    return tuple(costs)

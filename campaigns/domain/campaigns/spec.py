"""A campaign as written in a file or form: JSON in, frozen dataclasses out, problems named."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from campaigns.domain.campaigns.course import StepCondition
from campaigns.domain.campaigns.exclusions import Exclusions
from campaigns.domain.campaigns.given.changes import end_problem
from campaigns.domain.campaigns.given.content_test_reading import read_content_test
from campaigns.domain.campaigns.given.costs_reading import CostSpec, read_costs
from campaigns.domain.campaigns.given.exclusions_reading import read_exclusions
from campaigns.domain.campaigns.given.place_reading import read_place
from campaigns.domain.campaigns.given.problems import ValueProblemCode, ValueProblems
from campaigns.domain.campaigns.given.reader import Reader
from campaigns.domain.campaigns.given.recurrence_reading import read_recurrence
from campaigns.domain.campaigns.given.trigger_reading import read_trigger
from campaigns.domain.campaigns.recurrence import Recurrence
from campaigns.domain.campaigns.trigger import Trigger
from campaigns.domain.compliance.offers import (
    ProductKind,
    is_offer_under_service,
    product_kind_for,
)
from campaigns.domain.content.written import LOCALES, TextSpec
from campaigns.domain.experiments.content_test import ContentTestPlan
from campaigns.domain.sending.service_messages import ServiceKind, kind_for
from customers.domain.consents.consent import Purpose

LONGEST_KEY = 10
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,80}")
# Said in place of a text: that of the message is used, with every later edit.
SAME_TEXT = "same_as_message"
VARIANT_KEYS = "ABCDEFGHIJ"


@dataclass(frozen=True, slots=True)
class VariantSpec:
    """One arm of a step's content test.

    Attributes:
        follows_message: It has no text of its own: that of the message is used.
    """

    key: str
    weight: int
    texts: tuple[TextSpec, ...]
    follows_message: bool = False


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One message; a fallback serves those whom the step before did not reach."""

    channel: str
    variants: tuple[VariantSpec, ...]
    is_fallback: bool = False
    wait_minutes: int = 60
    condition: StepCondition = StepCondition.EVERYBODY


@dataclass(frozen=True, slots=True)
class CampaignSpec:
    """Everything that `create_campaign` needs."""

    slug: str
    name: str
    description: str
    purpose: Purpose
    service_kind: str
    product_kind: str
    goal_event: str
    goal_window_days: int
    stops_at_goal: bool
    segment_slug: str
    segment_rule: Mapping[str, Any] | None
    steps: tuple[StepSpec, ...]
    holdout_share: Decimal
    start_at: datetime | None
    end_at: datetime | None
    late_limit_hours: int
    recurrence: Recurrence | None
    budget_amount: Decimal | None
    cost_per_message: Decimal | None
    costs: tuple[CostSpec, ...]
    author: str
    content_test: ContentTestPlan | None = None
    message_limit: int | None = None
    daily_message_limit: int | None = None
    exclusions: Exclusions = field(default_factory=Exclusions)
    trigger: Trigger | None = None


_KNOWN = {
    "slug", "name", "description", "purpose", "service_kind", "product_kind", "goal",
    "segment", "steps",
    "channel", "content", "variants", "fallback_channel", "fallback_content",
    "fallback_after_minutes", "holdout_share", "schedule", "budget_amount", "budget",
    "cost_per_message", "costs", "author", "locale", "experiment",
    "exclude", "message_limit", "daily_message_limit",
}  # fmt: skip


def parse_spec(source: Mapping[str, Any]) -> CampaignSpec:
    """Return the campaign that a JSON object describes.

    Raises:
        ValueProblems: At least one value is missing, unknown or of the wrong kind.
    """
    read = Reader()
    for key in sorted(set(source) - _KNOWN):
        read.wrong(key, ValueProblemCode.UNKNOWN_KEY)
    goal = read.mapping(source.get("goal", {}), "goal")
    schedule = read.mapping(source.get("schedule") or {}, "schedule")
    segment_slug, rule = _segment(source, read)
    holdout = read.number(source, "holdout_share", "holdout_share", Decimal(0)) or Decimal(0)
    purpose = str(source.get("purpose") or Purpose.MARKETING)
    if purpose not in set(Purpose):
        read.wrong("purpose", ValueProblemCode.ONE_OF, ", ".join(Purpose))
    service_kind = _service_kind(source, purpose, read)
    window = read.whole(goal, "window_days", "goal.window_days", 7)
    budget_key = "budget_amount" if "budget_amount" in source else "budget"
    spec = CampaignSpec(
        slug=read.text(source, "slug", "slug") or _slug(read.text(source, "name", "name")),
        name=read.text(source, "name", "name", required=True),
        description=read.text(source, "description", "description"),
        purpose=Purpose(purpose) if purpose in set(Purpose) else Purpose.MARKETING,
        service_kind=service_kind,
        product_kind=_product_kind(source, purpose, read),
        goal_event=read.text(goal, "event", "goal.event", required=True),
        goal_window_days=window,
        stops_at_goal=read.flag(
            goal,
            "stops_messages",
            "goal.stops_messages",
            default=purpose == Purpose.MARKETING,
        ),
        segment_slug=segment_slug,
        segment_rule=rule,
        steps=_steps(source, read),
        holdout_share=holdout,
        start_at=read.moment(schedule, "start_at", "schedule.start_at"),
        end_at=read.moment(schedule, "end_at", "schedule.end_at"),
        late_limit_hours=read.whole(schedule, "late_limit_hours", "schedule.late_limit_hours", 24),
        recurrence=read_recurrence(schedule.get("repeat"), read, "schedule.repeat"),
        budget_amount=read.number(source, budget_key, budget_key, None),
        cost_per_message=read.number(source, "cost_per_message", "cost_per_message", None),
        costs=read_costs(source, read),
        author=read.text(source, "author", "author"),
        message_limit=_limit(source, "message_limit", read),
        daily_message_limit=_limit(source, "daily_message_limit", read),
        exclusions=read_exclusions(source.get("exclude"), read, "exclude"),
        content_test=read_content_test(source.get("experiment"), read, "experiment"),
        trigger=read_trigger(schedule.get("trigger"), read, "schedule.trigger"),
    )
    _check_whole(spec, read, budget_key=budget_key)
    if read.problems:
        raise ValueProblems(tuple(read.problems))
    return spec


def _limit(source: Mapping[str, Any], key: str, read: Reader) -> int | None:
    number = read.number(source, key, key, None)
    if number is None:
        return None
    whole = int(number) if number == int(number) else number
    read.field(key, whole, key)
    return int(number)


def _check_whole(spec: CampaignSpec, read: Reader, *, budget_key: str) -> None:
    if not _SLUG.fullmatch(spec.slug):
        read.wrong("slug", ValueProblemCode.SLUG_EXPECTED)
    variants = spec.steps[0].variants if spec.steps else ()
    if spec.content_test and (code := untestable(len(variants), spec.recurrence or spec.trigger)):
        read.wrong("experiment", code)
    for name, path in (
        *(("name", "name"), ("description", "description"), ("goal_event", "goal.event")),
        *(("goal_window_days", "goal.window_days"), ("holdout_share", "holdout_share")),
        *(("late_limit_hours", "schedule.late_limit_hours"), ("budget_amount", budget_key)),
        ("cost_per_message", "cost_per_message"),
    ):
        read.field(name, getattr(spec, name), path)
    if spec.trigger is not None and spec.recurrence is not None:
        read.wrong("schedule.trigger", ValueProblemCode.TRIGGER_OR_CALENDAR)
    if late := end_problem(spec.start_at, spec.end_at, path="schedule.end_at"):
        read.problems.append(late)


def untestable(variants: int, recurrence: Any) -> ValueProblemCode | None:
    """Return why the texts of a campaign cannot be tested; None where they can.

    Args:
        variants: Of the first message.
        recurrence: When the campaign runs again, or what it waits for; None where it runs once.
    """
    if variants < 2:
        return ValueProblemCode.TWO_VARIANTS_EXPECTED
    return None if recurrence is None else ValueProblemCode.TEST_RUNS_ONCE


def _service_kind(source: Mapping[str, Any], purpose: str, read: Reader) -> str:
    kind = str(source.get("service_kind") or "")
    if kind and kind not in set(ServiceKind):
        read.wrong("service_kind", ValueProblemCode.ONE_OF, ", ".join(ServiceKind))
    return kind_for(purpose, kind)


def _product_kind(source: Mapping[str, Any], purpose: str, read: Reader) -> str:
    kind = str(source.get("product_kind") or "")
    if kind and kind not in set(ProductKind):
        read.wrong("product_kind", ValueProblemCode.ONE_OF, ", ".join(ProductKind))
    elif is_offer_under_service(purpose, kind):
        read.wrong("product_kind", ValueProblemCode.OFFER_UNDER_SERVICE)
    return product_kind_for(purpose, kind)


def _slug(name: str) -> str:
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
    return "-".join(part for part in kept.lower().split("-") if part)[:80]


def _segment(source: Mapping[str, Any], read: Reader) -> tuple[str, Mapping[str, Any] | None]:
    segment = source.get("segment")
    match segment:
        case str() if segment:
            return segment, None
        case Mapping() if "rules" in segment:
            return "", segment
        case Mapping() if isinstance(segment.get("rule"), Mapping):
            return str(segment.get("slug", "")), segment["rule"]
        case _:
            read.wrong("segment", ValueProblemCode.SEGMENT_EXPECTED)
            return "", None


def parse_steps(listed: Sequence[Mapping[str, Any]]) -> tuple[StepSpec, ...]:
    """Return the messages that a list of JSON objects describes.

    Raises:
        ValueProblems: At least one value is missing, unknown or of the wrong kind.
    """
    read = Reader()
    steps = _steps({"steps": listed}, read)
    if read.problems:
        raise ValueProblems(tuple(read.problems))
    return steps


def _steps(source: Mapping[str, Any], read: Reader) -> tuple[StepSpec, ...]:
    listed = source.get("steps")
    if listed is not None and not isinstance(listed, list | tuple):
        read.wrong("steps", ValueProblemCode.LIST_EXPECTED)
        return ()
    if listed is None:
        listed = [source]
        paths = [""]
    else:
        paths = [f"steps[{index}]." for index in range(len(listed))]
    steps: list[StepSpec] = []
    for item, path in zip(listed, paths, strict=True):
        steps.extend(_step(read.mapping(item, path or "steps"), path, read))
    if not steps:
        read.wrong("steps", ValueProblemCode.STEP_EXPECTED)
    return tuple(steps)


def _step(item: Mapping[str, Any], path: str, read: Reader) -> list[StepSpec]:
    channel = read.text(item, "channel", f"{path}channel", required=True)
    condition, pause = read_place(item, path, read)
    message = StepSpec(
        channel, _variants(item, path, read), wait_minutes=pause, condition=condition
    )
    fallback = read.text(item, "fallback_channel", f"{path}fallback_channel")
    wait = read.whole(item, "fallback_after_minutes", f"{path}fallback_after_minutes", 60)
    content = item.get("fallback_content")
    if not fallback:
        if content:
            read.wrong(f"{path}fallback_channel", ValueProblemCode.FALLBACK_CHANNEL_EXPECTED)
        return [message]
    if not content:
        read.wrong(f"{path}fallback_content", ValueProblemCode.FALLBACK_TEXT_EXPECTED, SAME_TEXT)
        return [message]
    variants = (
        _same_texts(message)
        if content == SAME_TEXT
        else (VariantSpec("A", 1, _texts(content, f"{path}fallback_content", read)),)
    )
    return [message, StepSpec(fallback, variants, is_fallback=True, wait_minutes=wait)]


def _same_texts(message: StepSpec) -> tuple[VariantSpec, ...]:
    """Return a fallback's variants: everybody gets the text of the variant she was to get."""
    return tuple(
        VariantSpec(variant.key, variant.weight, (), follows_message=True)
        for variant in message.variants
    )


def _variants(item: Mapping[str, Any], path: str, read: Reader) -> tuple[VariantSpec, ...]:
    listed = item.get("variants")
    if listed is None:
        listed = [{"key": "A", "weight": 1, "content": item.get("content")}]
    if not isinstance(listed, list | tuple):
        read.wrong(f"{path}variants", ValueProblemCode.LIST_EXPECTED)
        return ()
    variants: list[VariantSpec] = []
    for index, variant in enumerate(listed):
        where = f"{path}variants[{index}]"
        variants.append(_variant(read.mapping(variant, where), index, where, read))
    for code, limit in _wrong_together(variants):
        read.wrong(f"{path}variants", code, limit)
    return tuple(variants)


def _wrong_together(variants: Sequence[VariantSpec]) -> Iterator[tuple[ValueProblemCode, str]]:
    if not variants:
        yield ValueProblemCode.VARIANT_EXPECTED, ""
        return
    if any(len(variant.key) > LONGEST_KEY for variant in variants):
        yield ValueProblemCode.TOO_LONG, str(LONGEST_KEY)
    if len({variant.key for variant in variants}) != len(variants):
        yield ValueProblemCode.VARIANT_KEYS, ""
    # The first by its key is the message that others may follow.
    if min(variants, key=lambda variant: variant.key).follows_message:
        yield ValueProblemCode.SAME_TEXT_AS_WHAT, ""


def _variant(known: Mapping[str, Any], index: int, where: str, read: Reader) -> VariantSpec:
    weight = read.whole(known, "weight", f"{where}.weight", 1)
    if weight < 1:
        # Nobody would get it; who wants that takes the variant out.
        read.wrong(f"{where}.weight", ValueProblemCode.AT_LEAST, "1")
    content = known.get("content")
    follows = content == SAME_TEXT
    return VariantSpec(
        key=str(known.get("key") or VARIANT_KEYS[index % len(VARIANT_KEYS)]),
        weight=weight,
        texts=() if follows else _texts(content, f"{where}.content", read),
        follows_message=follows,
    )


def _texts(content: Any, path: str, read: Reader) -> tuple[TextSpec, ...]:
    if not content:
        read.wrong(path, ValueProblemCode.CONTENT_EXPECTED)
        return ()
    known = read.mapping(content, path)
    if known and set(known) <= {"subject", "text", "html"}:
        known = {LOCALES[0]: known}
    texts: list[TextSpec] = []
    for locale, body in known.items():
        where = f"{path}.{locale}"
        if locale not in LOCALES:
            read.wrong(where, ValueProblemCode.ONE_OF, ", ".join(LOCALES))
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
    if known and not any(text.text.strip() or text.html.strip() for text in texts):
        read.wrong(path, ValueProblemCode.CONTENT_EXPECTED)
    return tuple(texts)

"""The ordered gates every message passes: at the dry run, and again at the moment of sending.

Values in, decision out. A refusal carries the gate's reason, a deferral the time to ask again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from campaigns.domain.compliance import collection
from campaigns.domain.experiments.global_control import ControlChoice
from campaigns.domain.sending import frequency, schedule
from campaigns.domain.sending.frequency import Cap, PastSend
from campaigns.domain.sending.schedule import SendingWindow
from customers.domain.consents.consent import Purpose
from customers.domain.values.person import MarketingStatus

# Stored with every refusal; raised whenever a gate or their order changes.
RULE_VERSION = 7
ADULT_AGE = 18


class SkipReason(StrEnum):
    """Why a person did not get a message (or not yet)."""

    UNREACHABLE = "unreachable"
    ADDRESS_GONE = "address_gone"
    BOUNCED = "bounced"
    NO_CONSENT = "no_consent"
    SOURCE_BARRED = "source_barred"
    SUPPRESSED = "suppressed"
    PAUSED = "paused"
    HARDSHIP = "hardship"
    ARREARS = "arrears"
    UNDERAGE = "underage"
    STUDENT = "student"
    NOT_OVERDUE = "not_overdue"
    OVERDUE = "overdue"
    THIRD_PARTY = "third_party"
    COLLECTION_TRIES = "collection_tries"
    RULE_BROKEN = "rule_broken"
    PERSONALISATION_OFF = "personalisation_off"
    ALREADY_SENT = "already_sent"
    GOAL_REACHED = "goal_reached"
    FREQUENCY_CAP = "frequency_cap"
    QUIET_HOURS = "quiet_hours"
    GLOBAL_CONTROL = "global_control"
    HOLDOUT = "holdout"
    EXPIRED = "expired"
    BUDGET = "budget"
    VOLUME_CAP = "volume_cap"
    DAILY_VOLUME = "daily_volume"
    MISSING_VARIABLE = "missing_variable"
    RENDER_ERROR = "render_error"
    NO_CONTENT = "no_content"
    TEMPLATE_MISMATCH = "template_mismatch"
    CHANNEL_REFUSED = "channel_refused"
    RETRIES_EXHAUSTED = "retries_exhausted"
    NEVER_TAKEN = "never_taken"
    CRASHED = "crashed"
    ASKED_AGAIN = "asked_again"
    NOT_SENT = "not_sent"
    CANCELLED = "cancelled"


class GateName(StrEnum):
    """What the gates are called, in their order."""

    REACHABLE = "reachable"
    CONSENT = "consent"
    SOURCE = "source"
    SUPPRESSION = "suppression"
    COLLECTION = "collection"
    PAUSE = "pause"
    HARDSHIP = "hardship"
    PERSONALISATION = "personalisation"
    ALREADY_SENT = "already_sent"
    GOAL = "goal"
    FREQUENCY_CAP = "frequency_cap"
    GLOBAL_CONTROL = "global_control"
    QUIET_HOURS = "quiet_hours"
    HOLDOUT = "holdout"


class Verdict(StrEnum):
    """What a gate says."""

    PASS = "pass"  # noqa: S105 - not a password
    SKIP = "skip"
    DEFER = "defer"
    HOLD_OUT = "hold_out"


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of all gates for one person."""

    verdict: Verdict
    reason: SkipReason | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """What the gates need to know about one person on one channel, read in bulk.

    Attributes:
        has_point: There is a primary contact point of the channel's kind, or the one that was named
            with the message is still the person's.
        is_point_active: It has not bounced and is not invalid.
        has_consent: A consent for the channel and the purpose is in force.
        is_suppressed: The person or the address is on a stop list for the channel and the purpose.
        dpd_days: Most days past due over the person's open loans.
        past_sends: Marketing messages within the longest cap window.
        paused_until: The person asked for no marketing before this time.
        weekly_limit: The person asked for at most so many marketing messages a week.
        is_source_barred: The address or the consent came from a source whose contract does not
            cover marketing (any more), and nothing else stands behind it.
        is_sent_already: A record that was merged into this one has had the same message, or the
            message that this one is a fallback for has reached the person after all.
        has_reached_goal: What the campaign is for has happened since its audience was frozen.
        is_point_named: The message goes to the address that was named with it, or nowhere.
        is_student: The attribute `is_student` is true; read only where rules ask for it.
        is_address_shared: The address is another person's too; read only for collection.
        collection_tries: Unanswered tries to collect of the person's day; likewise.
        is_global_control: Gets no marketing at all in the period that runs.
    """

    customer_id: int
    has_point: bool
    is_point_active: bool
    has_consent: bool
    is_suppressed: bool
    marketing_status: str
    birth_date: date | None
    dpd_days: int
    personalisation_allowed: bool
    zone: ZoneInfo | None
    is_control: bool = False
    past_sends: tuple[PastSend, ...] = field(default=())
    paused_until: datetime | None = None
    weekly_limit: int | None = None
    is_source_barred: bool = False
    is_sent_already: bool = False
    has_reached_goal: bool = False
    is_point_named: bool = False
    is_student: bool = False
    is_address_shared: bool = False
    collection_tries: int = 0
    is_global_control: bool = False


@dataclass(frozen=True, slots=True)
class MessagePlan:
    """What is about to be sent, as far as the gates care.

    Attributes:
        uses_personal_rules: The audience was chosen by behaviour or score, which a person may
            refuse (PIPL article 24).
        arrears_dpd_days: From this many days past due on, credit is not advertised.
        refusals_since: For later messages to the same people: who refused through any channel
            since this time hears no more.
        before_id: The dispatch whose people were not reached and are served now.
        goal_event: What the campaign is for.
        goal_since: Who has done that since then needs no message; None where that is not asked.
        minimum_age: Marketing reaches nobody younger, in years.
        bars_students: Credit is offered, and a rule in force keeps it from students.
        max_tries: Of collection: so many unanswered tries a day; None without such a rule.
        is_at_any_hour: Quiet hours are not kept: a one-time code is no use in the morning.
        control_choices: What was chosen about the global control group, for marketing only.
    """

    channel: str
    purpose: Purpose
    uses_personal_rules: bool
    window: SendingWindow
    caps: tuple[Cap, ...]
    company_zone: ZoneInfo
    arrears_dpd_days: int = 30
    refusals_since: datetime | None = None
    is_at_any_hour: bool = False
    before_id: int | None = None
    goal_event: str = ""
    goal_since: datetime | None = None
    minimum_age: int = ADULT_AGE
    bars_students: bool = False
    is_due_reminder: bool = False
    is_collection: bool = False
    max_tries: int | None = None
    control_choices: tuple[ControlChoice, ...] = ()


Gate = Callable[[ContactFacts, MessagePlan, datetime], Decision | None]


def _skip(reason: SkipReason) -> Decision:
    return Decision(verdict=Verdict.SKIP, reason=reason)


def reachable(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Refuse without a usable contact point."""
    if not facts.has_point:
        return _skip(SkipReason.ADDRESS_GONE if facts.is_point_named else SkipReason.UNREACHABLE)
    if not facts.is_point_active:
        return _skip(SkipReason.BOUNCED)
    return None


def consented(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Refuse marketing without consent.

    Source: PIPL articles 13 and 15; Advertising Law of the PRC article 43.
    """
    if plan.purpose is Purpose.MARKETING and not facts.has_consent:
        return _skip(SkipReason.NO_CONSENT)
    return None


def sourced(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Refuse marketing with data whose source no longer, or never, allowed it.

    Source: PIPL articles 21 and 23 (data of others is used for what was agreed, while it is).
    """
    if plan.purpose is Purpose.MARKETING and facts.is_source_barred:
        return _skip(SkipReason.SOURCE_BARRED)
    return None


def not_suppressed(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Refuse whoever is on a stop list."""
    return _skip(SkipReason.SUPPRESSED) if facts.is_suppressed else None


def collectable(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Refuse to collect from who owes nothing overdue, before others' eyes, or too often a day.

    A reminder of what is due to somebody who is overdue by now would be collection as well.
    Source: 催收工作指引(试行), China Banking Association, 2026-01-30.
    """
    is_overdue = facts.dpd_days >= collection.FIRST_DPD_DAY
    if plan.is_due_reminder and is_overdue:
        return _skip(SkipReason.OVERDUE)
    if not plan.is_collection:
        return None
    if not is_overdue:
        return _skip(SkipReason.NOT_OVERDUE)
    if facts.is_address_shared:
        return _skip(SkipReason.THIRD_PARTY)
    if plan.max_tries is not None and facts.collection_tries >= plan.max_tries:
        return _skip(SkipReason.COLLECTION_TRIES)
    return None


def not_paused(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Refuse marketing while the person has paused it; an offer weeks late is no use."""
    if plan.purpose is not Purpose.MARKETING or facts.paused_until is None:
        return None
    return _skip(SkipReason.PAUSED) if facts.paused_until > now else None


def not_in_hardship(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Refuse marketing to people in dispute, hardship or arrears, and to minors."""
    if plan.purpose is not Purpose.MARKETING:
        return None
    if facts.marketing_status != MarketingStatus.OPEN:
        return _skip(SkipReason.HARDSHIP)
    if facts.dpd_days >= plan.arrears_dpd_days:
        return _skip(SkipReason.ARREARS)
    if facts.birth_date is not None:
        today = now.astimezone(plan.company_zone).date()
        if _age(facts.birth_date, today) < plan.minimum_age:
            return _skip(SkipReason.UNDERAGE)
    if plan.bars_students and facts.is_student:
        return _skip(SkipReason.STUDENT)
    return None


def personalisation(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Refuse people chosen by behaviour or score who refused to be (PIPL article 24)."""
    if plan.uses_personal_rules and not facts.personalisation_allowed:
        return _skip(SkipReason.PERSONALISATION_OFF)
    return None


def not_sent_already(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Refuse what the person has had: by a record merged since, or by the step before."""
    return _skip(SkipReason.ALREADY_SENT) if facts.is_sent_already else None


def goal_not_reached(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Refuse to ask for what the person has done since the audience was frozen."""
    return _skip(SkipReason.GOAL_REACHED) if facts.has_reached_goal else None


def under_frequency_cap(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Refuse a message that would break a frequency cap, the lender's or the person's own."""
    if plan.purpose is not Purpose.MARKETING:
        return None
    caps = frequency.caps_of(plan.caps, facts.weekly_limit)
    cap = frequency.exceeded(facts.past_sends, caps, channel=plan.channel, now=now)
    return _skip(SkipReason.FREQUENCY_CAP) if cap else None


def not_in_global_control(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Hold out who gets no marketing now; before the campaign's own group, so from both alike."""
    if plan.purpose is Purpose.MARKETING and facts.is_global_control:
        return Decision(verdict=Verdict.HOLD_OUT, reason=SkipReason.GLOBAL_CONTROL)
    return None


def outside_quiet_hours(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Defer a message to the next opening of the window, in the person's zone.

    A person without a known zone is reached only while the window is open in the company's zone.
    """
    if plan.is_at_any_hour:
        return None
    opening = schedule.next_opening(now, facts.zone or plan.company_zone, plan.window)
    if opening <= now:
        return None
    return Decision(verdict=Verdict.DEFER, reason=SkipReason.QUIET_HOURS, retry_at=opening)


def not_held_out(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision | None:
    """Hold out the control group: last, so that only people who would have got it are in it."""
    held_out = Decision(verdict=Verdict.HOLD_OUT, reason=SkipReason.HOLDOUT)
    return held_out if facts.is_control else None


GATES: tuple[tuple[GateName, Gate], ...] = (
    (GateName.REACHABLE, reachable),
    (GateName.CONSENT, consented),
    (GateName.SOURCE, sourced),
    (GateName.SUPPRESSION, not_suppressed),
    (GateName.COLLECTION, collectable),
    (GateName.PAUSE, not_paused),
    (GateName.HARDSHIP, not_in_hardship),
    (GateName.PERSONALISATION, personalisation),
    (GateName.ALREADY_SENT, not_sent_already),
    (GateName.GOAL, goal_not_reached),
    (GateName.FREQUENCY_CAP, under_frequency_cap),
    (GateName.GLOBAL_CONTROL, not_in_global_control),
    (GateName.QUIET_HOURS, outside_quiet_hours),
    (GateName.HOLDOUT, not_held_out),
)
# Which gate gives a reason; the other reasons come up after the gates.
_GATE_OF: Mapping[str, GateName] = {
    SkipReason.ADDRESS_GONE: GateName.REACHABLE,
    SkipReason.UNREACHABLE: GateName.REACHABLE,
    SkipReason.BOUNCED: GateName.REACHABLE,
    SkipReason.NO_CONSENT: GateName.CONSENT,
    SkipReason.SOURCE_BARRED: GateName.SOURCE,
    SkipReason.SUPPRESSED: GateName.SUPPRESSION,
    SkipReason.PAUSED: GateName.PAUSE,
    SkipReason.HARDSHIP: GateName.HARDSHIP,
    SkipReason.ARREARS: GateName.HARDSHIP,
    SkipReason.UNDERAGE: GateName.HARDSHIP,
    SkipReason.STUDENT: GateName.HARDSHIP,
    SkipReason.OVERDUE: GateName.COLLECTION,
    SkipReason.NOT_OVERDUE: GateName.COLLECTION,
    SkipReason.THIRD_PARTY: GateName.COLLECTION,
    SkipReason.COLLECTION_TRIES: GateName.COLLECTION,
    SkipReason.PERSONALISATION_OFF: GateName.PERSONALISATION,
    SkipReason.ALREADY_SENT: GateName.ALREADY_SENT,
    SkipReason.GOAL_REACHED: GateName.GOAL,
    SkipReason.FREQUENCY_CAP: GateName.FREQUENCY_CAP,
    SkipReason.GLOBAL_CONTROL: GateName.GLOBAL_CONTROL,
    SkipReason.QUIET_HOURS: GateName.QUIET_HOURS,
    SkipReason.HOLDOUT: GateName.HOLDOUT,
}
_NO_REFUSALS = frozenset(
    {GateName.GOAL, GateName.GLOBAL_CONTROL, GateName.QUIET_HOURS, GateName.HOLDOUT}
)
# Refusals by the gates that stand before the holdout: they strike both groups alike, so leaving
# these people out keeps a comparison of the groups fair. Who has reached the goal stays in it: that
# is what is compared, and the control group is asked once, others at every try.
GATE_REASONS: tuple[SkipReason, ...] = tuple(
    SkipReason(reason) for reason, gate in _GATE_OF.items() if gate not in _NO_REFUSALS
)
_PASSED = Decision(verdict=Verdict.PASS)


def gate_of(reason: str) -> str:
    """Return the name of the gate that gives a reason; empty for reasons of no gate."""
    return _GATE_OF.get(reason, "")


def decide(facts: ContactFacts, plan: MessagePlan, now: datetime) -> Decision:
    """Return the first objection of the gates, in their order, or a pass."""
    for _name, gate in GATES:
        if (decision := gate(facts, plan, now)) is not None:
            return decision
    return _PASSED


def _age(birth_date: date, today: date) -> int:
    before_birthday = (today.month, today.day) < (birth_date.month, birth_date.day)
    return today.year - birth_date.year - int(before_birthday)

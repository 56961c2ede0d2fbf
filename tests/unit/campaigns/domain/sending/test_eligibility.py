from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.domain.sending.eligibility import (
    GATE_REASONS,
    GATES,
    ContactFacts,
    GateName,
    MessagePlan,
    SkipReason,
    Verdict,
    decide,
    gate_of,
)
from campaigns.domain.sending.frequency import Cap, PastSend
from campaigns.domain.sending.schedule import SendingWindow
from customers.domain.consents.consent import Purpose

NOW = datetime(2026, 3, 4, 2, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
FACTS = ContactFacts(
    customer_id=1,
    has_point=True,
    is_point_active=True,
    has_consent=True,
    is_suppressed=False,
    marketing_status="open",
    birth_date=date(1990, 1, 1),
    dpd_days=0,
    personalisation_allowed=True,
    zone=SHANGHAI,
)
PLAN = MessagePlan(
    channel="sms",
    purpose=Purpose.MARKETING,
    uses_personal_rules=True,
    window=SendingWindow(time(9), time(20)),
    caps=(Cap("", 24, 1),),
    company_zone=SHANGHAI,
    bars_students=True,
)
RECENT = (PastSend("email", NOW - timedelta(hours=1)),)
OLDER = (PastSend("email", NOW - timedelta(days=6)),)
CASES = [
    ("named one gone", {"has_point": False, "is_point_named": True}, SkipReason.ADDRESS_GONE),
    ("no contact point", {"has_point": False}, SkipReason.UNREACHABLE),
    ("bounced", {"is_point_active": False}, SkipReason.BOUNCED),
    ("no consent", {"has_consent": False}, SkipReason.NO_CONSENT),
    ("source barred", {"is_source_barred": True}, SkipReason.SOURCE_BARRED),
    ("suppressed", {"is_suppressed": True}, SkipReason.SUPPRESSED),
    ("paused", {"paused_until": NOW + timedelta(days=1)}, SkipReason.PAUSED),
    ("in dispute", {"marketing_status": "dispute"}, SkipReason.HARDSHIP),
    ("in arrears", {"dpd_days": 30}, SkipReason.ARREARS),
    ("17 years and 364 days", {"birth_date": date(2008, 3, 5)}, SkipReason.UNDERAGE),
    ("a student", {"is_student": True}, SkipReason.STUDENT),
    ("refused profiling", {"personalisation_allowed": False}, SkipReason.PERSONALISATION_OFF),
    ("sent already", {"is_sent_already": True}, SkipReason.ALREADY_SENT),
    ("capped", {"past_sends": RECENT}, SkipReason.FREQUENCY_CAP),
]


def test_a_reachable_consenting_adult_passes():
    assert decide(FACTS, PLAN, NOW).verdict is Verdict.PASS


@pytest.mark.parametrize(("_case", "change", "reason"), CASES)
def test_each_gate_skips_with_its_reason(_case, change, reason):
    decision = decide(replace(FACTS, **change), PLAN, NOW)
    assert (decision.verdict, decision.reason) == (Verdict.SKIP, reason)


def test_every_refusal_by_a_gate_is_known_to_reports():
    marketing = [reason for reason in GATE_REASONS if gate_of(reason) != GateName.COLLECTION]
    assert [reason for _case, _change, reason in CASES] == marketing


def test_d24_who_has_reached_the_goal_is_skipped_and_stays_in_the_comparison():
    for facts in (FACTS, replace(FACTS, is_control=True)):
        decision = decide(replace(facts, has_reached_goal=True), PLAN, NOW)
        assert (decision.verdict, decision.reason) == (Verdict.SKIP, SkipReason.GOAL_REACHED)
    assert SkipReason.GOAL_REACHED not in GATE_REASONS


def test_the_earliest_objection_wins():
    for position, (_case, _change, reason) in enumerate(CASES):
        change = {
            key: value
            for _case, part, _reason in reversed(CASES[position:])
            for key, value in part.items()
        }
        assert decide(replace(FACTS, **change), PLAN, NOW).reason is reason


def test_the_eighteenth_birthday_is_adult():
    assert decide(replace(FACTS, birth_date=date(2008, 3, 4)), PLAN, NOW).verdict is Verdict.PASS


def test_age_is_counted_in_the_companys_day():
    late_evening_utc = datetime(2026, 3, 3, 17, tzinfo=UTC)
    facts = replace(FACTS, birth_date=date(2008, 3, 4), zone=ZoneInfo("Europe/London"))
    assert decide(facts, PLAN, late_evening_utc).reason is not SkipReason.UNDERAGE


def test_arrears_below_the_limit_pass():
    assert decide(replace(FACTS, dpd_days=29), PLAN, NOW).verdict is Verdict.PASS


def test_at_night_the_message_is_deferred_to_the_opening():
    night = datetime(2026, 3, 4, 15, tzinfo=UTC)
    decision = decide(FACTS, PLAN, night)
    assert decision.verdict is Verdict.DEFER
    assert decision.retry_at == datetime(2026, 3, 5, 1, tzinfo=UTC)


def test_the_control_group_is_held_out_only_when_everything_else_passes():
    control = replace(FACTS, is_control=True)
    assert decide(control, PLAN, NOW).verdict is Verdict.HOLD_OUT
    assert decide(replace(control, has_consent=False), PLAN, NOW).reason is SkipReason.NO_CONSENT


def test_a_service_message_needs_no_consent_but_respects_stops():
    plan = replace(PLAN, purpose=Purpose.SERVICE, is_at_any_hour=True)
    night = datetime(2026, 3, 4, 15, tzinfo=UTC)
    facts = replace(FACTS, has_consent=False, dpd_days=90, past_sends=RECENT)
    assert decide(facts, plan, night).verdict is Verdict.PASS
    assert decide(replace(facts, is_suppressed=True), plan, night).reason is SkipReason.SUPPRESSED


def test_a_segment_by_plain_attributes_may_include_people_who_refused_profiling():
    plan = replace(PLAN, uses_personal_rules=False)
    assert decide(replace(FACTS, personalisation_allowed=False), plan, NOW).verdict is Verdict.PASS


def test_holdout_is_the_last_gate():
    assert GATES[-1][0] == "holdout"


def test_f10_a_persons_own_limit_counts_a_week_and_all_channels():
    sends = {"past_sends": OLDER}
    assert decide(replace(FACTS, **sends), PLAN, NOW).verdict is Verdict.PASS
    limited = replace(FACTS, **sends, weekly_limit=1)
    assert decide(limited, PLAN, NOW).reason is SkipReason.FREQUENCY_CAP
    assert decide(replace(limited, weekly_limit=2), PLAN, NOW).verdict is Verdict.PASS
    service = replace(PLAN, purpose=Purpose.SERVICE)
    assert decide(limited, service, NOW).verdict is Verdict.PASS


def test_f10_a_break_ends_by_itself_and_never_stops_service_messages():
    paused = replace(FACTS, paused_until=NOW + timedelta(seconds=1))
    assert decide(paused, PLAN, NOW).reason is SkipReason.PAUSED
    assert decide(paused, PLAN, NOW + timedelta(seconds=1)).verdict is Verdict.PASS
    assert decide(paused, replace(PLAN, purpose=Purpose.SERVICE), NOW).verdict is Verdict.PASS


def test_the_gates_are_called_by_their_names_in_order() -> None:
    assert [name for name, _gate in GATES] == list(GateName)

"""Consent: what a reported word is worth, and which word is in force."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.consents.consent import (
    ConsentChannel,
    ConsentFact,
    ReportedConsentEffect,
    contact_kind_of,
    decide_reported_consent,
    is_in_force,
    state_at,
)
from customers.domain.values.contact import ContactKind

START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 50), st.one_of(st.none(), st.integers(1, 20))),
    max_size=12,
)


def _facts(words) -> list[ConsentFact]:
    return [
        ConsentFact(
            is_granted,
            START + timedelta(hours=hour),
            START + timedelta(hours=hour + lasts) if lasts and is_granted else None,
        )
        for is_granted, hour, lasts in words
    ]


@pytest.mark.parametrize(
    ("before", "is_granted", "expected"),
    [
        (None, True, ReportedConsentEffect.FIRST_WORD),
        (None, False, ReportedConsentEffect.FIRST_WORD),
        (True, True, ReportedConsentEffect.SAME),
        (False, False, ReportedConsentEffect.SAME),
        (True, False, ReportedConsentEffect.NARROWS),
        (False, True, ReportedConsentEffect.CONFLICTS),
    ],
)
def test_a6_a_reported_word_narrows_and_never_widens(before, is_granted, expected):
    assert decide_reported_consent(is_granted, before=before) is expected


@given(words=WORDS, hour=st.integers(0, 60))
def test_k1_the_state_at_a_time_needs_only_what_was_said_until_then(words, hour):
    facts, now = _facts(words), START + timedelta(hours=hour)
    past = [fact for fact in facts if fact.at <= now]

    assert state_at(facts, now=now) == state_at(past, now=now)
    assert state_at(reversed(facts), now=now) == state_at(facts, now=now) or any(
        one.at == other.at and one.is_granted == other.is_granted and one != other
        for one in past
        for other in past
    )


@given(words=WORDS, hour=st.integers(0, 60))
def test_k1_after_a_withdrawal_nothing_is_in_force_until_a_later_grant(words, hour):
    facts, now = _facts(words), START + timedelta(hours=hour)
    said = [fact for fact in facts if fact.at <= now]
    last = max((fact.at for fact in said), default=None)

    if any(fact.at == last and not fact.is_granted for fact in said) or not said:
        assert not is_in_force(state_at(facts, now=now), now=now)


@pytest.mark.parametrize("channel", list(ConsentChannel))
def test_every_channel_has_a_kind_of_address(channel: ConsentChannel) -> None:
    assert contact_kind_of(channel.value) in set(ContactKind)


def test_calls_and_short_messages_go_to_the_same_number() -> None:
    assert contact_kind_of("sms") is contact_kind_of("phone") is ContactKind.PHONE

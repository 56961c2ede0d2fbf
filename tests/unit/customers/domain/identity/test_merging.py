"""Which value survives a merge, field by field, and which consent."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.consents.consent import ConsentFact
from customers.domain.identity.merging import (
    Held,
    Prefer,
    Rule,
    is_blank,
    is_other_better,
    merged_consents,
    narrowest,
    stricter_status,
)

EARLY = datetime(2026, 1, 1, tzinfo=UTC)
LATE = EARLY + timedelta(days=30)
FACTS = st.builds(
    ConsentFact,
    is_granted=st.booleans(),
    at=st.sampled_from((EARLY, LATE)),
    expires_at=st.sampled_from((None, LATE, LATE + timedelta(days=1))),
)


def _held(value: object, source: str = "crm", at: datetime = EARLY) -> Held:
    return Held(value, source, at)


@pytest.mark.parametrize("value", [None, "", "unknown"])
def test_a12_what_says_nothing_is_blank(value: object) -> None:
    assert is_blank(value)


@pytest.mark.parametrize("value", [0, Decimal(0), False, "0", "无", " 西安"])
def test_a12_nought_no_and_words_are_values(value: object) -> None:
    assert not is_blank(value)


@pytest.mark.parametrize("rule", [Rule(prefer) for prefer in Prefer])
@pytest.mark.parametrize("blank", [None, "", "unknown"])
def test_a12_a_blank_never_wins_and_always_yields(rule: Rule, blank: object) -> None:
    assert not is_other_better(_held("西安"), _held(blank, at=LATE), rule)
    assert is_other_better(_held(blank, at=LATE), _held("西安"), rule)
    assert not is_other_better(_held(blank), _held(blank, at=LATE), rule)


@pytest.mark.parametrize(
    ("rule", "kept", "other", "expected"),
    [
        (Rule(), _held("a"), _held("b", at=LATE), False),
        (Rule(Prefer.NEWEST), _held("a"), _held("b", at=LATE), True),
        (Rule(Prefer.NEWEST), _held("a", at=LATE), _held("b"), False),
        (Rule(Prefer.NEWEST), _held("a"), _held("b"), False),
        (Rule(Prefer.SOURCE, ("bank", "crm")), _held("a"), _held("b", "bank"), True),
        (Rule(Prefer.SOURCE, ("bank", "crm")), _held("a", "bank"), _held("b"), False),
        (Rule(Prefer.SOURCE, ("bank",)), _held("a"), _held("b", "web"), False),
        (Rule(Prefer.SOURCE, ("bank",)), _held("a", "web"), _held("b", "bank"), True),
        (Rule(Prefer.SOURCE), _held("a"), _held("b", "bank"), False),
        (Rule(Prefer.NEWEST), _held(Decimal("1.0")), _held(Decimal("1.00"), at=LATE), False),
        (Rule(Prefer.NEWEST), _held(True), _held(False, at=LATE), True),
    ],
)
def test_a12_where_both_have_a_value_the_rule_of_the_field_decides(
    rule: Rule, kept: Held, other: Held, expected: bool
) -> None:
    assert is_other_better(kept, other, rule) is expected


@given(facts=st.lists(FACTS, min_size=1, max_size=4))
def test_a12_the_narrowest_consent_survives(facts: list[ConsentFact]) -> None:
    found = narrowest(facts)

    assert found in facts
    assert found.is_granted == all(fact.is_granted for fact in facts)
    if found.is_granted:
        ends = [fact.expires_at for fact in facts if fact.expires_at is not None]
        assert found.expires_at == (min(ends) if ends else None)


@given(kept=FACTS, other=FACTS)
def test_a12_a_merge_never_widens_what_the_kept_record_said(
    kept: ConsentFact, other: ConsentFact
) -> None:
    changed = merged_consents({("sms", "marketing"): kept}, {("sms", "marketing"): other})

    after = changed.get(("sms", "marketing"), kept)
    assert not (after.is_granted and not kept.is_granted)


def test_a12_the_stricter_marketing_status_survives() -> None:
    assert stricter_status("open", "dispute") == stricter_status("dispute", "open") == "dispute"

"""What was agreed about a source, and whether it still holds."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.consents.consent import Purpose
from customers.domain.sources import (
    SourceKind,
    SourceTerms,
    Standing,
    TermsProblem,
    allows,
    check_terms,
    days_left,
    standing,
)

TODAY = date(2026, 3, 4)
ALL = frozenset(Purpose)


def _terms(**changes) -> SourceTerms:
    return SourceTerms(
        **({"kind": SourceKind.VENDOR, "purposes": ALL, "contract": "V-1"} | changes)
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Standing.IN_FORCE),
        ({"valid_until": TODAY}, Standing.IN_FORCE),
        ({"valid_until": TODAY - timedelta(days=1)}, Standing.ENDED),
        ({"valid_from": TODAY}, Standing.IN_FORCE),
        ({"valid_from": TODAY + timedelta(days=1)}, Standing.NOT_YET),
        ({"is_active": False, "valid_until": TODAY}, Standing.SWITCHED_OFF),
    ],
)
def test_s65_a_contract_counts_from_its_first_to_its_last_day(changes, expected):
    assert standing(_terms(**changes), today=TODAY) is expected


def test_s65_data_serves_agreed_purposes_only():
    terms = _terms(purposes=frozenset({Purpose.SERVICE}))

    assert allows(terms, Purpose.SERVICE, today=TODAY)
    assert not allows(terms, Purpose.MARKETING, today=TODAY)


@given(days=st.integers(-400, 400))
def test_s65_an_end_is_pointed_out_thirty_days_before(days):
    left = days_left(_terms(valid_until=TODAY + timedelta(days=days)), today=TODAY)

    assert left == (days if 0 <= days <= 30 else None)


@pytest.mark.parametrize(
    ("changes", "purposes", "expected"),
    [
        ({"valid_until": TODAY}, ["marketing"], ()),
        ({"kind": SourceKind.BRANCH, "contract": ""}, [], ()),
        ({"contract": " ", "valid_until": TODAY}, [], (TermsProblem.CONTRACT_MISSING,)),
        ({}, [], (TermsProblem.END_MISSING,)),
        (
            {"valid_from": TODAY, "valid_until": TODAY - timedelta(days=1)},
            ["resale"],
            (TermsProblem.DATES_REVERSED, TermsProblem.PURPOSE_UNKNOWN),
        ),
    ],
)
def test_s65_a_vendor_needs_a_contract_with_an_end(changes, purposes, expected):
    assert check_terms(_terms(**changes), purposes=purposes) == expected

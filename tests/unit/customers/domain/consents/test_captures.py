"""People handed in one by one: everything wrong is named, nothing is dropped."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.consents.captures import ConsentClaim, RawPerson, check_person
from customers.domain.consents.consent import ConsentChannel, Purpose

SHANGHAI = ZoneInfo("Asia/Shanghai")

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
TODAY = date(2026, 3, 4)


def _findings(raw: RawPerson) -> list[tuple[str, str]]:
    __, findings = check_person(raw, today=TODAY, zone=SHANGHAI, now=NOW)
    return [(finding.column, finding.code.value) for finding in findings]


def test_a_person_is_brought_to_normal_form() -> None:
    raw = RawPerson(
        name=" 欧阳 娜娜 ",
        phone="０１３８００１３８０００".removeprefix("０"),
        email="Nana@Example.COM",
        national_id="11010519491231002x",
        gender="女",
        city=" 北京 ",
    )

    person, findings = check_person(raw, today=TODAY, zone=SHANGHAI, now=NOW)

    assert findings == ()
    assert person.phone is not None
    assert person.national_id is not None
    assert (person.name, person.phone.e164, person.email, person.national_id.number) == (
        "欧阳娜娜",
        "+8613800138000",
        "nana@example.com",
        "11010519491231002X",
    )
    assert (person.birth_date, person.gender, person.texts["city"], person.language) == (
        date(1949, 12, 31),
        "female",
        "北京",
        "zh-hans",
    )


def test_every_fault_is_named_not_only_the_first() -> None:
    raw = RawPerson(phone="12", email="x", national_id="1", birth_date="2999-01-01", gender="robot")

    assert _findings(raw) == [
        ("national_id", "id_format"),
        ("birth_date", "birth_future"),
        ("gender", "gender_invalid"),
        ("phone", "phone_invalid"),
        ("email", "email_invalid"),
    ]


def test_somebody_without_phone_e_mail_or_id_cannot_be_told_from_others() -> None:
    assert _findings(RawPerson(name="王小明", phone=" ")) == [("phone", "identity_missing")]


@pytest.mark.parametrize(
    ("is_granted", "evidence", "expected"),
    [
        (True, "form-1", []),
        (True, "  ", [("consents.evidence", "value_missing")]),
        (False, "", []),
    ],
)
def test_only_a_grant_needs_evidence(
    is_granted: bool, evidence: str, expected: list[tuple[str, str]]
) -> None:
    claim = ConsentClaim(
        channel=ConsentChannel.SMS,
        purpose=Purpose.MARKETING,
        is_granted=is_granted,
        at=NOW,
        evidence=evidence,
    )

    assert _findings(RawPerson(phone="13800138000", consents=(claim,))) == expected


def test_a_text_that_normalisation_makes_too_long_is_refused() -> None:
    # U+FDFA becomes 18 characters in NFKC.
    assert _findings(RawPerson(phone="13800138000", city="\ufdfa" * 3)) == [
        ("city", "text_too_long")
    ]


def test_a_person_shows_nothing_in_logs() -> None:
    raw = RawPerson(name="欧阳娜娜", phone="13800138000")
    person, __ = check_person(raw, today=TODAY, zone=SHANGHAI, now=NOW)

    assert "欧阳" not in f"{raw!r}{person!r}"
    assert "13800" not in f"{raw!r}{person!r}"


@given(
    st.builds(
        RawPerson,
        name=st.text(max_size=30),
        phone=st.text(max_size=30),
        email=st.text(max_size=30),
        national_id=st.text(max_size=20),
        birth_date=st.text(max_size=12),
        gender=st.text(max_size=8),
        city=st.text(max_size=30),
    )
)
def test_no_text_breaks_the_check(raw: RawPerson) -> None:
    person, findings = check_person(raw, today=TODAY, zone=SHANGHAI, now=NOW)

    assert findings or person.phone or person.email or person.national_id
    assert "\x00" not in "".join(person.texts.values()) + person.name + person.email

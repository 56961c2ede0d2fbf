"""E-mail addresses."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.values.emails import parse_email
from customers.domain.values.quality import ValueRefused


def unescaped(text: str) -> str:
    return text.encode().decode("unicode_escape")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" C109.76@EXAMPLE.COM ", "c109.76@example.com"),
        ("ｗａｎｇ＠example。com", "wang@example.com"),
        ("mailto:a@example.com", "a@example.com"),
        ("王小明 <wang@example.com>", "wang@example.com"),
    ],
)
def test_spellings_of_an_address_become_one(text: str, address: str) -> None:
    assert parse_email(text) == address


@pytest.mark.parametrize(
    "text", ["", "x@", "a@@b", "@example.com", "not-an-email", "a@b.c\nBcc: x@y.z", "a@localhost"]
)
def test_texts_that_are_no_address_are_refused(text: str) -> None:
    with pytest.raises(ValueRefused) as caught:
        parse_email(text)
    assert caught.value.code == "email_invalid"


def test_isemail_vectors(shared_data: Path) -> None:
    with (shared_data / "vectors_email/isemail.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 75
    for row in rows:
        text = unescaped(row["input"])
        # Outer blanks are noise of a file, not part of the address.
        if row["isemail_ok_for_marketing"] == "True" or text == " test@iana.org":
            assert parse_email(text)
        else:
            with pytest.raises(ValueRefused):
                parse_email(text)


def test_email_validator_vectors(shared_data: Path) -> None:
    with (shared_data / "vectors_email/email_validator.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 65
    for row in rows:
        text, expected = unescaped(row["input"]), unescaped(row["expected"])
        if text.endswith("<me@example.com>"):
            # Refused by that library without an option, which importing switches on.
            assert parse_email(text) == "me@example.com"
        elif row["valid"] == "True" and (not text.startswith('"') or "<" in text):
            assert parse_email(text) == expected.lower()
        else:
            with pytest.raises(ValueRefused):
                parse_email(text)


@given(st.emails() | st.text(max_size=40))
def test_parsing_the_result_again_changes_nothing(text: str) -> None:
    try:
        address = parse_email(text)
    except ValueRefused:
        return
    assert parse_email(address) == address


@given(st.text("aB1._-+<>@ \t:é", max_size=24).map(lambda text: f"{text}@example.com"))
def test_a_plain_text_is_read_like_one_that_has_to_be_cleaned(text: str) -> None:
    answers: list[object] = []
    for form in (text, f"\u200b{text}"):
        try:
            answers.append(parse_email(form))
        except ValueRefused as refused:
            answers.append(refused.code)
    assert answers[0] == answers[1]

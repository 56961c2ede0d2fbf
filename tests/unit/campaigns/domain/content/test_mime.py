import email
import email.policy
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.content.mime import Addressee, EmailSkeleton, HeaderRefused, MailMisbuilt

AT = datetime(2026, 3, 4, 2, 0, 5, 999, tzinfo=UTC)
URL = "https://crm.example.com/u/AAAAAAAAAAAAAAAAAAAAAAAAAAA/"


def _skeleton(**changes):
    values = {
        "sender_name": "诚信消金",
        "sender_address": "news@mail.example.com",
        "language": "zh-hans",
        "has_html": True,
        "unsubscribe_mailto": "leave@example.com",
    }
    return EmailSkeleton(**{**values, **changes})


def _fill(skeleton=None, **changes):
    values = {
        "to": Addressee("wang@example.com", "王小明"),
        "subject": "您好",
        "text": "正文",
        "html": "<p>正文</p>",
        "message_key": "m1",
        "unsubscribe_url": URL,
        "at": AT,
    }
    return (skeleton or _skeleton()).fill(**{**values, **changes})


def _read(raw):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message.defects == []
    assert all(part.defects == [] for part in message.walk())
    return message


def _display_name(raw, header):
    # The new policy puts blanks between neighbouring encoded words of a name (RFC 2047 6.2 says to
    # drop them), so names are read by the older parser.
    value = email.message_from_bytes(raw)[header]
    phrase = value.rpartition("<")[0].strip()
    return str(make_header(decode_header(phrase)))


@pytest.mark.parametrize(
    "text",
    [
        "plain ASCII",
        "王小明先生，您的额度" * 6,
        "𠮷野家𠮷 rare Han",
        "😀👨‍👩‍👧 emoji" * 5,
        "=?utf-8?b?AA==?=",
        "é" * 90,
    ],
)
def test_f34_everything_is_read_back_as_written(text):
    body = f"{text}\n.\n{text * 40}"
    raw = _fill(
        subject=text,
        to=Addressee("wang@example.com", text[:60]),
        text=body,
        html=f"<p>{body}</p>",
    )
    message = _read(raw)
    assert message["Subject"] == text
    assert _display_name(raw, "To") == text[:60]
    assert message["To"].addresses[0].addr_spec == "wang@example.com"
    assert message["From"].addresses[0].display_name == "诚信消金"
    assert message.get_body(("plain",)).get_content() == body
    assert message.get_body(("html",)).get_content() == f"<p>{body}</p>"


def test_one_click_headers_stand_together():
    message = _read(_fill())
    assert message["List-Unsubscribe"] == f"<{URL}>, <mailto:leave@example.com>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    servicing = _read(_fill(unsubscribe_url=""))
    assert servicing["List-Unsubscribe"] is None
    assert servicing["List-Unsubscribe-Post"] is None


def test_the_message_id_carries_our_key_and_the_date_is_the_given_one():
    message = _read(_fill(message_key="m4711"))
    assert message["Message-ID"] == "<m4711@mail.example.com>"
    assert parsedate_to_datetime(message["Date"]) == AT.replace(microsecond=0)
    assert message["Content-Language"] == "zh-hans"


def test_a_message_without_html_is_plain():
    message = _read(_fill(_skeleton(has_html=False), html=None))
    assert message.get_content_type() == "text/plain"
    assert message.get_content().rstrip("\r\n") == "正文"


def test_lines_are_short_end_in_cr_lf_and_none_begins_with_a_dot():
    raw = _fill(text=".\n" * 500, html="<p>" + "长" * 5000 + "</p>", subject="长" * 300)
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 200
    assert not any(b"\n" in line or b"\r" in line or line.startswith(b".") for line in lines)
    assert raw.isascii()
    assert raw.endswith(b"\r\n")


@pytest.mark.parametrize("separator", ["\r\n", "\n", "\r", "\x00", "\x0b", "\u2028", "\u0085"])
@pytest.mark.parametrize("place", ["name", "subject", "address", "key", "url"])
def test_f31_no_value_can_add_a_header(separator, place):
    evil = f"x{separator}Bcc: victim@example.com"
    changes = {
        "name": {"to": Addressee("a@example.com", evil)},
        "subject": {"subject": evil},
        "address": {"to": Addressee(f"a@example.com{separator}Bcc: b@example.com")},
        "key": {"message_key": evil},
        "url": {"unsubscribe_url": URL + evil},
    }[place]
    with pytest.raises((HeaderRefused, MailMisbuilt)):
        _fill(**changes)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b",
        "a b@c.d",
        "a@b c",
        "a@b,c@d",
        "<a@b>",
        "a@b>",
        "名@example.com",
        "a@[1.2.3.4]",
    ],
)
def test_what_is_no_plain_address_is_refused(address):
    with pytest.raises(HeaderRefused):
        _fill(to=Addressee(address))


def test_a_domain_in_other_letters_is_written_in_ascii():
    assert b"To: a@xn--fsqu00a.com\r\n" in _fill(to=Addressee("a@例子.com"))


@pytest.mark.parametrize("name", ['He said "hi" \\', "a, b", "(x)", "a@b", "Ünal"])
def test_names_with_specials_are_quoted_or_encoded(name):
    message = _read(_fill(to=Addressee("a@example.com", name)))
    assert message["To"].addresses[0].display_name == name
    assert len(message["To"].addresses) == 1


@given(
    subject=st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=120),
    body=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r"), max_size=300),
)
def test_any_text_survives(subject, body):
    message = _read(_fill(subject=subject, text=body))
    assert str(message["Subject"]) == subject
    assert message.get_body(("plain",)).get_payload(decode=True).decode() == body

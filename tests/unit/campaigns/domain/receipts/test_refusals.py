"""Refusals as real servers and gateways word them."""

import json

import pytest

from campaigns.domain.receipts.refusals import Blame, blame_of


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("5.1.1", "user unknown"),
        ("550", "User not found: <address>"),
        ("550", "Mailbox not found. http://service.mail.qq.com/cgi-bin/help?id=5011"),
        ("550", "Mailbox unavailable or access denied [xx] http://service.mail.qq.com"),
        ("550", "Invalid User"),
        ("550", "User suspended"),
        ("550", "No such user (#5.1.1)"),
        ("550", "sorry, no mailbox here by that name (#5.1.1)"),
        ("554", "delivery error: dd This user doesn't have a yahoo.com account"),
        ("553", "Requested action not taken: mailbox unavailable"),
        ("550", "收件人不存在"),
        ("5.5.0", "Requested action not taken: mailbox unavailable"),
        ("5.4.1", "Recipient address rejected: Access denied"),
        *((code, "") for code in ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4")),
        ("number_invalid", ""),
        ("isv.MOBILE_NUMBER_ILLEGAL", ""),
    ],
)
def test_g3_words_and_codes_that_take_an_address_out_of_use(code, words):
    assert blame_of(code, words) is Blame.ADDRESS


@pytest.mark.parametrize(
    ("code", "words", "blame"),
    [
        ("5.7.1", "blocked by policy", Blame.ACCOUNT),
        ("5.7.1", "recipient unknown to our reputation service", Blame.ACCOUNT),
        ("550", "Ip frequency limited", Blame.ACCOUNT),
        ("550", "Mail content denied", Blame.ACCOUNT),
        ("550", "Connection denied. Suspected spam ip", Blame.ACCOUNT),
        ("554", "DT:SPM 163 smtp", Blame.OTHER),
        ("550", "MI:NHD HELO denied", Blame.ACCOUNT),
        ("550", "Relay access denied", Blame.ACCOUNT),
        ("550", "Sender address rejected: user unknown", Blame.ACCOUNT),
        ("535", "Error: authentication failed", Blame.ACCOUNT),
        ("account_suspended", "", Blame.ACCOUNT),
        ("isv.AMOUNT_NOT_ENOUGH", "", Blame.ACCOUNT),
        ("4.2.2", "mailbox full", Blame.MAILBOX),
        ("452", "Mailbox is full", Blame.MAILBOX),
        ("5.2.2", "over quota", Blame.MAILBOX),
        ("552", "Quota exceeded or service disabled", Blame.MAILBOX),
        ("421", "closing", Blame.BUSY),
        ("4.3.2", "system not accepting network messages", Blame.BUSY),
        ("450", "too many connections from your host", Blame.BUSY),
        ("busy", "", Blame.BUSY),
        ("4.7.1", "greylisted, try again in five minutes", Blame.OTHER),
        ("450", "user unknown at the moment", Blame.OTHER),
        ("5.6.0", "cannot convert", Blame.OTHER),
        ("4.4.7", "", Blame.OTHER),
        ("", "", Blame.OTHER),
    ],
)
def test_g3_what_is_not_about_an_address_leaves_it_in_use(code, words, blame):
    assert blame_of(code, words) is blame


def test_g3_refusals_of_the_shared_cases(shared_data):
    path = shared_data / "cases_doors" / "cases.json"
    if not path.exists():
        pytest.skip("the cases are not in the shared folder")
    cases = json.loads(path.read_text())["refused_at_rcpt"]
    for line in cases["address_out_of_use"]:
        assert blame_of(*_parts(line)) is Blame.ADDRESS, line
    for line in cases["address_stays"]:
        assert blame_of(*_parts(line)) is not Blame.ADDRESS, line


def _parts(line):
    reply, _blank, text = line.partition(" ")
    first = text.partition(" ")[0]
    return (first if first.count(".") == 2 else reply), text

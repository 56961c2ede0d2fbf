"""What is worded for one person can be stored and read by another in his own language."""

import copy
import pickle

import msgspec
import pytest
from django.utils import translation
from django.utils.translation import gettext_lazy

from loancrm.kernel.words import phrases
from loancrm.kernel.words.phrases import Phrase

LOST = "The worker was lost."
UNREADABLE = "The file cannot be read: %(reason)s."


def in_english(text: str) -> str:
    stored = phrases.write(text)
    with translation.override("en"):
        return phrases.read(stored)


def test_d_a_sentence_is_read_in_the_language_of_its_reader():
    with translation.override("zh-hans"):
        told = phrases.gettext(LOST)
    assert told == "后台进程已丢失。"
    assert in_english(told) == LOST


def test_d_what_was_put_into_a_sentence_is_put_into_the_other_one():
    with translation.override("zh-hans"):
        reason = phrases.worded(gettext_lazy("the disk is full"))
        told = phrases.gettext(UNREADABLE) % {"reason": reason}
    assert "磁盘" in told
    assert in_english(told) == "The file cannot be read: the disk is full."


def test_d_a_reason_that_is_translated_late_is_stored_as_what_it_says():
    told = phrases.gettext(UNREADABLE) % {"reason": gettext_lazy("the disk is full")}
    assert in_english(told) == "The file cannot be read: the disk is full."


def test_d_names_that_no_catalogue_knows_are_kept_in_every_language():
    with translation.override("zh-hans"):
        told = phrases.gettext(UNREADABLE) % {"reason": Phrase.of({"zh-hans": "甲", "en": "one"})}
    assert "甲" in told
    assert in_english(told) == "The file cannot be read: one."


@pytest.mark.parametrize(
    "stored",
    ["", "said before", '{"text": 3}', '{"text"', "{}", '{"text": "%(gone)s", "values": {"a": 1}}'],
)
def test_what_is_no_stored_sentence_stays_as_it_is(stored):
    assert isinstance(phrases.read(stored), str)
    if not stored.startswith('{"text": "%'):
        assert phrases.read(stored) in {stored, ""}


def test_a_percent_sign_and_numbers_survive():
    told = phrases.gettext("100 %") % {}
    assert in_english(told) == "100 %"
    with translation.override("zh-hans"):
        counted = phrases.gettext(
            "The file has %(rows)d rows, but %(told)d are accounted for; do not rely on it."
        ) % {"rows": 12, "told": 11}
    assert in_english(counted).startswith("The file has 12 rows, but 11 are")


def test_a_sentence_travels_like_text():
    told = phrases.gettext(UNREADABLE) % {"reason": "x"}
    for other in (copy.deepcopy(told), pickle.loads(pickle.dumps(told))):  # noqa: S301 - our own
        assert (other, other.source, other.values) == (told, UNREADABLE, {"reason": "x"})
    assert msgspec.json.decode(msgspec.json.encode({"a": told}, enc_hook=phrases.plain)) == {
        "a": str(told)
    }
    with pytest.raises(NotImplementedError):
        phrases.plain(object())

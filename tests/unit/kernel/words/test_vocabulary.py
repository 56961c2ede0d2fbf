"""A vocabulary names every value of its enum, and shows no code where it has no word."""

from collections.abc import Mapping
from enum import StrEnum

import pytest
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from loancrm.kernel.words.phrases import Phrase
from loancrm.kernel.words.vocabulary import Term, Vocabulary, VocabularyIncomplete


class Light(StrEnum):
    OFF = ""
    RED = "red"
    GREEN = "green"


class Road(StrEnum):
    RED = "red"


LIGHTS = Vocabulary(
    Light,
    {
        Light.GREEN: Term(_("Approved"), tone="good", icon="check", hint=_("Draft")),
        Light.RED: Term(_("Stopped"), tone="bad"),
        Light.OFF: _("Waiting"),
    },
)


@pytest.mark.parametrize(
    "terms",
    [
        {Light.RED: "Red", Light.GREEN: "Green"},
        {Light.OFF: "", Light.RED: "Red", Light.GREEN: "Green", "blue": "Blue"},
        {Light.OFF: "", "red": "Red", Light.GREEN: "Green"},
        {Light.OFF: "", Road.RED: "Red", Light.GREEN: "Green"},
    ],
)
def test_a_table_that_forgets_a_value_or_has_a_foreign_one_is_refused(
    terms: Mapping[Light, str],
) -> None:
    with pytest.raises(VocabularyIncomplete, match="Light: missing"):
        Vocabulary(Light, terms)


def test_a_stored_code_is_read_in_the_language_of_now() -> None:
    with translation.override("zh-hans"):
        assert (LIGHTS.label("green"), LIGHTS.label(Light.GREEN)) == ("已批准", "已批准")
        assert LIGHTS.hint("green") == "草稿"
    with translation.override("en"):
        assert LIGHTS.label("green") == "Approved"
    assert (LIGHTS.tone("green"), LIGHTS.tone("red"), LIGHTS.tone("")) == ("good", "bad", "")
    assert LIGHTS[Light.GREEN].icon == "check"


def test_a_code_of_no_value_is_shown_as_unknown_and_never_itself() -> None:
    others = Vocabulary(Road, {Road.RED: "Red"}, unknown=_("another reason"))
    with translation.override("en"):
        assert (LIGHTS.label("blue"), LIGHTS.tone("blue"), LIGHTS.hint("blue")) == (
            *("unknown", "", ""),
        )
        assert others.label("blue") == "another reason"
    assert others.label("") == ""


def test_choices_keep_the_order_of_the_table() -> None:
    with translation.override("en"):
        assert LIGHTS.choices() == [("green", "Approved"), ("red", "Stopped"), ("", "Waiting")]
    assert list(LIGHTS) == [Light.GREEN, Light.RED, Light.OFF]


def test_a_label_in_a_stored_sentence_is_read_in_every_language_later() -> None:
    with translation.override("zh-hans"):
        phrase = LIGHTS.phrase("green")
    assert isinstance(phrase, Phrase)
    assert phrase.source == "Approved"

"""What a person means by the SMS that she sends back.

Source: 47 CFR 64.1200(a)(10) for the words that always revoke (stop, quit, end, revoke, opt out,
cancel, unsubscribe); the MIIT's rules on short message services (2015) and carriers' practice for
R, T, TD, N and the Chinese words. Anything beside them that sounds like a refusal is for a person
to read, and stops marketing meanwhile.
"""

import re
import unicodedata
from enum import StrEnum


class ReplyMeaning(StrEnum):
    """What follows from a reply."""

    OPT_OUT = "opt_out"
    REVIEW = "review"
    OTHER = "other"


_CODES = "td|t|r|n|0000"
_CHINESE = "退订|拒收|取消|不要发|不要发了|勿发|别发了|停止"
_ENGLISH = "stop|stopall|quit|end|revoke|optout|cancel|unsubscribe"
_WHOLE = re.compile(rf"(?:{_CODES}|(?:{_CODES})?(?:{_CHINESE})+(?:{_CODES})?|{_ENGLISH})")
_HINT = re.compile(
    r"退订|拒收|不要|别发|勿扰|骚扰|投诉|举报|停止|stop|unsubscribe|optout|remove|spam|complain|nomore"
)
_MAX_READ = 500


def meaning_of(text: str) -> ReplyMeaning:
    """Return what a reply means; width, case, punctuation and blanks do not matter.

    Args:
        text: As it came in; only the first 500 characters are read.
    """
    words = _bare(text[:_MAX_READ])
    if _WHOLE.fullmatch(words):
        return ReplyMeaning.OPT_OUT
    return ReplyMeaning.REVIEW if _HINT.search(words) else ReplyMeaning.OTHER


def _bare(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())

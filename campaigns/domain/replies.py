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


_CODES = "td|t|r|n|qx|0000"
# A whole reply made of nothing but words of refusal: at least one that refuses, others around it.
_REFUSING = "退订 退定 退阅 拒收 拒绝 取消 停止 禁止 不想再 不要 不再 别 勿"
_AROUND = (
    "请你们 请你 请 麻烦 我要 我想 要 以后 再发 再 发短信 发信息 发消息 发送 发了 发 接收 订阅 "
    "收到 打扰 骚扰 短信 信息 消息 推送 了 啦 吧 谢谢"
)
# Longest first and without going back: two ways to read the same words must not multiply.
_WORDS = "|".join(
    sorted([*_REFUSING.split(), *_AROUND.split(), *_CODES.split("|")], key=len, reverse=True)
)
_CHINESE = rf"(?=.*(?:{_REFUSING.replace(' ', '|')}))(?:{_WORDS})++"
_ENGLISH = (
    "(?:please)?(?:stop|stopall|stopit|stopsms|quit|end|revoke|optout|optmeout|cancel|unsub|unsubscribe|"
    "unsubscribeme)(?:please|now|thanks|thankyou)?"
)
_WHOLE = re.compile(rf"(?:(?:回复|回|复|发)?(?:{_CODES})|{_CHINESE}|{_ENGLISH})")
# Curt answers that may be a no; alone they are not clear enough to count as one.
_CURT = re.compile("(?:不|否|不了|不行|算了|退|停|no|nope|nah|off|out)")
_HINT = re.compile(
    "退订|退定|退阅|拒|取消|停止|不要|不需|不用|不想|不再|不接|不收|不感兴趣|没兴趣|不准|不许|禁止|"
    "别发|别再|别给|别来|别打|勿|骚扰|打扰|投诉|举报|起诉|报警|垃圾|诈骗|骗子|拉黑|黑名单|删除|移除|注销|"
    "不是本人|非本人|不是我|打错|发错|错号|换号|烦|滚|闭嘴|"
    "stop|unsub|optout|optedout|remove|delete|spam|scam|fraud|complain|nomore|cancel|quit|revoke|"
    "(?:dont|donot|never|nolonger|no)(?:ever|want|need|like|send|text|sms|message|contact|call|email|"
    "write|bother|disturb|interest)|notinterested|notwant|leavemealone|goaway|"
    "wrong(?:number|person)|notme|fuck|lawyer|harass|report(?:you|this)"
)
# Reading the traditional forms needs only the characters that these words are written with.
_SIMPLIFIED = str.maketrans(
    "別訂絕發請給煩舉報警擾騷閱擊騙詐號簡訊機關閉註銷黑單準許錯",
    "别订绝发请给烦举报警扰骚阅击骗诈号简讯机关闭注销黑单准许错",
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
    is_doubtful = _CURT.fullmatch(words) or _HINT.search(words)
    return ReplyMeaning.REVIEW if is_doubtful else ReplyMeaning.OTHER


def _bare(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_SIMPLIFIED)
    return "".join(character for character in folded if character.isalnum())

"""A JSON body that does not fit is refused in the reader's language alone."""

import re

import msgspec
import pytest
from django.utils import translation

from loancrm.api.errors import BodyMalformed


class Lead(msgspec.Struct, forbid_unknown_fields=True):
    age: int
    tags: list[str] = []
    amount: float = 0


CASES = [
    (b'{"age":"x"}', "int is expected, not str (at $.age)", "应为 int，实际为 str（位置：$.age）"),
    (b"{}", "the field age is missing", "缺少字段 age"),
    (b'{"age":1,"z":2}', "the field z is not known", "未知字段 z"),
    (b'{"age":1,"tags":[1]}', "(at $.tags[0])", "（位置：$.tags[0]）"),
    (b'{"age":1,"amount":1e999}', "a number is out of range", "数字超出范围"),
    (b'{"age":', "it ends too early", "内容不完整"),
    (b'{"age":1}x', "it is not JSON from byte 10 on", "从第 10 个字节起不是 JSON"),
    (b"\xff", "it is not JSON from byte 0 on", "从第 0 个字节起不是 JSON"),
]


def refused(body: bytes) -> str:
    try:
        msgspec.json.decode(body, type=Lead)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return BodyMalformed.of(error).message
    raise AssertionError("not refused")


@pytest.mark.parametrize(("body", "english", "chinese"), CASES)
def test_d_what_is_wrong_with_a_body_is_told_in_one_language(body, english, chinese):
    with translation.override("en"):
        assert english in refused(body)
    with translation.override("zh-hans"):
        found = refused(body)
    assert chinese in found
    assert not re.search(r"[A-Za-z]{2,} [a-z]{2,}", found), "English words in a Chinese sentence"

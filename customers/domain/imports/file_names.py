"""Names of uploaded files, of which only what names no person is stored and shown.

People name files after people: 王小明_13800138000.csv. Kept are words that say what a file holds,
short numbers and dates; a few characters of a keyed digest tell files apart.
"""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = """
account accounts all application applications apr aug bank batch berka book branch call calls
campaign campaigns card cards center centre clean client clients column columns consent consents
contact contacts crm customer customers daily data day days dec delta demo document email event
events export feb field file final first full history id import in instalments jan jul jun lead
leads list loan loans mails mar may member members messages monthly new newsletter nov oct odd
old orders out part partner people persons phones population product products questionnaire raw
records repayments report result results rows sample second sep sheet small sms source stop
subscribers supplier suppliers table template test touches transactions trans truth two unsubscribe
update upload user users utc v vendor weekly
客户 客户名单 名单 数据 线索 新 旧 全量 增量 活动 贷款 还款 借款 事件 退订 黑名单 导入 导出
明细 测试 表
工作表 问卷 用户 会员 渠道 短信 邮件 月 日 年"""
_WORDS: Final = frozenset(_PLAIN.split())
_SUFFIXES: Final = frozenset(
    ("csv", "gz", "xlsx", "xlsm", "jsonl", "ndjson", "json", "parquet", "txt", "tsv", "zip")
)
_PIECE: Final = re.compile(r"[^\W_]+")
_NUMBER: Final = re.compile(r"\d{1,6}|20\d{6}|[a-z]{1,2}\d{1,4}", re.ASCII)
_HAN: Final = re.compile(r"[\u4e00-\u9fff]+|[^\u4e00-\u9fff]+")
_MASK: Final = "***"
_LONGEST: Final = 200


def is_masked(name: str) -> bool:
    """Return whether something of a remembered name was masked."""
    return _MASK in name


def masked_name(name: str, digest: str) -> str:
    """Return a file's name with everything masked that might name a person.

    Args:
        name: As it was uploaded.
        digest: A keyed digest of the name; its beginning is added where something was masked.
    """
    stem, suffixes = _parts(name[:_LONGEST].replace("\x00", ""))
    masked = _PIECE.sub(lambda piece: _masked_piece(piece[0]), stem)
    masked = re.sub(r"[^\w\-.() *]", "_", masked)
    if masked != stem:
        masked = f"{masked}-{digest[:6]}"
    return masked + suffixes


def _parts(name: str) -> tuple[str, str]:
    """Return a name without its known suffixes, and the suffixes."""
    stem, suffixes = name, ""
    while "." in stem and stem.rpartition(".")[2].lower() in _SUFFIXES:
        stem, _dot, suffix = stem.rpartition(".")
        suffixes = f".{suffix}{suffixes}"
    return stem, suffixes


def _masked_piece(piece: str) -> str:
    words = _HAN.findall(piece)
    return "".join(
        word if word.casefold() in _WORDS or _NUMBER.fullmatch(word.casefold()) else _MASK
        for word in words
    )

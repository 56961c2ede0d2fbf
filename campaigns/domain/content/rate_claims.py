"""Prices of credit that a text names, and the annual rate that has to stand beside each of them.

Source: 中国人民银行公告〔2021〕第3号: who advertises a loan shows its annualised rate, and may show
rates for a day or a month only beside it. What counts is what a reader sees: the name of a month
is no annual rate, nor is "年化" without its number.
"""

import re
import unicodedata
from decimal import Decimal

# Characters between a price and its annual rate that a reader still takes for one statement.
NEAR = 60

_AMOUNT = r"\d[\d,]*(?:\.\d+)?"
_NUMBER = rf"(?:{_AMOUNT}|[〇零一二两三四五六七八九十百]+)"
_CLAIM = re.compile(
    "|".join(
        (
            # Named in Chinese.
            r"[日天周月][ ]*(?:利[ ]*息|息|利[ ]*率|费[ ]*率|化[ ]*利[ ]*率)|月费|手续费率?[ ]*\d",
            r"[0零免]利?[ ]*息|利息低至|月供",
            r"[千万][ ]*分[ ]*之",
            r"(?:日|天|月|利|息)[^,，。;；]{0,6}万[ ]*[一二两三四五六七八九]",
            rf"万[ ]*{_AMOUNT}[ ]*/",
            rf"利率[^\d%,，。]{{0,8}}{_AMOUNT}[ ]*%",
            # So much for so much time.
            rf"每[ ]*[天日周月][^\d,，。;；]{{0,8}}{_NUMBER}[ ]*(?:元|块|角|毛|分|%)",
            rf"(?<!款)(?<!期)[日月][ ]*[还付][^\d,，。;；]{{0,4}}{_NUMBER}[ ]*(?:元|块|角|毛|分|%)",
            rf"一[ ]*[天日][^\d,，。;；]{{0,8}}{_NUMBER}[ ]*(?:元|块|角|毛|分|%)",
            rf"{_NUMBER}[ ]*(?:元|块|角|毛|分钱?|%)[ ]*(?:/|每|一)[ ]*[天日周月]",
            # English.
            (
                rf"{_AMOUNT}[ ]*(?:%|percent|yuan|rmb|cny|cents?|dollars?)?[ ]*"
                r"(?:an?|per|each|every|/)[ ]*(?:day|week|month)\b"
            ),
            rf"(?:per|each|every|a)[ ](?:day|week|month)\b[^\d.;]{{0,16}}{_AMOUNT}[ ]*%",
            r"\b(?:daily|weekly|monthly)[ ](?:interest|rate|fee|cost|repayment|instal+ment)",
            r"\binterest[- ]free|\b(?:zero|no|0 ?%)[ ]interest",
            (
                r"\b(?:rate|interest)s?\b(?:[ ](?:of|from|at|only|just|is|as|low))*[: ]*"
                rf"{_AMOUNT}[ ]*%"
            ),
        )
    ),
    re.IGNORECASE,
)
_PERIOD = r"(?![ ]*(?:an?|per|each|every|/|每|一)[ ]*(?:day|week|month|[天日周月]))"
_PERCENT = rf"{_AMOUNT}[ ]*%{_PERIOD}"
_ANNUAL = re.compile(
    "|".join(
        (
            rf"年[ ]*(?:化|利率|费率)(?:(?![日月]利?[息率费])[^%\d。;；!！每天]){{0,24}}{_PERCENT}",
            rf"{_PERCENT}[ ]*[(（]?[ ]*年化",
            rf"(?<![A-Za-z])APR(?![A-Za-z])[^%\d.;]{{0,20}}{_PERCENT}",
            rf"{_PERCENT}[ ]*[(（]?[ ]*(?:APR(?![A-Za-z])|(?i:p\.a\.|a year|per year|per annum))",
            rf"\b(?i:annual(?:ised|ized)?)\b[^%\d.;]{{0,40}}{_PERCENT}",
        )
    )
)


_RATE = re.compile(rf"({_AMOUNT})[ ]*%")
_ALL_IN_COST = re.compile(
    rf"综合[ ]*融资[ ]*成本[^%\d]{{0,24}}{_PERCENT}|(?i:all-in cost)[^%\d.;]{{0,40}}{_PERCENT}"
)


def without_annual_rate(text: str) -> str:
    """Return the first price of credit that has no annual rate near it; empty when all have.

    Args:
        text: As people read it, without code and tags.
    """
    plain = _plain(text)
    annual = [match.span() for match in _ANNUAL.finditer(plain)]
    for claim in _CLAIM.finditer(plain):
        if not any(
            start - NEAR <= claim.end() and claim.start() <= end + NEAR for start, end in annual
        ):
            return claim[0]
    return ""


def annual_rates(text: str) -> list[Decimal]:
    """Return the annual rates that a text names, as shares a year.

    Args:
        text: As people read it, without code and tags.
    """
    plain = _plain(text)
    return [
        Decimal(rate[1].replace(",", "")) / 100
        for match in _ANNUAL.finditer(plain)
        for rate in _RATE.finditer(match[0])
    ]


def names_all_in_cost(text: str) -> bool:
    """Return whether a text names the all-in cost with its figure."""
    return _ALL_IN_COST.search(_plain(text)) is not None


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())

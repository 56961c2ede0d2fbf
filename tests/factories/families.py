"""Made-up families: people who share surname, address and neighbouring birth dates, with slips.

What strangers have in common by accident, families have by birth: an address, a surname, birth
dates a year or a day apart. Whoever counts these as independent agreements merges brothers.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from customers.domain.linkage.records import ColumnRole

Record = dict[ColumnRole, str]
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ONSETS = ("b", "ch", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w")
_RIMES = ("a", "ai", "an", "e", "ei", "en", "i", "in", "o", "on", "u", "un")
_CHINESE_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑"
_CHINESE_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红鹏建国文斌宇浩凯佳雪梅云"


@dataclass(frozen=True)
class Style:
    """How bad the records are.

    Attributes:
        slips: Most slips in a copy of a record.
        missing: Share of cells that a copy lacks.
        copied: Share of people who are there more than once.
    """

    slips: int = 2
    missing: float = 0.1
    copied: float = 0.3
    copies: int = 3


def western(count: int, rng: random.Random, style: Style) -> tuple[list[Record], list[str]]:
    """Return about `count` records with full postal addresses, and the person of each."""
    given = _pool(rng, 300)
    surnames = _pool(rng, 900)
    streets = [f"{word} {kind}" for word in _pool(rng, 700) for kind in ("street", "road")]
    cities = _pool(rng, 60)

    def household() -> Iterator[Record]:
        shared = {
            ColumnRole.SURNAME: rng.choice(surnames),
            ColumnRole.STREET_NUMBER: str(rng.randint(1, 150)),
            ColumnRole.STREET: rng.choice(streets),
            ColumnRole.CITY: (city := rng.choice(cities)),
            ColumnRole.POSTCODE: f"{sum(map(ord, city)) % 9000 + 1000}",
        }
        for called, birth_date in zip(rng.sample(given, 6), _birth_dates(rng), strict=False):
            yield shared | {
                ColumnRole.GIVEN_NAME: called,
                ColumnRole.BIRTH_DATE: f"{birth_date:%Y%m%d}",
            }

    return _records(count, rng, style, household)


def chinese(count: int, rng: random.Random, style: Style) -> tuple[list[Record], list[str]]:
    """Return about `count` records as stored customers have them, and the person of each.

    Half of the households share one phone number.
    """
    cities = [f"{a}{b}市" for a in "东西南北中江海河" for b in "州阳安宁"]

    def household() -> Iterator[Record]:
        surname = rng.choice(_CHINESE_SURNAMES)
        phone = _phone(rng)
        is_shared = rng.random() < 0.5
        city = rng.choice(cities)
        for birth_date in _birth_dates(rng):
            name = surname + "".join(rng.choices(_CHINESE_GIVEN, k=rng.choice((1, 2, 2, 2))))
            yield {
                ColumnRole.NAME: name,
                ColumnRole.GENDER: rng.choice(("male", "female")),
                ColumnRole.BIRTH_DATE: f"{birth_date:%Y%m%d}",
                ColumnRole.CITY: city,
                ColumnRole.PHONE: phone if is_shared else _phone(rng),
            }

    return _records(count, rng, style, household)


def _records(count, rng, style, household):
    records: list[Record] = []
    truth: list[str] = []
    person = 0
    while len(records) < count:
        for texts in household():
            person += 1
            records.append(texts)
            truth.append(f"P{person}")
            if rng.random() < style.copied:
                for _ in range(rng.randint(1, style.copies)):
                    records.append(_with_slips(texts, rng, style))
                    truth.append(f"P{person}")
    order = list(range(len(records)))
    rng.shuffle(order)
    return [records[at] for at in order], [truth[at] for at in order]


def _birth_dates(rng: random.Random) -> Iterator[date]:
    """Yield a couple's and their children's: a few years, a year, sometimes a day apart."""
    first = date(1950, 1, 1) + timedelta(days=rng.randrange(12_000))
    yield first
    yield first + timedelta(days=rng.randint(-1200, 1200))
    child = first + timedelta(days=rng.randint(8_500, 10_500))
    for _ in range(rng.randint(0, 3)):
        yield child
        # One birth in thirty is of twins.
        child += timedelta(days=0 if rng.random() < 0.03 else rng.choice((1, 300, 365, 366, 700)))


def _with_slips(texts: Record, rng: random.Random, style: Style) -> Record:
    found = {role: text for role, text in texts.items() if rng.random() >= style.missing}
    for _ in range(rng.randint(0, style.slips)):
        if found:
            role = rng.choice(list(found))
            if role is not ColumnRole.GENDER:
                found[role] = _slip(found[role], rng)
    return found


def _slip(text: str, rng: random.Random) -> str:
    letters = "0123456789" if text.isdigit() else _LETTERS if text.isascii() else _CHINESE_GIVEN
    at = rng.randrange(len(text))
    match rng.randrange(3):
        case 0:
            return text[:at] + rng.choice(letters) + text[at + 1 :]
        case 1 if len(text) > 2 and not text.isdigit():
            return text[:at] + text[at + 1 :]
        case _:
            return text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :] if at else text


def _pool(rng: random.Random, size: int) -> list[str]:
    found: set[str] = set()
    while len(found) < size:
        parts = rng.choice((2, 2, 3))
        found.add("".join(rng.choice(_ONSETS) + rng.choice(_RIMES) for _ in range(parts)))
    return sorted(found)


def _phone(rng: random.Random) -> str:
    return f"1{rng.choice('35789')}{rng.randrange(10**9):09d}"

"""Fellegi-Sunter on records made here: planted noise, doubtful pairs, proofs to the contrary."""

import random
from datetime import date

import numpy as np
import pytest

from customers.domain.linkage.model import learn
from customers.domain.linkage.records import ColumnRole, LinkageRecord, person_of, roles_of
from customers.domain.linkage.resolution import pairwise_quality, resolve
from customers.domain.values.national_id import check_digit

TODAY = date(2026, 3, 4)
SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "sa", "ti", "vo", "wen", "zhu")


def word(rng: random.Random) -> str:
    return "".join(rng.choices(SYLLABLES, k=3))


def population(count: int, rng: random.Random) -> list[dict[ColumnRole, str]]:
    return [
        {
            ColumnRole.GIVEN_NAME: word(rng),
            ColumnRole.SURNAME: word(rng),
            ColumnRole.BIRTH_DATE: f"{rng.randint(1950, 2005)}{rng.randint(1, 12):02d}"
            f"{rng.randint(1, 28):02d}",
            ColumnRole.POSTCODE: f"{rng.randint(1000, 9999)}",
            ColumnRole.CITY: rng.choice(("xian", "wuhan", "hangzhou", "chengdu")),
        }
        for _ in range(count)
    ]


def with_a_slip(texts: dict[ColumnRole, str], rng: random.Random) -> dict[ColumnRole, str]:
    role = rng.choice((ColumnRole.GIVEN_NAME, ColumnRole.SURNAME, ColumnRole.POSTCODE))
    text = texts[role]
    at = rng.randrange(len(text) - 1)
    slipped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return texts | {role: slipped, rng.choice((ColumnRole.CITY, ColumnRole.BIRTH_DATE)): ""}


def people_of(texts: list[dict[ColumnRole, str]]) -> list[LinkageRecord]:
    return [person_of(values, today=TODAY) for values in texts]


def test_a11_planted_noise_is_found_with_high_precision_and_recall() -> None:
    rng = random.Random(7)
    originals = population(400, rng)
    texts = originals + [with_a_slip(one, rng) for one in originals[:120]]
    truth = [str(number) for number in (*range(400), *range(120))]

    found = resolve(people_of(texts), rng=np.random.default_rng(1))
    quality = pairwise_quality(found.leaders, truth)

    assert quality.true == 120
    assert quality.precision is not None
    assert quality.precision >= 0.98
    assert quality.recall is not None
    assert quality.recall >= 0.95


def test_a11_what_is_not_sure_is_queued_and_not_merged() -> None:
    rng = random.Random(3)
    originals = population(300, rng)
    texts = originals + [with_a_slip(one, rng) for one in originals[:80]]
    people = people_of(texts)

    strict = resolve(people, rng=np.random.default_rng(1), sure=1.1)

    assert strict.leaders == list(range(380))
    assert len(strict.doubtful) >= 70
    chances = [pair.probability for pair in strict.doubtful]
    assert chances == sorted(chances, reverse=True)
    assert min(chances) >= 0.5


def test_a11_two_proven_national_ids_never_meet_not_even_through_a_third() -> None:
    rng = random.Random(5)
    base = population(200, rng)
    texts = base + [dict(one) for one in base[:60]]
    numbers = [f"4405241980010100{digit}"[:17] for digit in (1, 3)]
    one, other = (number + check_digit(number) for number in numbers)
    twin = base[0]
    texts += [twin | {ColumnRole.NATIONAL_ID: one}, twin | {ColumnRole.NATIONAL_ID: other}]

    found = resolve(people_of(texts), rng=np.random.default_rng(1))

    assert found.leaders[-1] != found.leaders[-2]


def test_the_same_records_give_the_same_model() -> None:
    people = people_of(population(150, random.Random(9)))
    first, pairs = learn(people, rng=np.random.default_rng(4))
    second, again = learn(people, rng=np.random.default_rng(4))
    assert pairs == again
    assert first.prior == second.prior
    assert (first.m == second.m).all()
    assert first.m.sum(axis=1) == pytest.approx(1)
    assert first.u.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_records_are_no_reason_to_fail(count: int) -> None:
    found = resolve(people_of(population(count, random.Random(1))), rng=np.random.default_rng(1))
    assert list(found.leaders) == list(range(count))


def test_pairs_are_counted_by_hand() -> None:
    # Found {0,1,2} and {3,4}; true {0,1}, {2,3,4}: 2 of 4 found pairs are right, 4 are true.
    quality = pairwise_quality([0, 0, 0, 3, 3], ["a", "a", "b", "b", "b"])
    assert (quality.found_right, quality.found, quality.true) == (2, 4, 4)
    assert (quality.precision, quality.recall, quality.f1) == (0.5, 0.5, 0.5)
    assert pairwise_quality([0, 1], ["a", "b"]).precision is None


def test_columns_are_recognised_by_their_names_and_values_by_their_form() -> None:
    columns = ("rec_id", "First Name", "DOB", "手机", "cluster", "mobile")
    assert roles_of(columns) == {
        "First Name": ColumnRole.GIVEN_NAME,
        "DOB": ColumnRole.BIRTH_DATE,
        "手机": ColumnRole.PHONE,
    }
    texts = {
        ColumnRole.PHONE: "0086-13800138000",
        ColumnRole.BIRTH_DATE: "1996年8月15日",
        ColumnRole.CITY: " ",
    }
    assert person_of(texts, today=TODAY).values == {
        ColumnRole.PHONE: "+8613800138000",
        ColumnRole.BIRTH_DATE: "19960815",
    }

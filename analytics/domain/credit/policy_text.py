"""A credit policy as a text: what JSON may say, and what it may not."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from analytics.domain.credit.policy import CreditPolicy, FactRule, PolicyFact, PriceBand

_TEN = Decimal(10)
OF_AGE = 18
MOST_BANDS = 26
MOST_SCORE_AGE_DAYS = 365
# As decisions and scores keep them: a policy that says more could not be carried out as approved.
LONGEST_BAND_NAME = 20
LONGEST_MODEL_NAME = 60
_PLACES = 6
_MOST_RATE = Decimal(100)
_ORDER = tuple(PolicyFact)


class PolicyProblem(StrEnum):
    """What is wrong with a policy."""

    NOT_A_POLICY = "not_a_policy"
    FACT_UNKNOWN = "fact_unknown"
    AGE_MISUSED = "age_misused"
    VALUE_WRONG = "value_wrong"
    BANDS_MISSING = "bands_missing"
    BANDS_NOT_RISING = "bands_not_rising"
    CUT_OFF_NOT_COVERED = "cut_off_not_covered"
    RATE_OUTSIDE = "rate_outside"
    RATE_NOT_RISING = "rate_not_rising"
    LIMIT_NOT_FALLING = "limit_not_falling"


class PolicyInvalid(ValueError):
    """A policy cannot stand; carries the problem and the place."""

    def __init__(self, problem: PolicyProblem, place: str = "") -> None:
        """Remember both."""
        super().__init__(f"{problem.value}: {place}")
        self.problem = problem
        self.place = place


def parse_policy(content: object) -> CreditPolicy:
    """Return the policy that a JSON object describes.

    Keys: score_model, score_age_days, hard_rules and explanations ({fact: value}), cut_off,
    review_from, rate_floor, rate_cap, least_amount, bands ([{name, most_risk, annual_rate,
    limit_amount, income_multiple}]); numbers as numbers or texts.

    Raises:
        PolicyInvalid: A key is missing or unknown, a value is wrong, a fact is none of
            `PolicyFact`, bands do not rise in risk and rate, or a rate leaves floor and cap.
    """
    if not isinstance(content, Mapping) or set(content) != _KEYS:
        raise PolicyInvalid(PolicyProblem.NOT_A_POLICY, ", ".join(sorted(_KEYS)))
    score_model = content["score_model"]
    if not _is_name(score_model, LONGEST_MODEL_NAME):
        raise PolicyInvalid(PolicyProblem.VALUE_WRONG, "score_model")
    policy = CreditPolicy(
        score_model=score_model,
        score_age_days=_days(content["score_age_days"], "score_age_days"),
        hard_rules=_rules(content["hard_rules"], "hard_rules"),
        explanations=_rules(content["explanations"], "explanations"),
        bands=_bands(content["bands"]),
        **{name: _number(content[name], name) for name in _NUMBERS},
    )
    _check(policy)
    return policy


_NUMBERS = ("cut_off", "review_from", "rate_floor", "rate_cap", "least_amount")
_KEYS = {"score_model", "score_age_days", "hard_rules", "explanations", "bands", *_NUMBERS}
_BAND_KEYS = {"name", "most_risk", "annual_rate", "limit_amount"}


def _rules(content: Any, place: str) -> tuple[FactRule, ...]:
    if not isinstance(content, Mapping):
        raise PolicyInvalid(PolicyProblem.VALUE_WRONG, place)
    found = []
    for name, value in content.items():
        if name not in set(PolicyFact):
            raise PolicyInvalid(PolicyProblem.FACT_UNKNOWN, f"{place}.{name}")
        rule = FactRule(PolicyFact(name), _number(value, f"{place}.{name}"))
        if rule.fact is PolicyFact.AGE_YEARS and rule.value != OF_AGE:
            raise PolicyInvalid(PolicyProblem.AGE_MISUSED, f"{place}.{name}")
        found.append(rule)
    # As the catalogue lists them: a database gives the keys of an object back in another order.
    return tuple(sorted(found, key=lambda rule: _ORDER.index(rule.fact)))


def _bands(content: Any) -> tuple[PriceBand, ...]:
    if not isinstance(content, Sequence) or not 1 <= len(content) <= MOST_BANDS:
        raise PolicyInvalid(PolicyProblem.BANDS_MISSING, "bands")
    found = []
    for at, band in enumerate(content):
        place = f"bands[{at}]"
        if not isinstance(band, Mapping) or set(band) - {"income_multiple"} != _BAND_KEYS:
            raise PolicyInvalid(PolicyProblem.VALUE_WRONG, place)
        if not _is_name(band["name"], LONGEST_BAND_NAME):
            raise PolicyInvalid(PolicyProblem.VALUE_WRONG, f"{place}.name")
        multiple = band.get("income_multiple")
        found.append(
            PriceBand(
                name=band["name"],
                most_risk=_number(band["most_risk"], f"{place}.most_risk"),
                annual_rate=_number(band["annual_rate"], f"{place}.annual_rate"),
                limit_amount=_number(band["limit_amount"], f"{place}.limit_amount"),
                income_multiple=None
                if multiple is None
                else _number(multiple, f"{place}.income_multiple"),
            )
        )
    return tuple(found)


def _is_name(value: Any, longest: int) -> bool:
    """Return whether a value is a name that can be stored and shown as it is."""
    is_text = isinstance(value, str) and value.isprintable() and value == value.strip()
    return is_text and 0 < len(value) <= longest


def _number(value: object, place: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise PolicyInvalid(PolicyProblem.VALUE_WRONG, place)
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError) as error:
        # Python writes out no number of thousands of digits.
        raise PolicyInvalid(PolicyProblem.VALUE_WRONG, place) from error
    # A zero below zero is no JSON number that every database gives back as it was.
    if not number.is_finite() or number.is_signed() or number >= _TEN**12:
        raise PolicyInvalid(PolicyProblem.VALUE_WRONG, place)
    return number


def _days(value: object, place: str) -> int:
    number = _number(value, place)
    if number != number.to_integral_value() or not 1 <= number <= MOST_SCORE_AGE_DAYS:
        raise PolicyInvalid(PolicyProblem.VALUE_WRONG, place)
    return int(number)


def _check(policy: CreditPolicy) -> None:
    """Refuse what would treat a lower risk worse, or price outside of floor and cap."""
    bands = policy.bands
    is_rate = policy.rate_floor <= policy.rate_cap < _MOST_RATE
    if not policy.review_from <= policy.cut_off <= 1 or not is_rate:
        raise PolicyInvalid(PolicyProblem.VALUE_WRONG, "cut_off, review_from, rate_floor, rate_cap")
    if bands[-1].most_risk != policy.cut_off:
        raise PolicyInvalid(PolicyProblem.CUT_OFF_NOT_COVERED, f"bands[{len(bands) - 1}]")
    for at, band in enumerate(bands):
        if round(band.annual_rate, _PLACES) != band.annual_rate:
            raise PolicyInvalid(PolicyProblem.VALUE_WRONG, f"bands[{at}].annual_rate")
        if not policy.rate_floor <= band.annual_rate <= policy.rate_cap:
            raise PolicyInvalid(PolicyProblem.RATE_OUTSIDE, f"bands[{at}]")
        if at:
            _check_order(bands[:at], band, f"bands[{at}]")


def _check_order(earlier: Sequence[PriceBand], band: PriceBand, place: str) -> None:
    before = earlier[-1]
    if band.most_risk <= before.most_risk or band.name in {other.name for other in earlier}:
        raise PolicyInvalid(PolicyProblem.BANDS_NOT_RISING, place)
    if band.annual_rate < before.annual_rate:
        raise PolicyInvalid(PolicyProblem.RATE_NOT_RISING, place)
    if band.limit_amount > before.limit_amount or _multiple(band) > _multiple(before):
        raise PolicyInvalid(PolicyProblem.LIMIT_NOT_FALLING, place)


def _multiple(band: PriceBand) -> Decimal:
    return Decimal("Infinity") if band.income_multiple is None else band.income_multiple

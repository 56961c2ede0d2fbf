"""Draws people: who they are, how to reach them, and the hidden traits behind what they do."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import exp, log
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from customers.domain.demo import names, places
from customers.domain.fields.bands import income_band
from customers.domain.values.person import Gender, MarketingStatus

ZONE = ZoneInfo("Asia/Shanghai")
SOURCE = "demo"
ADULT_AGE = 18


@dataclass(frozen=True, slots=True)
class _Occupation:
    code: str
    weight: int
    income_factor: float
    risk: float


# Risk is added to the log-odds of default; shares and factors are plausible, not measured.
_OCCUPATIONS = (
    _Occupation("factory_worker", 20, 0.8, 0.20),
    _Occupation("service_worker", 18, 0.75, 0.25),
    _Occupation("office_worker", 20, 1.15, -0.10),
    _Occupation("engineer", 9, 1.7, -0.35),
    _Occupation("self_employed", 12, 1.3, 0.35),
    _Occupation("driver", 7, 1.0, 0.25),
    _Occupation("teacher", 5, 1.05, -0.50),
    _Occupation("medical", 4, 1.3, -0.50),
    _Occupation("civil_servant", 4, 1.1, -0.70),
)
_STUDENT = _Occupation("student", 0, 0.3, 0.50)
_RETIRED = _Occupation("retired", 0, 0.6, -0.20)
_EDUCATIONS = ("junior_secondary", "senior_secondary", "college", "bachelor", "postgraduate")
_EDUCATION_FACTORS = (0.75, 0.85, 1.0, 1.3, 1.7)
_ACQUIRED_THROUGH = ("app", "web", "partner", "branch", "referral")


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One made-up customer.

    Attributes:
        serial: Position in the population, from 0; the same seed and serial give the same person.
        risk: Log-odds of defaulting on a loan; hidden, it drives repayments and the score.
        engagement: Mean number of app visits in 30 days; hidden, it drives events.
    """

    serial: int
    public_id: UUID
    name: names.FullName | None
    national_id: str | None
    birth_date: date
    gender: Gender
    place: places.DemoCity
    occupation: str
    education: str
    marital: str
    monthly_income_amount: Decimal
    language: str
    phone: str | None
    email: str | None
    acquired_through: str
    marketing_status: MarketingStatus
    is_personalisation_allowed: bool
    created_at: datetime
    risk: float
    engagement: float

    @property
    def external_id(self) -> str:
        """Return the customer's number in the demo's core system."""
        return f"D{self.serial + 1:07d}"

    @property
    def income_band(self) -> str:
        """Return the band that the monthly income falls into."""
        return income_band(self.monthly_income_amount)

    @property
    def default_probability(self) -> float:
        """Return the probability of defaulting on one loan."""
        return 1 / (1 + exp(-self.risk))


def age_on(birth_date: date, day: date) -> int:
    """Return completed years of life."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def draw_person(rng: Random, *, serial: int, today: date) -> DemoPerson:
    """Draw the person with a serial, as known at the end of `today`."""
    gender = Gender.FEMALE if rng.random() < 0.47 else Gender.MALE
    birth_date = _draw_birth_date(rng, today)
    age = age_on(birth_date, today)
    place = places.draw_place(rng)
    education = _draw_education(rng, age)
    occupation = _draw_occupation(rng, age)
    income = _draw_income(rng, place, education, occupation)
    name = names.draw_name(rng, female=gender is Gender.FEMALE)
    number = names.national_id(
        province_code=place.province_code,
        born_on=birth_date,
        serial=serial,
        female=gender is Gender.FEMALE,
    )
    return DemoPerson(
        serial=serial,
        public_id=UUID(int=rng.getrandbits(128), version=4),
        name=None if rng.random() < 0.012 else name,
        national_id=number if rng.random() < 0.82 else None,
        birth_date=birth_date,
        gender=gender,
        place=place,
        occupation=occupation.code,
        education=_EDUCATIONS[education],
        marital=_draw_marital(rng, age),
        monthly_income_amount=income,
        language="en" if rng.random() < 0.04 else "zh-hans",
        phone=names.mobile_number(serial) if rng.random() < 0.97 else None,
        email=names.email_address(name.spelling, serial) if rng.random() < 0.78 else None,
        acquired_through=rng.choices(_ACQUIRED_THROUGH, weights=(46, 20, 18, 7, 9))[0],
        marketing_status=_draw_marketing_status(rng),
        is_personalisation_allowed=rng.random() > 0.015,
        created_at=_draw_created_at(rng, today),
        risk=-2.6
        + occupation.risk
        - 0.55 * log(float(income) / 7_000)
        - 0.012 * (age - 35)
        + rng.gauss(0, 0.75),
        engagement=rng.gammavariate(1.3, 1.8),
    )


def _draw_birth_date(rng: Random, today: date) -> date:
    # A few minors among the leads: rules must keep them out, data alone does not.
    years = rng.uniform(16.0, 17.9) if rng.random() < 0.008 else 18.2 + 52 * rng.betavariate(1.7, 3)
    return today - timedelta(days=round(years * 365.25))


def _draw_education(rng: Random, age: int) -> int:
    weights = (18, 30, 26, 22, 4) if age < 40 else (38, 34, 17, 10, 1)
    if age < 22:
        weights = (20, 50, 22, 8, 0)
    return rng.choices(range(len(_EDUCATIONS)), weights=weights)[0]


def _draw_occupation(rng: Random, age: int) -> _Occupation:
    if age < 18 or (age < 23 and rng.random() < 0.4):
        return _STUDENT
    if age >= 60 and rng.random() < 0.8:
        return _RETIRED
    weights = [occupation.weight for occupation in _OCCUPATIONS]
    return rng.choices(_OCCUPATIONS, weights=weights)[0]


def _draw_income(
    rng: Random, place: places.DemoCity, education: int, occupation: _Occupation
) -> Decimal:
    typical = 5_200 * place.income_factor * _EDUCATION_FACTORS[education] * occupation.income_factor
    amount = min(max(typical * exp(rng.gauss(0, 0.35)), 800), 120_000)
    return Decimal(round(amount / 100) * 100)


def _draw_marital(rng: Random, age: int) -> str:
    married = 0.0 if age < 22 else min(0.9, (age - 21) * 0.065)
    if rng.random() < married:
        return "divorced" if rng.random() < 0.09 else "married"
    return "single"


def _draw_marketing_status(rng: Random) -> MarketingStatus:
    statuses = (
        MarketingStatus.OPEN,
        MarketingStatus.RESTRICTED,
        MarketingStatus.DISPUTE,
        MarketingStatus.HARDSHIP,
        MarketingStatus.SELF_EXCLUDED,
        MarketingStatus.DECEASED,
    )
    return rng.choices(statuses, weights=(9_600, 160, 60, 90, 70, 20))[0]


def _draw_created_at(rng: Random, today: date) -> datetime:
    days_ago = round(1 + 1_095 * rng.betavariate(1.1, 1.4))
    return draw_moment(rng, today - timedelta(days=days_ago))


def draw_moment(rng: Random, day: date) -> datetime:
    """Return a time of a day, between 08:00 and 22:00 in China, in UTC."""
    seconds = rng.randrange(8 * 3600, 22 * 3600)
    return (datetime.combine(day, time(), ZONE) + timedelta(seconds=seconds)).astimezone(UTC)

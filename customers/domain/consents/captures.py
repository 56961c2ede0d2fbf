"""A person as a partner or a form hands them in: checked strictly, nothing is dropped silently."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TypeVar

from customers.domain.consents.consent import ConsentChannel, Purpose
from customers.domain.values.dates import check_birth_date, parse_date
from customers.domain.values.emails import parse_email
from customers.domain.values.names import name_key, parse_name
from customers.domain.values.national_id import NationalId, parse_national_id
from customers.domain.values.person import Gender
from customers.domain.values.quality import Code, QualityFinding, ValueRefused
from customers.domain.values.words import clean, parse_gender
from loancrm.kernel.phones import PhoneNumber, PhoneRefused, parse_phone

_T = TypeVar("_T")
_CLOCK_SKEW = timedelta(minutes=5)
_EARLIEST_CONSENT = datetime(2000, 1, 1, tzinfo=UTC)
# The longest text that each column holds; NFKC can make a text longer than it was sent.
TEXT_FIELDS = {
    "province": 40,
    "city": 40,
    "occupation": 60,
    "education": 40,
    "marital": 20,
    "income_band": 20,
}


@dataclass(frozen=True, slots=True)
class ConsentClaim:
    """A consent that a source says it collected; a grant needs evidence.

    `is_doubtful` marks a word that cannot be read: it ends a consent, and begins none.
    """

    channel: ConsentChannel
    purpose: Purpose
    is_granted: bool
    at: datetime
    evidence: str = ""
    policy_version: str = ""
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class RawPerson:
    """What a source wrote about a person; empty text means that it did not say."""

    name: str = ""
    phone: str = ""
    email: str = ""
    national_id: str = ""
    birth_date: str = ""
    gender: str = ""
    province: str = ""
    city: str = ""
    occupation: str = ""
    education: str = ""
    marital: str = ""
    income_band: str = ""
    language: str = ""
    consents: tuple[ConsentClaim, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class CapturedPerson:
    """A person in normal form, with at least one thing that identifies them."""

    name: str = ""
    phone: PhoneNumber | None = None
    email: str = ""
    national_id: NationalId | None = None
    birth_date: date | None = None
    gender: Gender = Gender.UNKNOWN
    language: str = "zh-hans"
    texts: dict[str, str] = field(default_factory=dict)
    consents: tuple[ConsentClaim, ...] = ()

    @property
    def name_key(self) -> str:
        """Return the form under which two spellings of the name are equal."""
        return name_key(self.name)


def check_person(
    raw: RawPerson, *, today: date, zone: tzinfo, now: datetime
) -> tuple[CapturedPerson, tuple[QualityFinding, ...]]:
    """Return the person in normal form and everything that is wrong.

    A person with any finding must not be stored: unlike a file's row, whoever sent it can be asked
    to send it again.
    """
    checks = _Checks()
    national_id = checks.take(
        "national_id", raw.national_id, lambda text: parse_national_id(text, today=today)
    )
    born = checks.take(
        "birth_date",
        raw.birth_date,
        lambda text: check_birth_date(parse_date(text, zone=zone), today=today),
    )
    gender = checks.take("gender", raw.gender, parse_gender) or ""
    person = CapturedPerson(
        name=checks.take("name", raw.name, parse_name) or "",
        phone=checks.take("phone", raw.phone, _phone),
        email=checks.take("email", raw.email, parse_email) or "",
        national_id=national_id,
        birth_date=born or (national_id.birth_date if national_id else None),
        gender=Gender(gender or (national_id.gender if national_id else Gender.UNKNOWN)),
        language=raw.language or "zh-hans",
        texts={name: clean(getattr(raw, name)) for name in TEXT_FIELDS},
        consents=raw.consents,
    )
    checks.findings.extend(
        QualityFinding(Code.TEXT_TOO_LONG, name)
        for name, limit in TEXT_FIELDS.items()
        if len(person.texts[name]) > limit
    )
    checks.findings.extend(_contradictions(person, born, gender))
    checks.findings.extend(_consent_findings(raw.consents, now))
    is_identified = any((raw.phone.strip(), raw.email.strip(), raw.national_id.strip()))
    if not is_identified:
        checks.findings.append(QualityFinding(Code.IDENTITY_MISSING, "phone"))
    return person, tuple(checks.findings)


@dataclass(slots=True)
class _Checks:
    """Collects what is wrong, field by field."""

    findings: list[QualityFinding] = field(default_factory=list)

    def take(self, column: str, text: str, parse: Callable[[str], _T]) -> _T | None:
        if not text.strip():
            return None
        try:
            return parse(text)
        except ValueRefused as refusal:
            self.findings.append(QualityFinding(refusal.code, column))
        return None


def _phone(text: str) -> PhoneNumber:
    try:
        return parse_phone(text)
    except PhoneRefused as refusal:
        raise ValueRefused(Code(refusal.code)) from refusal


def _contradictions(
    person: CapturedPerson, born: date | None, gender: str
) -> Iterator[QualityFinding]:
    if person.national_id is None:
        return
    if born and born != person.national_id.birth_date:
        yield QualityFinding(Code.BIRTH_CONFLICT, "birth_date")
    if gender and gender != person.national_id.gender:
        yield QualityFinding(Code.GENDER_CONFLICT, "gender")


def _consent_findings(
    consents: tuple[ConsentClaim, ...], now: datetime
) -> Iterator[QualityFinding]:
    for claim in consents:
        if claim.is_granted and not claim.evidence.strip():
            yield QualityFinding(Code.VALUE_MISSING, "consents.evidence")
        if not _EARLIEST_CONSENT <= claim.at <= now + _CLOCK_SKEW:
            yield QualityFinding(Code.DATE_INVALID, "consents.at")

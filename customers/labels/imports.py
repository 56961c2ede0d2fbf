"""How imports, their mappings and findings are read aloud."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.domain.fields.catalogue import Text
from customers.domain.imports.column_guess import Kind
from customers.domain.imports.mapping import Blank, Transform
from customers.domain.imports.mapping_json import MappingProblem
from customers.domain.imports.states import ImportMode, ImportState
from customers.domain.values.dates import DateOrder
from customers.domain.values.measures import QualityMeasure
from customers.domain.values.quality import REASONS, REJECTED_LIMIT, Code, Trend
from customers.labels import CHANNELS, PURPOSES, read, terms_of
from loancrm.kernel.words.phrases import gettext
from loancrm.kernel.words.vocabulary import Term, Vocabulary

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": _("UTF-16, little end first"),
    "utf-16-be": _("UTF-16, big end first"),
    "gb18030": _("GB18030 (Chinese, also GBK)"),
    "big5hkscs": _("Big5 (traditional Chinese)"),
    "shift_jis": _("Shift JIS (Japanese)"),
    "euc_kr": _("EUC-KR (Korean)"),
    "windows-1250": _("Windows-1250 (Central European)"),
    "windows-1252": _("Windows-1252 (Western European)"),
}
IMPORT_STATES = Vocabulary(
    ImportState,
    {
        ImportState.DRAFT: Term(_("Being mapped"), tone="busy"),
        ImportState.STAGING: Term(_("Reading the file"), tone="busy"),
        ImportState.MATCHING: Term(_("Matching people"), tone="busy"),
        ImportState.APPLYING: Term(_("Writing"), tone="busy"),
        ImportState.DONE: Term(_("Done"), tone="good"),
        ImportState.FAILED: Term(_("Failed"), tone="bad"),
        ImportState.QUEUED: Term(_("Waiting"), tone="busy"),
        ImportState.PAUSED: Term(_("Paused"), tone="busy"),
        ImportState.CANCELLED: Term(_("Cancelled"), tone="bad"),
        ImportState.STOPPED: Term(_("Stopped by its limits"), tone="bad"),
        ImportState.UNDOING: Term(_("Being undone"), tone="busy"),
        ImportState.UNDONE: Term(_("Undone"), tone="bad"),
    },
)
IMPORT_MODES = Vocabulary(
    ImportMode,
    {
        ImportMode.UPSERT: _("Add new people and update known ones"),
        ImportMode.INSERT: _("Only add new people"),
        ImportMode.UPDATE: _("Only update known people"),
    },
)
QUALITY_MEASURES = Vocabulary(
    QualityMeasure,
    {
        QualityMeasure.COMPLETENESS: _("Completeness"),
        QualityMeasure.VALIDITY: _("Validity"),
        QualityMeasure.UNIQUENESS: _("Uniqueness"),
        QualityMeasure.CONSISTENCY: _("Consistency"),
        QualityMeasure.TIMELINESS: _("Timeliness"),
    },
)
TRENDS = Vocabulary(
    Trend,
    {
        Trend.BETTER: Term(_("better"), tone="good"),
        Trend.LEVEL: Term(_("as before"), tone="busy"),
        Trend.WORSE: Term(_("worse"), tone="bad"),
        Trend.UNKNOWN: _("nothing to compare"),
    },
)
COLUMN_KINDS = Vocabulary(
    Kind,
    {
        Kind.EMPTY: _("empty"),
        Kind.NATIONAL_ID: _("identity numbers"),
        Kind.PHONE: _("phone numbers"),
        Kind.EMAIL: _("e-mail addresses"),
        Kind.FLAG: _("yes or no"),
        Kind.GENDER: _("gender"),
        Kind.NUMBER: _("numbers"),
        Kind.AMOUNT: _("amounts"),
        Kind.DATE: _("dates"),
        Kind.CATEGORY: _("categories"),
        Kind.NAME: _("names or words"),
        Kind.TEXT: _("text"),
    },
)
TRANSFORMS = Vocabulary(
    Transform,
    {
        Transform.NONE: _("as it stands"),
        Transform.LOWER: _("to lower case"),
        Transform.UPPER: _("to upper case"),
        Transform.REGION_SHORT: _("short name of a region (陕西省 → 陕西)"),
        Transform.REGION_PROVINCE: _("province of a region code or identity number (GB/T 2260)"),
        Transform.REGION_CITY: _("city of a region code or identity number (GB/T 2260)"),
        Transform.REGION_DISTRICT: _("district of a region code or identity number (GB/T 2260)"),
        Transform.AMOUNT: _("amount in yuan (1.2万 → 12000)"),
        Transform.BIRTH_NUMBER_DATE: _("birth date from a Czech birth number"),
        Transform.BIRTH_NUMBER_GENDER: _("gender from a Czech birth number"),
    },
)
DATE_ORDERS = Vocabulary(
    DateOrder,
    {
        DateOrder.YEAR_FIRST: _("year first, or unmistakable"),
        DateOrder.DAY_FIRST: _("day/month/year"),
        DateOrder.MONTH_FIRST: _("month/day/year"),
    },
)
BLANKS = Vocabulary(
    Blank,
    {
        Blank.KEEP: _("keeps the stored value"),
        Blank.ERASE: _("erases the stored value"),
    },
)
MAPPING_PROBLEMS = Vocabulary(
    MappingProblem,
    {
        MappingProblem.MISSING_KEY: _("something is missing"),
        MappingProblem.UNKNOWN_KEY: _("an unknown word"),
        MappingProblem.WRONG_TYPE: _("a value of the wrong type"),
        MappingProblem.WRONG_VALUE: _("a value that is not allowed here"),
        MappingProblem.UNKNOWN_TARGET: _("there is no such field"),
        MappingProblem.REPEATED_TARGET: _("another column goes there already"),
        MappingProblem.WRONG_VERSION: _("a version of the format that is not known"),
    },
)
FINDINGS = Vocabulary(
    Code, terms_of({code: Text(reason.zh, reason.en) for code, reason in REASONS.items()})
)
TARGETS = {
    "customer.name": _("Full name"),
    "customer.national_id": _("Identity number"),
    "customer.birth_date": _("Birth date"),
    "customer.gender": _("Gender"),
    "customer.province": _("Province"),
    "customer.city": _("City"),
    "customer.occupation": _("Occupation"),
    "customer.education": _("Education"),
    "customer.marital": _("Marital status"),
    "customer.income_band": _("Income band"),
    "customer.language": _("Language"),
    "customer.time_zone": _("Time zone"),
    "contact.phone": _("Phone"),
    "contact.email": _("E-mail"),
    "id_column": _("Id at the source"),
}
# What is checked of a cell that goes to a target, or to any target of its kind.
TARGET_CHECKS = {
    "customer.name": _("Must contain letters; titles and blanks are cut off."),
    "customer.national_id": _("15 or 18 digits, existing province and date, check digit."),
    "customer.birth_date": _("A real date that is not in the future, at most 121 years ago."),
    "customer.gender": _("男/女, male/female, 1/2; must agree with the identity number."),
    "contact.phone": _("A number that exists in the country; rounded numbers are refused."),
    "contact.email": _("A valid e-mail address."),
    "id_column": _("At most 100 characters; tells the source's records apart."),
    "customer": _("A text that fits into the field; with a dictionary only its words."),
    "consent": _("Yes or no; a file never lifts an opt-out."),
    "attribute": _("A value of the chosen type; with a dictionary only its words."),
}
# The mappings that come with loancrm.
OWN_MAPPINGS: Mapping[str, Any] = {
    "berka_clients": _("Example: clients of the Berka bank"),
    "campaign_bank": _("Example: customers of the bank campaign"),
    "questionnaire": _("Paper questionnaires"),
}


def encoding(name: str) -> str:
    """Return how an encoding is read."""
    return read(ENCODINGS, name.removesuffix("-sig"))


def finding(code: str) -> str:
    """Return how a finding of an import is read."""
    if code == REJECTED_LIMIT:
        return gettext("refused rows")
    return FINDINGS.label(code)


def mapping_name(value: str) -> str:
    """Return how a mapping is read; those that people saved bear the name that they gave."""
    return read(OWN_MAPPINGS, value)


def target(path: str) -> str:
    """Return how a target of a mapping is read, such as `consent.sms.marketing`."""
    kind, _dot, rest = path.partition(".")
    if kind == "consent":
        channel_name, _dot, purpose_name = rest.partition(".")
        return gettext("Consent: %(channel)s, %(purpose)s") % {
            "channel": CHANNELS.label(channel_name),
            "purpose": PURPOSES.label(purpose_name),
        }
    return rest if kind == "attribute" else read(TARGETS, path)


def target_check(path: str) -> str:
    """Return what is checked of a cell that goes to a target."""
    kind = path.partition(".")[0]
    return read(TARGET_CHECKS, path if path in TARGET_CHECKS else kind)

"""How the app's closed vocabularies are read aloud, in the language of the reader."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from customers.domain.consents.preferences import RequestKind, RequestStatus
from customers.domain.fields.bands import INCOME_BAND_NAMES
from customers.domain.fields.catalogue import Text
from customers.domain.fields.personal_words import EDUCATIONS, MARITAL_STATES, OCCUPATIONS
from customers.domain.fields.score_bands import SCORE_BANDS, score_name
from customers.domain.loans.application import ApplicationStatus
from customers.domain.relationships import RelationKind, RiskPurpose, SharedKind
from customers.domain.segments import columns
from customers.domain.sources import SourceKind, Standing, TermsProblem
from customers.domain.timeline import TimelineKind
from customers.domain.values.contact import ContactKind, ContactStatus
from customers.domain.values.quality import REASONS, REJECTED_LIMIT
from loancrm.kernel.words.phrases import gettext, reads_chinese

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
APPLICATION_STATUSES = {
    ApplicationStatus.SUBMITTED: _("Submitted"),
    ApplicationStatus.APPROVED: _("Approved"),
    ApplicationStatus.DECLINED: _("Declined"),
    ApplicationStatus.WITHDRAWN: _("Withdrawn"),
}
CONTACT_KINDS = {
    ContactKind.PHONE: _("Phone"),
    ContactKind.EMAIL: _("E-mail"),
    ContactKind.WECHAT: _("WeChat"),
    ContactKind.PUSH: _("App push"),
    ContactKind.POSTAL: _("Postal address"),
}
CONTACT_STATUSES = {
    ContactStatus.ACTIVE: _("In use"),
    ContactStatus.BOUNCED: _("Bounced"),
    ContactStatus.INVALID: _("Invalid"),
}
ATTRIBUTE_TYPES = {
    "text": _("Text"),
    "number": _("Number"),
    "day": _("Date"),
    "flag": _("Yes or no"),
}
SOURCE_KINDS = {
    SourceKind.OWN_SYSTEM: _("Own system"),
    SourceKind.OWN_FORM: _("Own form"),
    SourceKind.BRANCH: _("Branch"),
    SourceKind.QUESTIONNAIRE: _("Questionnaire"),
    SourceKind.PARTNER: _("Partner"),
    SourceKind.VENDOR: _("Data vendor"),
    SourceKind.UNREGISTERED: _("Not described yet"),
}
# Where people told us something themselves, and what loancrm itself writes down; nobody describes
# these as sources.
OWN_SOURCES = {
    "lead_form": _("Enquiry form"),
    "preference_centre": _("Preference page"),
    "unsubscribe_link": _("Link to unsubscribe"),
    "campaigns": _("campaigns"),
    "lifecycle": _("worked out from events"),
    "segments": _("segments"),
    "merge": _("merging of records"),
    "double_opt_in": _("confirmed opt-in"),
    "hotline": _("hotline"),
}
SOURCE_STANDINGS = {
    Standing.IN_FORCE: _("in force"),
    Standing.NOT_YET: _("the contract has not begun"),
    Standing.ENDED: _("the contract has ended"),
    Standing.SWITCHED_OFF: _("switched off"),
}
SOURCE_PROBLEMS = {
    TermsProblem.CONTRACT_MISSING: _("A vendor needs a contract reference."),
    TermsProblem.END_MISSING: _("A vendor's contract needs a last day."),
    TermsProblem.DATES_REVERSED: _("The contract ends before it begins."),
    TermsProblem.PURPOSE_UNKNOWN: _("A purpose is none of the known ones."),
}
PRIVACY_REQUESTS = {
    RequestKind.ACCESS: _("Copy of the data"),
    RequestKind.CORRECTION: _("Correction"),
    RequestKind.DELETION: _("Deletion"),
}
REQUEST_STATUSES = {
    RequestStatus.OPEN: _("Open"),
    RequestStatus.DONE: _("Done"),
    RequestStatus.REFUSED: _("Refused"),
}
EXPORT_STATES = {
    "requested": _("Waiting for approval"),
    "approved": _("Approved"),
    "refused": _("Refused"),
}
IMPORT_STATES = {
    "draft": _("Being mapped"),
    "staging": _("Reading the file"),
    "matching": _("Matching people"),
    "applying": _("Writing"),
    "done": _("Done"),
    "failed": _("Failed"),
    "queued": _("Waiting"),
    "paused": _("Paused"),
    "cancelled": _("Cancelled"),
    "stopped": _("Stopped by its limits"),
    "undoing": _("Being undone"),
    "undone": _("Undone"),
}
QUALITY_MEASURES = {
    "completeness": _("Completeness"),
    "validity": _("Validity"),
    "uniqueness": _("Uniqueness"),
    "consistency": _("Consistency"),
    "timeliness": _("Timeliness"),
}
IMPORT_MODES = {
    "upsert": _("Add new people and update known ones"),
    "insert": _("Only add new people"),
    "update": _("Only update known people"),
}

MERGE_STATES = {
    "proposed": _("To be decided"),
    "merged": _("Merged"),
    "refused": _("Two persons"),
}
SEARCH_STATES = {
    "queued": _("Waiting"),
    "running": _("Running"),
    "done": _("Done"),
    "failed": _("Failed"),
}
SEARCH_STEPS = {
    "read": _("Reading customers"),
    "compare": _("Comparing pairs"),
}
MATCH_KEYS = {
    "external_id": _("Same id at the source"),
    "national_id": _("Same identity number"),
    "phone": _("Same phone"),
    "email": _("Same e-mail"),
    "likeness": _("Alike in many points"),
}
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
COLUMN_KINDS = {
    "empty": _("empty"),
    "national_id": _("identity numbers"),
    "phone": _("phone numbers"),
    "email": _("e-mail addresses"),
    "flag": _("yes or no"),
    "gender": _("gender"),
    "number": _("numbers"),
    "amount": _("amounts"),
    "date": _("dates"),
    "category": _("categories"),
    "name": _("names or words"),
    "text": _("text"),
}
TRENDS = {
    "better": _("better"),
    "level": _("as before"),
    "worse": _("worse"),
    "unknown": _("nothing to compare"),
}
TRANSFORMS = {
    "none": _("as it stands"),
    "lower": _("to lower case"),
    "upper": _("to upper case"),
    "region_short": _("short name of a region (陕西省 → 陕西)"),
    "region_province": _("province of a region code or identity number (GB/T 2260)"),
    "region_city": _("city of a region code or identity number (GB/T 2260)"),
    "region_district": _("district of a region code or identity number (GB/T 2260)"),
    "amount": _("amount in yuan (1.2万 → 12000)"),
    "birth_number_date": _("birth date from a Czech birth number"),
    "birth_number_gender": _("gender from a Czech birth number"),
}
DATE_ORDERS = {
    "": _("year first, or unmistakable"),
    "dmy": _("day/month/year"),
    "mdy": _("month/day/year"),
}
BLANKS = {
    "keep": _("keeps the stored value"),
    "erase": _("erases the stored value"),
}
MAPPING_PROBLEMS = {
    "missing_key": _("something is missing"),
    "unknown_key": _("an unknown word"),
    "wrong_type": _("a value of the wrong type"),
    "wrong_value": _("a value that is not allowed here"),
    "unknown_target": _("there is no such field"),
    "repeated_target": _("another column goes there already"),
    "wrong_version": _("a version of the format that is not known"),
}
TIMELINE_KINDS = {
    TimelineKind.EVENT: _("Event"),
    TimelineKind.MESSAGE: _("Message"),
    TimelineKind.APPLICATION: _("Application"),
    TimelineKind.LOAN: _("Loan"),
    TimelineKind.CONSENT: _("Consent"),
    TimelineKind.STAGE: _("Lifecycle stage"),
    TimelineKind.SCORE: _("Score"),
    TimelineKind.RECORD: _("Import or merge"),
}


TIES = {
    SharedKind.PHONE: _("Same phone"),
    SharedKind.ADDRESS: _("Same address"),
    SharedKind.EMPLOYER: _("Same employer"),
    SharedKind.DEVICE: _("Same device"),
    SharedKind.HOUSEHOLD: _("Same household"),
    RelationKind.REFERRAL: _("Referral"),
    RelationKind.GUARANTOR: _("Guarantor"),
}
RISK_PURPOSES = {
    RiskPurpose.FRAUD_CHECK: _("Fraud check"),
    RiskPurpose.CREDIT_RISK: _("Credit risk decision"),
}


# The mappings that come with loancrm.
OWN_MAPPINGS: Mapping[str, Any] = {
    "berka_clients": _("Example: clients of the Berka bank"),
    "campaign_bank": _("Example: customers of the bank campaign"),
    "questionnaire": _("Paper questionnaires"),
}


def read(vocabulary: Mapping[Any, object], value: str) -> str:
    """Return the label of a value, or the value itself where the vocabulary does not know it."""
    found: object = vocabulary.get(value)
    if found is None:
        return value
    if isinstance(found, Text):
        text = found.read(get_language() or "en")
        return text[:1].upper() + text[1:]
    return str(found)


def gender(value: str) -> str:
    """Return how a gender is read."""
    return read(columns.GENDERS, value)


def stage(value: str) -> str:
    """Return how a lifecycle stage is read."""
    return read(columns.STAGES, value)


def marketing_status(value: str) -> str:
    """Return how a marketing status is read."""
    return read(columns.MARKETING_STATUSES, value)


def loan_status(value: str) -> str:
    """Return how a loan's status is read."""
    return read(columns.LOAN_STATUSES, value)


def channel(value: str) -> str:
    """Return how a consent channel is read."""
    return read(columns.CHANNELS, value)


def purpose(value: str) -> str:
    """Return how a purpose of contact is read."""
    return read(columns.PURPOSES, value)


def event(value: str) -> str:
    """Return how an event's name is read."""
    return read(columns.EVENT_LABELS, value)


def encoding(name: str) -> str:
    """Return how an encoding is read."""
    return read(ENCODINGS, name.removesuffix("-sig"))


def finding(code: str) -> str:
    """Return how a finding of an import is read."""
    if code == REJECTED_LIMIT:
        return gettext("refused rows")
    return read({key: Text(reason.zh, reason.en) for key, reason in REASONS.items()}, code)


def score_band(value: str) -> str:
    """Return how a score's band is read."""
    return read(SCORE_BANDS, value)


def score_model(value: str) -> str:
    """Return how the name of a scoring model is read."""
    return score_name(value).read("zh" if reads_chinese() else "en")


def mapping_name(value: str) -> str:
    """Return how a mapping is read; those that people saved bear the name that they gave."""
    return read(OWN_MAPPINGS, value)


def model_version(value: str) -> str:
    """Return how the version of a model is read: `clv-1` is «version 1»; others as they are."""
    name, _dash, number = value.rpartition("-")
    if name.isalpha() and number.isdigit():
        return gettext("version %(number)s") % {"number": number}
    return value


def own_source(value: str) -> str:
    """Return the name of a source that is a part of loancrm; others stay as they are."""
    return read(OWN_SOURCES, value) if value in OWN_SOURCES else value


def tie(value: str) -> str:
    """Return how a kind of tie or relationship is read."""
    return read(TIES, value)


def occupation(value: str) -> str:
    """Return how an occupation is read."""
    return read(OCCUPATIONS, value)


def education(value: str) -> str:
    """Return how a level of education is read."""
    return read(EDUCATIONS, value)


def marital(value: str) -> str:
    """Return how a marital status is read."""
    return read(MARITAL_STATES, value)


def income_band(value: str) -> str:
    """Return how an income band is read."""
    return read(INCOME_BAND_NAMES, value)


def target(path: str) -> str:
    """Return how a target of a mapping is read, such as `consent.sms.marketing`."""
    kind, _dot, rest = path.partition(".")
    if kind == "consent":
        channel_name, _dot, purpose_name = rest.partition(".")
        return gettext("Consent: %(channel)s, %(purpose)s") % {
            "channel": channel(channel_name),
            "purpose": purpose(purpose_name),
        }
    return rest if kind == "attribute" else read(TARGETS, path)


def target_check(path: str) -> str:
    """Return what is checked of a cell that goes to a target."""
    kind = path.partition(".")[0]
    return read(TARGET_CHECKS, path if path in TARGET_CHECKS else kind)

"""How the app's closed vocabularies are read aloud, in the language of the reader."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from django.utils.functional import lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from customers.domain.consents.consent import ConsentChannel, Purpose, UnclearDecision
from customers.domain.consents.preferences import NotifiedBy, RequestKind, RequestStatus
from customers.domain.credit.bureau import PullPurpose
from customers.domain.events.event import EventName
from customers.domain.events.lifecycle import LifecycleStage
from customers.domain.exports import LABELS as EXPORT_LABELS
from customers.domain.exports import ExportColumn, ExportState
from customers.domain.fields.bands import INCOME_BAND_NAMES
from customers.domain.fields.catalogue import Text
from customers.domain.fields.personal_words import EDUCATIONS, MARITAL_STATES, OCCUPATIONS
from customers.domain.fields.score_bands import SCORE_BANDS, score_name
from customers.domain.identity.match_keys import LIKENESS, MatchKey
from customers.domain.identity.merging import MergeState
from customers.domain.linkage.search import SearchStep
from customers.domain.loans.all_in_cost import FeeTiming
from customers.domain.loans.application import ApplicationStatus
from customers.domain.loans.loan import LoanStatus
from customers.domain.relationships import RelationKind, RiskPurpose, SharedKind
from customers.domain.score_standing import ScoreFault
from customers.domain.segments import columns
from customers.domain.sources import OwnSource, SourceKind, Standing, TermsProblem
from customers.domain.timeline import TimelineKind
from customers.domain.values.attribute import AttributeType
from customers.domain.values.contact import ContactKind, ContactStatus
from customers.domain.values.person import Gender, MarketingStatus
from loancrm.kernel.words.phrases import gettext, reads_chinese
from loancrm.kernel.words.vocabulary import Label, Term, Vocabulary

E = TypeVar("E", bound=StrEnum)


def _read_text(text: Text) -> str:
    words = text.read(get_language() or "en")
    return words[:1].upper() + words[1:]


_reading = lazy(_read_text, str)


def terms_of(texts: Mapping[E, Text]) -> Mapping[E, Label]:
    """Return texts of the domain as labels that begin with a capital letter."""
    return {member: _reading(text) for member, text in texts.items()}


# What rules and their sentences call by the same words.
GENDERS = Vocabulary(Gender, terms_of(columns.GENDERS))
STAGES = Vocabulary(LifecycleStage, terms_of(columns.STAGES))
MARKETING_STATUSES = Vocabulary(MarketingStatus, terms_of(columns.MARKETING_STATUSES))
_LOAN_HINTS: Mapping[LoanStatus, Any] = {
    LoanStatus.ACTIVE: _("Nothing is past due."),
    LoanStatus.OVERDUE: _("Something that was due has not been paid."),
    LoanStatus.SETTLED: _("Paid back in full, or closed by the source."),
    LoanStatus.CHARGED_OFF: _("Given up as a loss."),
}
LOAN_STATUSES = Vocabulary(
    LoanStatus,
    {
        status: Term(label, hint=_LOAN_HINTS.get(status, ""))
        for status, label in terms_of(columns.LOAN_STATUSES).items()
    },
)
CHANNELS = Vocabulary(ConsentChannel, terms_of(columns.CHANNELS))
# Where events come from beside the channels that one can be written to: sources name more of them.
_EVENT_CHANNELS: Mapping[str, Any] = {
    "app": _("App"),
    "web": _("Website"),
    "branch": _("Branch"),
    "partner": _("Partner"),
    "referral": _("Recommended by a customer"),
}
PURPOSES = Vocabulary(Purpose, terms_of(columns.PURPOSES))
SCORE_FAULTS = Vocabulary(
    ScoreFault,
    {
        ScoreFault.HALTED: Term(_("halted, since its data drifted or it was changed"), tone="bad"),
        ScoreFault.RETIRED: Term(_("retired"), tone="bad"),
        ScoreFault.SHADOW: Term(_("of a challenger, for comparison only"), tone="bad"),
        ScoreFault.STALE: Term(_("too old; people have to be scored anew"), tone="bad"),
        ScoreFault.RISK_ONLY: Term(_("for risk only, not released for marketing"), tone="bad"),
    },
)
EVENTS = Vocabulary(EventName, terms_of(columns.EVENT_LABELS))
EXPORT_COLUMNS = Vocabulary(ExportColumn, terms_of(EXPORT_LABELS))
PULL_PURPOSES = Vocabulary(
    PullPurpose,
    {
        PullPurpose.CREDIT_REVIEW: _("Credit review"),
        PullPurpose.ACCOUNT_REVIEW: _("Review of running loans"),
        PullPurpose.MARKETING: _("Marketing"),
    },
)
APPLICATION_STATUSES = Vocabulary(
    ApplicationStatus,
    {
        ApplicationStatus.SUBMITTED: _("Submitted"),
        ApplicationStatus.APPROVED: _("Approved"),
        ApplicationStatus.DECLINED: _("Declined"),
        ApplicationStatus.WITHDRAWN: _("Withdrawn"),
    },
)
FEE_TIMINGS = Vocabulary(
    FeeTiming,
    {
        FeeTiming.UPFRONT: _("once, kept back from what is paid out"),
        FeeTiming.MONTHLY: _("with every instalment"),
        FeeTiming.CONTINGENT: _("only if something happens; not part of the cost"),
    },
)
CONTACT_KINDS = Vocabulary(
    ContactKind,
    {
        ContactKind.PHONE: _("Phone"),
        ContactKind.EMAIL: _("E-mail"),
        ContactKind.WECHAT: _("WeChat"),
        ContactKind.PUSH: _("App push"),
        ContactKind.POSTAL: _("Postal address"),
    },
)
CONTACT_STATUSES = Vocabulary(
    ContactStatus,
    {
        ContactStatus.ACTIVE: _("In use"),
        ContactStatus.BOUNCED: _("Bounced"),
        ContactStatus.INVALID: _("Invalid"),
    },
)
SOURCE_KINDS = Vocabulary(
    SourceKind,
    {
        SourceKind.OWN_SYSTEM: _("Own system"),
        SourceKind.OWN_FORM: _("Own form"),
        SourceKind.BRANCH: _("Branch"),
        SourceKind.QUESTIONNAIRE: _("Questionnaire"),
        SourceKind.PARTNER: _("Partner"),
        SourceKind.VENDOR: _("Data vendor"),
        SourceKind.UNREGISTERED: _("Not described yet"),
    },
)
SOURCE_PROBLEMS = Vocabulary(
    TermsProblem,
    {
        TermsProblem.CONTRACT_MISSING: _("A vendor needs a contract reference."),
        TermsProblem.END_MISSING: _("A vendor's contract needs a last day."),
        TermsProblem.DATES_REVERSED: _("The contract ends before it begins."),
        TermsProblem.PURPOSE_UNKNOWN: _("A purpose is none of the known ones."),
    },
)
PRIVACY_REQUESTS = Vocabulary(
    RequestKind,
    {
        RequestKind.ACCESS: _("Copy of the data"),
        RequestKind.CORRECTION: _("Correction"),
        RequestKind.DELETION: _("Deletion"),
    },
)
REQUEST_STATUSES = Vocabulary(
    RequestStatus,
    {
        RequestStatus.OPEN: _("Open"),
        RequestStatus.DONE: _("Done"),
        RequestStatus.REFUSED: _("Refused"),
    },
)

TIMELINE_KINDS = Vocabulary(
    TimelineKind,
    {
        TimelineKind.EVENT: _("Event"),
        TimelineKind.MESSAGE: _("Message"),
        TimelineKind.APPLICATION: _("Application"),
        TimelineKind.LOAN: _("Loan"),
        TimelineKind.CONSENT: _("Consent"),
        TimelineKind.STAGE: _("Lifecycle stage"),
        TimelineKind.SCORE: _("Score"),
        TimelineKind.RECORD: _("Import or merge"),
        TimelineKind.ALERT: _("Alert"),
    },
)


RISK_PURPOSES = Vocabulary(
    RiskPurpose,
    {
        RiskPurpose.FRAUD_CHECK: _("Fraud check"),
        RiskPurpose.CREDIT_RISK: _("Credit risk decision"),
    },
)
ATTRIBUTE_TYPES = Vocabulary(
    AttributeType,
    {
        AttributeType.TEXT: _("Text"),
        AttributeType.NUMBER: _("Number"),
        AttributeType.DAY: _("Date"),
        AttributeType.FLAG: _("Yes or no"),
    },
)
OWN_SOURCES = Vocabulary(
    OwnSource,
    {
        OwnSource.LEAD_FORM: _("Enquiry form"),
        OwnSource.PREFERENCE_CENTRE: _("Preference page"),
        OwnSource.UNSUBSCRIBE_LINK: _("Link to unsubscribe"),
        OwnSource.CAMPAIGNS: _("campaigns"),
        OwnSource.LIFECYCLE: _("worked out from events"),
        OwnSource.SEGMENTS: _("segments"),
        OwnSource.MERGE: _("merging of records"),
        OwnSource.DOUBLE_OPT_IN: _("confirmed opt-in"),
        OwnSource.HOTLINE: _("hotline"),
        OwnSource.CREDIT_FACTS: _("worked out from credit facts"),
    },
)
SOURCE_STANDINGS = Vocabulary(
    Standing,
    {
        Standing.IN_FORCE: Term(_("in force"), tone="good"),
        Standing.NOT_YET: Term(_("the contract has not begun"), tone="busy"),
        Standing.ENDED: Term(_("the contract has ended"), tone="bad"),
        Standing.SWITCHED_OFF: Term(_("switched off"), tone="bad"),
    },
)
EXPORT_STATES = Vocabulary(
    ExportState,
    {
        ExportState.REQUESTED: Term(_("Waiting for approval"), tone="warn"),
        ExportState.APPROVED: Term(_("Approved"), tone="good"),
        ExportState.REFUSED: Term(_("Refused"), tone="bad"),
    },
)
MERGE_STATES = Vocabulary(
    MergeState,
    {
        MergeState.PROPOSED: Term(_("To be decided"), tone="warn"),
        MergeState.MERGED: Term(_("Merged"), tone="good"),
        MergeState.REFUSED: Term(_("Two persons"), tone="busy"),
    },
)
SEARCH_STATES: Mapping[str, Any] = {
    "queued": _("Waiting"),
    "running": _("Running"),
    "done": _("Done"),
    "failed": _("Failed"),
}
SEARCH_STEPS = Vocabulary(
    SearchStep,
    {
        SearchStep.READ: _("Reading customers"),
        SearchStep.COMPARE: _("Comparing pairs"),
    },
)
MATCH_KEYS = Vocabulary(
    MatchKey,
    {
        MatchKey.EXTERNAL_ID: _("Same id at the source"),
        MatchKey.NATIONAL_ID: _("Same identity number"),
        MatchKey.PHONE: _("Same phone"),
        MatchKey.EMAIL: _("Same e-mail"),
    },
)
TIES = Vocabulary(
    SharedKind,
    {
        SharedKind.PHONE: _("Same phone"),
        SharedKind.ADDRESS: _("Same address"),
        SharedKind.EMPLOYER: _("Same employer"),
        SharedKind.DEVICE: _("Same device"),
        SharedKind.HOUSEHOLD: _("Same household"),
    },
)
RELATIONSHIPS = Vocabulary(
    RelationKind,
    {
        RelationKind.REFERRAL: _("Referral"),
        RelationKind.GUARANTOR: _("Guarantor"),
    },
)
UNCLEAR_DECISIONS = Vocabulary(
    UnclearDecision,
    {
        UnclearDecision.OPEN: Term(_("to be asked"), tone="warn"),
        UnclearDecision.REFUSED: Term(_("it was a refusal"), tone="busy"),
        UnclearDecision.GRANTED: Term(_("it was a consent"), tone="good"),
    },
)
NOTIFIED_BY = Vocabulary(
    NotifiedBy,
    {
        NotifiedBy.PHONE: _("by phone"),
        NotifiedBy.EMAIL: _("by e-mail"),
        NotifiedBy.SMS: _("by SMS"),
        NotifiedBy.LETTER: _("by letter"),
        NotifiedBy.IN_PERSON: _("in person"),
    },
)


def read(vocabulary: Mapping[Any, object], value: str) -> str:
    """Return the label of a value, or the value itself where the vocabulary does not know it."""
    found: object = vocabulary.get(value)
    if found is None:
        return value
    return _read_text(found) if isinstance(found, Text) else str(found)


def event(value: str) -> str:
    """Return how an event's name is read; those of partners bear the name that they gave."""
    return EVENTS.label(value) if value in EVENTS else value


def score_band(value: str) -> str:
    """Return how a score's band is read."""
    return read(SCORE_BANDS, value)


def event_channel(value: str) -> str:
    """Return how the channel of an event is read; one that only its source knows stays as it is."""
    if value in CHANNELS:
        return CHANNELS.label(value)
    return str(_EVENT_CHANNELS.get(value, value))


def score_model(value: str) -> str:
    """Return how the name of a scoring model is read."""
    return score_name(value).read("zh" if reads_chinese() else "en")


def model_version(value: str) -> str:
    """Return how the version of a model is read: `clv-1` is «version 1»; others as they are."""
    name, _dash, number = value.rpartition("-")
    if name.replace("_", "").isalpha() and number.isdigit():
        return gettext("version %(number)s") % {"number": number}
    return value


def own_source(value: str) -> str:
    """Return the name of a source that is a part of loancrm; others stay as they are."""
    return OWN_SOURCES.label(value) if value in OWN_SOURCES else value


def tie(value: str) -> str:
    """Return how a kind of tie or relationship is read."""
    return TIES.label(value) if value in TIES else RELATIONSHIPS.label(value)


def matched_by(value: str) -> str:
    """Return what two records that may be one person share."""
    return gettext("Alike in many points") if value == LIKENESS else MATCH_KEYS.label(value)


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

"""How the app's closed vocabularies are read aloud, in the language of the reader."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.content.approval import ApprovedPart
from campaigns.domain.content.lint import Problem, ProblemCode
from campaigns.domain.receipts.replies import ReplyMeaning
from campaigns.domain.receipts.report import DeliveryKind, ReceiptProblem
from campaigns.domain.receipts.stops import StopReason
from campaigns.domain.requests.template import NameProblem, TemplateStatus
from campaigns.domain.sending.eligibility import Reason
from campaigns.domain.sending.service_messages import ServiceKind
from campaigns.domain.sending.states import DispatchStatus, MessageState

CAMPAIGN_STATUSES = {
    CampaignStatus.DRAFT: _("Draft"),
    CampaignStatus.IN_REVIEW: _("In review"),
    CampaignStatus.APPROVED: _("Approved"),
    CampaignStatus.RUNNING: _("Running"),
    CampaignStatus.PAUSED: _("Paused"),
    CampaignStatus.COMPLETED: _("Completed"),
    CampaignStatus.CANCELLED: _("Cancelled"),
    CampaignStatus.IMPORTED: _("Imported"),
}
CAMPAIGN_TONES = {
    CampaignStatus.DRAFT: "",
    CampaignStatus.IN_REVIEW: "warn",
    CampaignStatus.APPROVED: "busy",
    CampaignStatus.RUNNING: "busy",
    CampaignStatus.PAUSED: "warn",
    CampaignStatus.COMPLETED: "good",
    CampaignStatus.CANCELLED: "bad",
    CampaignStatus.IMPORTED: "",
}
DISPATCH_STATUSES = {
    DispatchStatus.SCHEDULED: _("Scheduled"),
    DispatchStatus.RUNNING: _("Running"),
    DispatchStatus.HELD: _("On hold"),
    DispatchStatus.COMPLETED: _("Completed"),
    DispatchStatus.CANCELLED: _("Cancelled"),
}
MESSAGE_STATES = {
    MessageState.PLANNED: _("Planned"),
    MessageState.SENDING: _("Sending"),
    MessageState.SENT: _("Sent, no receipt yet"),
    MessageState.DELIVERED: _("Delivered"),
    MessageState.BOUNCED: _("Bounced"),
    MessageState.FAILED: _("Failed"),
    MessageState.UNKNOWN: _("Unknown"),
    MessageState.SKIPPED: _("Skipped"),
    MessageState.HELD_OUT: _("Control group"),
    MessageState.CANCELLED: _("Cancelled"),
}
GATES: Mapping[str, Any] = {
    "reachable": _("reachable"),
    "consent": _("consent"),
    "source": _("data source"),
    "suppression": _("stop list"),
    "pause": _("break"),
    "hardship": _("hardship and age"),
    "personalisation": _("personal recommendations"),
    "frequency_cap": _("frequency"),
    "quiet_hours": _("quiet hours"),
    "holdout": _("control group"),
}
REASONS: Mapping[str, Any] = {
    Reason.UNREACHABLE: _("No address for this channel"),
    Reason.BOUNCED: _("The address bounced before"),
    Reason.NO_CONSENT: _("No consent for this channel and purpose"),
    Reason.ALREADY_SENT: _("Had already: by the message before, or under another record"),
    Reason.SOURCE_BARRED: _("The contract of the data's source does not cover marketing"),
    Reason.SUPPRESSED: _("On the stop list"),
    Reason.PAUSED: _("The person has paused marketing"),
    Reason.HARDSHIP: _("In hardship, dispute or excluded"),
    Reason.ARREARS: _("Payments are overdue"),
    Reason.UNDERAGE: _("Under age"),
    Reason.PERSONALISATION_OFF: _("Personal recommendations switched off"),
    Reason.FREQUENCY_CAP: _("Contacted too often already"),
    Reason.QUIET_HOURS: _("Waiting for the end of quiet hours"),
    Reason.HOLDOUT: _("Kept in the control group"),
    Reason.BUDGET: _("Budget used up"),
    Reason.MISSING_VARIABLE: _("A value for the text is missing"),
    Reason.RENDER_ERROR: _("The text could not be made"),
    Reason.NO_CONTENT: _("No text in a suitable language"),
    Reason.CHANNEL_REFUSED: _("Refused by the provider"),
    Reason.RETRIES_EXHAUSTED: _("Several attempts failed"),
    Reason.NEVER_TAKEN: _("The provider was too busy for it for days"),
    Reason.CRASHED: _("Interrupted while sending; not sent again by itself"),
    Reason.ASKED_AGAIN: _("The provider's answer was lost; it is asked again with the same key"),
    Reason.NOT_SENT: _("A person found that it was not sent"),
    Reason.CANCELLED: _("Campaign cancelled"),
    # What providers report is kept in the same column.
    DeliveryKind.FAILED: _("The provider reports a failure"),
    DeliveryKind.BOUNCED_HARD: _("The address does not exist"),
    DeliveryKind.BOUNCED_SOFT: _("The mailbox did not take it"),
    DeliveryKind.COMPLAINED: _("The person complained"),
}
APPROVED_PARTS: Mapping[str, Any] = {
    ApprovedPart.TEXTS: _("the texts"),
    ApprovedPart.CONSTANTS: _("a value that the texts tell everybody, such as a product's rate"),
    ApprovedPart.CHANNELS: _("the channel or its sender"),
    ApprovedPart.PURPOSE: _("the purpose"),
    ApprovedPart.PRICES: _("the price of a message"),
    ApprovedPart.AUDIENCE: _("the segment, or one that its rule names"),
    ApprovedPart.EXPERIMENT: _("the control group or the variants' weights"),
    ApprovedPart.SCHEDULE: _("the schedule"),
    ApprovedPart.TERMS: _("the name, the goal or the budget"),
}
HOLD_REASONS: Mapping[str, Any] = {
    "changed_texts": _("a text was changed after the approval"),
    "changed_constants": _(
        "a value that the texts tell everybody, such as a product's rate, was changed after the"
        " approval"
    ),
    "changed_channels": _("the channel or its sender was changed after the approval"),
    "changed_audience": _("a rule behind the segment was changed after the approval"),
    "restored": _("the database was restored or copied; somebody has to release it"),
    "late": _("the start was missed; somebody has to release it"),
    "channel_misconfigured": _("the channel is not set up rightly"),
    "channel_unavailable": _("the provider cannot be reached"),
    "work_fails": _("the texts or the sender cannot be made into a message; three rounds failed"),
    "run_fails": _("the next run could not be begun"),
    "next_step_fails": _("the campaign's next message could not be begun; three rounds failed"),
    "keys_wrong": _(
        "a worker has not the keys that the data was sealed with: start it again with them"
    ),
    "channel_blocked": _(
        "the provider refuses everything that is sent through this channel, or gives no clear"
        " answer"
    ),
    "database_full": _("the database has no room; sending goes on by itself when there is some"),
    "database_read_only": _("the database takes no changes; sending goes on by itself"),
    "database_unavailable": _("the database did not answer; sending goes on by itself"),
}
# What a channel's test showed, by `services.channels.testing.Finding`.
CHANNEL_FINDINGS: Mapping[str, Any] = {
    "works": _("The message was taken."),
    "keys_shown": _("The message was taken, and its repetition was recognised by its key."),
    "keys_not_shown": _(
        "The message was taken, but nothing shows that its repetition was recognised: the provider "
        "does not count as one that remembers keys."
    ),
    "refused": _("The provider refused the message."),
    "blocked": _("The provider refuses the account."),
    "away": _("The provider could not be reached or was busy."),
    "unclear": _("It cannot be told whether the provider took the message."),
}
# What a person found out about a message, by `services.channels.fates.Fate`.
TEMPLATE_STATUSES: Mapping[str, Any] = {
    TemplateStatus.DRAFT: _("Draft"),
    TemplateStatus.IN_REVIEW: _("In review"),
    TemplateStatus.APPROVED: _("Approved"),
}
VARIABLE_NAME_PROBLEMS: Mapping[str, Any] = {
    NameProblem.MALFORMED: _(
        "“%(name)s” is no name for a variable: small letters, digits and _, up to 40."
    ),
    NameProblem.RESERVED: _("“%(name)s” has its value already and cannot be given with a call."),
    NameProblem.REPEATED: _("“%(name)s” stands there twice."),
    NameProblem.TOO_MANY: _("A template has at most 20 variables."),
}
FATES: Mapping[str, Any] = {
    "was_sent": _("Was sent"),
    "was_not_sent": _("Was not sent: leave it"),
    "send_again": _("Was not sent: send again"),
}
# What is done then.
FATE_CONSEQUENCES: Mapping[str, Any] = {
    "was_sent": _(
        "They count as sent, at the time they were handed over: in the figures, for the customers'"
        " caps and on their pages. What they cost stays spent."
    ),
    "was_not_sent": _(
        "They end as failed and cost nothing; nobody is written to again by this campaign, except"
        " by its fallback."
    ),
    "send_again": _(
        "They are planned again, at once and with every check. Whoever got the message after all"
        " gets it twice, unless the provider recognises repeated keys."
    ),
}
# The same of messages that ask to confirm a consent.
CONFIRMATION_CONSEQUENCES: Mapping[str, Any] = {
    "was_sent": _("They leave this list. Whoever was asked can confirm until the request ends."),
    "send_again": _(
        "They are asked again with the next run, with every check. Whoever got the message after"
        " all gets it twice, unless the provider recognises repeated keys."
    ),
}
# Why it is not known whether a message was taken; whatever a provider writes is no answer.
_UNKNOWN_REASONS: Mapping[str, Any] = {
    Reason.CRASHED: _("Interrupted while sending"),
    "connection_lost": _("The connection was lost before the answer"),
    "timeout": _("The provider did not answer in time"),
    "answer_unreadable": _("The provider's answer could not be understood"),
    "no_result": _("The provider's answer does not speak of this message"),
    "contradiction": _("The provider's answer contradicts itself"),
}
_ACCOUNT_REASONS: Mapping[str, Any] = {
    "http_401": _("The provider does not accept our login."),
    "http_403": _("The provider does not accept our login."),
    "http_402": _("There is no money left on the account."),
    "insufficient_balance": _("There is no money left on the account."),
    "balance_exhausted": _("There is no money left on the account."),
    "isv.AMOUNT_NOT_ENOUGH": _("There is no money left on the account."),
    "account_suspended": _("The provider has suspended the account."),
    "account_disabled": _("The provider has suspended the account."),
    "account": _("The provider refuses the account."),
    "channel_throttled": _("The provider asked for a pause."),
    "channel_unavailable": _("The provider cannot be reached."),
    "busy": _("The provider is busy."),
    "no_clear_answer": _("The provider gave no clear answer to what was handed over."),
}
BACKENDS = {
    "smtp": _("Mail relay (SMTP)"),
    "http_sms": _("SMS gateway (HTTP)"),
    "console": _("Shown in the log only"),
    "memory": _("Kept in memory, for tests"),
}
CHANNEL_KINDS = {
    "sms": _("SMS"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "wechat": _("WeChat"),
    "push": _("Push"),
}
CONTENT_PROBLEMS = {
    ProblemCode.TEMPLATE_REFUSED: _("The text cannot be used: %(reason)s"),
    ProblemCode.UNKNOWN_VARIABLE: _("There is no variable %(name)s"),
    ProblemCode.EXAMPLE_FAILS: _("The text cannot be filled with example values: %(error)s"),
    ProblemCode.EMPTY: _("The text is empty"),
    ProblemCode.UNSUBSCRIBE_MISSING: _("The unsubscribe link is missing"),
    ProblemCode.SENDER_MISSING: _("The text does not say who sends it"),
    ProblemCode.SIGNATURE_MISSING: _("The channel has no registered signature"),
    ProblemCode.SIGNATURE_IN_BODY: _("The brackets 【】 belong to the signature only"),
    ProblemCode.BANNED_WORD: _("Forbidden word: %(word)s"),
    ProblemCode.RISKY_WORD: _("Risky word: %(word)s"),
    ProblemCode.RATE_WITHOUT_APR: _("A rate is named without the annual rate"),
    ProblemCode.VARIABLE_IN_LINK: _("A link must not contain a variable"),
    ProblemCode.LINK_NOT_COUNTED: _(
        "Clicks on “%(link)s” are not counted: write it with https:// and a blank after it"
    ),
    ProblemCode.IMAGE_ONLY: _("The e-mail is almost only an image; read it before you approve"),
    ProblemCode.MANY_PARTS: _("The text takes %(parts)s parts"),
    ProblemCode.OFFER_IN_SERVICE: _("An offer has no place in a service message: %(word)s"),
    ProblemCode.TOO_MANY_CHOICES: _("The text has more conditions than can be looked through"),
}
SERVICE_KINDS: Mapping[str, Any] = {
    ServiceKind.NOTICE: _("Notice"),
    ServiceKind.DUE_REMINDER: _("Payment reminder"),
    ServiceKind.ONE_TIME_CODE: _("One-time code (at any hour)"),
    ServiceKind.FRAUD_WARNING: _("Fraud warning (at any hour)"),
}
# Why a text cannot be read, by the reason that `text_templates` gives; after a colon it names what
# stands there.
_TEMPLATE_REASONS: Mapping[str, Any] = {
    "syntax": _("a brace is not closed, or a command is not complete"),
    "source_too_long": _("it is too long"),
    "too_deep": _("it is nested too deeply"),
    "too_many_steps": _("its loops run for too long"),
    "not_text": _("it holds a character that no message can hold"),
    "number": _("it holds a number that cannot be read"),
    "too_many_nodes": _("it has too many commands"),
    "not_allowed": _(
        "it calculates or calls something; only values, conditions and lists may be used"
    ),
    "assignment": _("it sets a value of its own"),
    "none": _("it uses “none”"),
    "private_attribute": _("it reads something that is not for texts"),
    "loop_depth": _("its lists are nested too deeply"),
    "loop_form": _("a list is read in a way that is not allowed"),
    "loop_source": _("a list is read in a way that is not allowed"),
    "condition_without_else": _("a short condition has no “else”"),
    "filter": _("there is no such format after a bar: %(name)s"),
    "filter_block": _("a format is put around a whole block"),
    "test": _("there is no such condition: %(name)s"),
}
# Why a text cannot be filled with example values, by the code of the error.
_EXAMPLE_REASONS: Mapping[str, Any] = {
    "missing_variable": _("a value is missing"),
    "render_failed": _("a value does not fit its format, or nothing is left of the text"),
    "output_too_long": _("it becomes too long"),
}
TEXT_LANGUAGES: Mapping[str, Any] = {"zh-hans": _("Chinese"), "en": _("English")}
# Names of languages for those who write in them.
LANGUAGE_NAMES: Mapping[str, str] = {"zh-hans": "中文", "en": "English"}
TEXT_PARTS: Mapping[str, Any] = {"subject": _("subject"), "text": _("body"), "html": _("HTML")}


def describe(problem: Problem) -> str:
    """Return a finding about a text as a sentence in the language of the reader."""
    facts = dict(problem.facts)
    if problem.code is ProblemCode.TEMPLATE_REFUSED:
        facts["reason"] = _template_reason(str(facts.get("reason", "")))
    elif problem.code is ProblemCode.EXAMPLE_FAILS:
        code = str(facts.get("error", ""))
        facts["error"] = _EXAMPLE_REASONS.get(code, _EXAMPLE_REASONS["render_failed"])
    return str(CONTENT_PROBLEMS[problem.code]) % facts


def _template_reason(reason: str) -> str:
    kind, _colon, name = reason.partition(":")
    return str(_TEMPLATE_REASONS.get(kind, _TEMPLATE_REASONS["not_allowed"])) % {"name": name}


def read(vocabulary: Mapping[Any, Any], value: str) -> str:
    """Return the label of a value, or the value itself where the vocabulary does not know it."""
    return str(vocabulary.get(value, value))


def unknown_reason(code: str) -> str:
    """Return why it is not known whether a message was taken."""
    return str(_UNKNOWN_REASONS.get(code, _("The provider's answer could not be understood")))


def message_reason(code: str) -> str:
    """Return why a message stands as it does: a reason of ours, or what its provider said."""
    if code in REASONS:
        return str(REASONS[code])
    if code in _UNKNOWN_REASONS:
        return str(_UNKNOWN_REASONS[code])
    return account_reason(code)


def account_reason(code: str) -> str:
    """Return why a provider account is paused or blocked; a provider's own words are quoted."""
    if code in _ACCOUNT_REASONS:
        return str(_ACCOUNT_REASONS[code])
    return str(_("The provider answered: %(words)s")) % {"words": code}


def tone(status: str) -> str:
    """Return the colour of a campaign status: good, bad, warn, busy or none."""
    return CAMPAIGN_TONES.get(CampaignStatus(status), "")


STOP_REASONS: Mapping[str, Any] = {
    StopReason.OPTED_OUT: _("The person refused"),
    StopReason.COMPLAINED: _("The person complained"),
    StopReason.UNDER_REVIEW: _("A reply that may be a refusal; somebody has to read it"),
    StopReason.BY_HAND: _("Put on the list by hand"),
    StopReason.IMPORTED: _("From an imported stop list"),
}
STOP_SOURCES: Mapping[str, Any] = {
    "unsubscribe_link": _("Link to unsubscribe"),
    "preference_centre": _("Preference page"),
    "complaint": _("Complaint"),
    "sms_reply": _("Reply by SMS"),
    "email_reply": _("Reply by e-mail"),
    "by_hand": _("By hand"),
}
REPORT_KINDS: Mapping[str, Any] = {
    DeliveryKind.DELIVERED: _("Delivered"),
    DeliveryKind.BOUNCED_HARD: _("The address does not exist"),
    DeliveryKind.BOUNCED_SOFT: _("The mailbox did not take it"),
    DeliveryKind.FAILED: _("The provider reports a failure"),
    DeliveryKind.COMPLAINED: _("The person complained"),
    DeliveryKind.REPLIED: _("The person replied"),
    DeliveryKind.OPENED: _("Opened"),
    DeliveryKind.CLICKED: _("Clicked"),
    DeliveryKind.UNREADABLE: _("A report that nobody can read"),
}
REPLY_MEANINGS: Mapping[str, Any] = {
    ReplyMeaning.OPT_OUT: _("Reply: a refusal"),
    ReplyMeaning.REVIEW: _("Reply: perhaps a refusal"),
    ReplyMeaning.OTHER: _("Reply: something else"),
}
RECEIPT_PROBLEMS: Mapping[str, Any] = {
    ReceiptProblem.MESSAGE_UNKNOWN: _("It names a message that is not known here, or not yet"),
    ReceiptProblem.SENDER_UNREADABLE: _("The sender's address cannot be read"),
    ReceiptProblem.NAMES_NOBODY: _("It names neither a message nor a sender"),
    ReceiptProblem.MESSAGE_AMBIGUOUS: _("The provider gave several messages the id that it names"),
    ReceiptProblem.MESSAGE_PLANNED: _("Its message is yet to be handed over, perhaps once more"),
    ReceiptProblem.KIND_UNKNOWN: _("The provider reports something that is not known here"),
    ReceiptProblem.REPORT_UNREADABLE: _("The report is not in the agreed form"),
}
NEXT_STEPS: Mapping[str, Any] = {
    ReceiptProblem.MESSAGE_UNKNOWN: _("Tried again by itself; after a day, look it up there"),
    ReceiptProblem.SENDER_UNREADABLE: _("Look it up at the provider; stop the number by hand"),
    ReceiptProblem.NAMES_NOBODY: _("Look the report up at the provider by its id"),
    ReceiptProblem.MESSAGE_AMBIGUOUS: _("Ask the provider to report by the key of the message"),
    ReceiptProblem.MESSAGE_PLANNED: _("Tried again by itself; nothing to do"),
    ReceiptProblem.KIND_UNKNOWN: _("Ask the provider what it means"),
    ReceiptProblem.REPORT_UNREADABLE: _("Ask the provider to mend its reports"),
}

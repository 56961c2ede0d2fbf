"""How the app's closed vocabularies are read aloud, in the language of the reader."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.correction import CorrectionState
from campaigns.domain.campaigns.harm_watch import PauseReason
from campaigns.domain.content.approval import ApprovedPart
from campaigns.domain.sending.channel_finding import ChannelFinding
from campaigns.domain.sending.eligibility import GateName, SkipReason
from campaigns.domain.sending.fates import ConfirmationFate, FateDecision
from campaigns.domain.sending.service_messages import ServiceKind
from campaigns.domain.sending.states import DispatchStatus, HoldReason, MessageState
from campaigns.labels.receipts import REPORT_KINDS
from loancrm.kernel.words.vocabulary import Term, Vocabulary

CAMPAIGN_STATUSES = Vocabulary(
    CampaignStatus,
    {
        CampaignStatus.DRAFT: _("Draft"),
        CampaignStatus.IN_REVIEW: Term(_("In review"), tone="warn"),
        CampaignStatus.APPROVED: Term(_("Approved"), tone="busy"),
        CampaignStatus.RUNNING: Term(_("Running"), tone="busy"),
        CampaignStatus.PAUSED: Term(_("Paused"), tone="warn"),
        CampaignStatus.COMPLETED: Term(_("Completed"), tone="good"),
        CampaignStatus.CANCELLED: Term(_("Cancelled"), tone="bad"),
        CampaignStatus.IMPORTED: _("Imported"),
    },
)
DISPATCH_STATUSES = Vocabulary(
    DispatchStatus,
    {
        DispatchStatus.SCHEDULED: _("Scheduled"),
        DispatchStatus.RUNNING: _("Running"),
        DispatchStatus.HELD: _("On hold"),
        DispatchStatus.COMPLETED: _("Completed"),
        DispatchStatus.CANCELLED: _("Cancelled"),
    },
)
MESSAGE_STATES = Vocabulary(
    MessageState,
    {
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
    },
)
GATES = Vocabulary(
    GateName,
    {
        GateName.REACHABLE: _("reachable"),
        GateName.CONSENT: _("consent"),
        GateName.SOURCE: _("data source"),
        GateName.SUPPRESSION: _("stop list"),
        GateName.COLLECTION: _("collection"),
        GateName.PAUSE: _("break"),
        GateName.HARDSHIP: _("hardship and age"),
        GateName.PERSONALISATION: _("personal recommendations"),
        GateName.ALREADY_SENT: _("sent already"),
        GateName.GOAL: _("goal reached"),
        GateName.FREQUENCY_CAP: _("frequency"),
        GateName.GLOBAL_CONTROL: _("global control group"),
        GateName.QUIET_HOURS: _("quiet hours"),
        GateName.HOLDOUT: _("control group"),
    },
)
SKIP_REASONS = Vocabulary(
    SkipReason,
    {
        SkipReason.UNREACHABLE: _("No address for this channel"),
        SkipReason.ADDRESS_GONE: _("The address named in the call is not the person's any more"),
        SkipReason.BOUNCED: _("The address bounced before"),
        SkipReason.NO_CONSENT: _("No consent for this channel and purpose"),
        SkipReason.ALREADY_SENT: _("Had already: by the message before, or under another record"),
        SkipReason.SOURCE_BARRED: _("The contract of the data's source does not cover marketing"),
        SkipReason.SUPPRESSED: _("On the stop list"),
        SkipReason.PAUSED: _("The person has paused marketing"),
        SkipReason.HARDSHIP: _("In hardship or dispute, under an early warning, or excluded"),
        SkipReason.ARREARS: _("Payments are overdue"),
        SkipReason.UNDERAGE: _("Under age"),
        SkipReason.STUDENT: _("A student: no credit is offered"),
        SkipReason.NOT_OVERDUE: _("Nothing is overdue, so nothing is collected"),
        SkipReason.OVERDUE: _("Overdue by now: only collection may write about it"),
        SkipReason.THIRD_PARTY: _(
            "The address is somebody else's too, who would learn of the debt"
        ),
        SkipReason.COLLECTION_TRIES: _("Written to often enough today about the debt"),
        SkipReason.RULE_BROKEN: _("The finished text would break a rule"),
        SkipReason.PERSONALISATION_OFF: _("Personal recommendations switched off"),
        SkipReason.GOAL_REACHED: _("Has reached the campaign's goal meanwhile"),
        SkipReason.FREQUENCY_CAP: _("Contacted too often already"),
        SkipReason.QUIET_HOURS: _("Waiting for the end of quiet hours"),
        SkipReason.GLOBAL_CONTROL: _("In the global control group: no marketing in this period"),
        SkipReason.HOLDOUT: _("Kept in the control group"),
        SkipReason.EXPIRED: _("The campaign or its offer had ended"),
        SkipReason.VOLUME_CAP: _("The campaign has sent as many messages as it may"),
        SkipReason.DAILY_VOLUME: _("Waits for the next day: today's number of messages is sent"),
        SkipReason.BUDGET: _("Budget used up"),
        SkipReason.MISSING_VARIABLE: _("A value for the text is missing"),
        SkipReason.RENDER_ERROR: _("The text could not be made"),
        SkipReason.NO_CONTENT: _("No text in a suitable language"),
        SkipReason.TEMPLATE_MISMATCH: _("The finished text is none of the filed templates"),
        SkipReason.CHANNEL_REFUSED: _("Refused by the provider"),
        SkipReason.RETRIES_EXHAUSTED: _("Several attempts failed"),
        SkipReason.NEVER_TAKEN: _("The provider was too busy for it for days"),
        SkipReason.CRASHED: _("Interrupted while sending; not sent again by itself"),
        SkipReason.ASKED_AGAIN: _(
            "The provider's answer was lost; it is asked again with the same key"
        ),
        SkipReason.NOT_SENT: _("A person found that it was not sent"),
        SkipReason.CANCELLED: _("Campaign cancelled"),
    },
)
APPROVED_PARTS = Vocabulary(
    ApprovedPart,
    {
        ApprovedPart.TEXTS: _("the texts"),
        ApprovedPart.CONSTANTS: _(
            "a value that the texts tell everybody, such as a product's rate"
        ),
        ApprovedPart.CHANNELS: _("the channel or its sender"),
        ApprovedPart.STAND_INS: _("the signatures of its fall-over channels"),
        ApprovedPart.PURPOSE: _("the purpose"),
        ApprovedPart.PRICES: _("the price of a message"),
        ApprovedPart.AUDIENCE: _("the segment or the exclusions, or a segment that they name"),
        ApprovedPart.EXPERIMENT: _("the control group or the variants' weights"),
        ApprovedPart.SCHEDULE: _("the schedule"),
        ApprovedPart.TERMS: _("the name, the goal, the budget or the most messages"),
    },
)
HOLD_REASONS = Vocabulary(
    HoldReason,
    {
        HoldReason.CHANGED_TEXTS: _("a text was changed after the approval"),
        HoldReason.CHANGED_CONSTANTS: _(
            "a value that the texts tell everybody, such as a product's rate, was changed after the"
            " approval"
        ),
        HoldReason.CHANGED_CHANNELS: _("the channel or its sender was changed after the approval"),
        HoldReason.CHANGED_STAND_INS: _(
            "a fall-over channel would send under a signature that was not approved"
        ),
        HoldReason.CHANGED_AUDIENCE: _("a rule behind the segment was changed after the approval"),
        HoldReason.RULES_FORBID: _(
            "a rule that is in force now forbids a text, or a product that it lists"
        ),
        HoldReason.SCORE_NOT_USABLE: _("a score that chooses its people may not do so now"),
        HoldReason.UNFAIR_AUDIENCE: _("a model chooses some people too rarely"),
        HoldReason.RESTORED: _("the database was restored or copied; somebody has to release it"),
        HoldReason.LATE: _("the start was missed; somebody has to release it"),
        HoldReason.CHANNEL_MISCONFIGURED: _("the channel is not set up rightly"),
        HoldReason.CHANNEL_UNAVAILABLE: _("the provider cannot be reached"),
        HoldReason.SIGNATURE_NOT_FILED: _(
            "the channel's signature is not approved by the provider now"
        ),
        HoldReason.TEMPLATE_NOT_FILED: _(
            "the template of a text is not approved by the provider now"
        ),
        HoldReason.WORK_FAILS: _(
            "the texts or the sender cannot be made into a message; three rounds failed"
        ),
        HoldReason.RUN_FAILS: _("the next run could not be begun"),
        HoldReason.NEXT_STEP_FAILS: _(
            "the campaign's next message could not be begun; three rounds failed"
        ),
        HoldReason.KEYS_WRONG: _(
            "a worker has not the keys that the data was sealed with: start it again with them"
        ),
        HoldReason.CHANNEL_BLOCKED: _(
            "the provider refuses everything that is sent through this channel, or gives no clear"
            " answer"
        ),
        HoldReason.DATABASE_FULL: _(
            "the database has no room; sending goes on by itself when there is some"
        ),
        HoldReason.DATABASE_READ_ONLY: _(
            "the database takes no changes; sending goes on by itself"
        ),
        HoldReason.DATABASE_UNAVAILABLE: _(
            "the database did not answer; sending goes on by itself"
        ),
        HoldReason.DATABASE_SCHEMA: _(
            "the database is not migrated to this version of the program"
        ),
    },
)
CORRECTION_STATES = Vocabulary(
    CorrectionState,
    {
        CorrectionState.EDITING: _("Being written"),
        CorrectionState.IN_REVIEW: _("In review"),
        CorrectionState.APPROVED: _("Approved"),
        CorrectionState.APPLIED: _("In use"),
        CorrectionState.DISCARDED: _("Discarded"),
    },
)
PAUSE_REASONS = Vocabulary(
    PauseReason,
    {
        PauseReason.FAILURES: _("too many of its messages failed"),
        PauseReason.COMPLAINTS: _("too many people complained about it"),
        PauseReason.OPT_OUTS: _("too many people opted out because of it"),
        PauseReason.ACCOUNT_FAILURES: _(
            "too many messages through a provider account that it uses failed"
        ),
        PauseReason.ACCOUNT_COMPLAINTS: _(
            "too many people complained about messages through a provider account that it uses"
        ),
        PauseReason.ACCOUNT_OPT_OUTS: _(
            "too many people opted out after messages through a provider account that it uses"
        ),
    },
)
CHANNEL_FINDINGS = Vocabulary(
    ChannelFinding,
    {
        ChannelFinding.WORKS: _("The message was taken."),
        ChannelFinding.KEYS_SHOWN: _(
            "The message was taken, and its repetition was recognised by its key."
        ),
        ChannelFinding.KEYS_NOT_SHOWN: _(
            "The message was taken, but nothing shows that its repetition was recognised: the"
            " provider does not count as one that remembers keys."
        ),
        ChannelFinding.REFUSED: _("The provider refused the message."),
        ChannelFinding.BLOCKED: _("The provider refuses the account."),
        ChannelFinding.AWAY: _("The provider could not be reached or was busy."),
        ChannelFinding.UNCLEAR: _("It cannot be told whether the provider took the message."),
    },
)
FATES = Vocabulary(
    FateDecision,
    {
        FateDecision.WAS_SENT: Term(
            _("Was sent"),
            icon="check",
            hint=_(
                "They count as sent, at the time they were handed over: in the figures, for the"
                " customers' caps and on their pages. What they cost stays spent."
            ),
        ),
        FateDecision.WAS_NOT_SENT: Term(
            _("Was not sent: leave it"),
            icon="close",
            hint=_(
                "They end as failed and cost nothing; nobody is written to again by this campaign,"
                " except by its fallback."
            ),
        ),
        FateDecision.SEND_AGAIN: Term(
            _("Was not sent: send again"),
            icon="replay",
            hint=_(
                "They are planned again, at once and with every check. Whoever got the message"
                " after all gets it twice, unless the provider recognises repeated keys."
            ),
        ),
    },
)
CONFIRMATION_FATES = Vocabulary(
    ConfirmationFate,
    {
        ConfirmationFate.WAS_SENT: Term(
            _("Was sent"),
            icon="check",
            hint=_("They leave this list. Whoever was asked can confirm until the request ends."),
        ),
        ConfirmationFate.SEND_AGAIN: Term(
            _("Was not sent: send again"),
            icon="replay",
            hint=_(
                "They are asked again with the next run, with every check. Whoever got the message"
                " after all gets it twice, unless the provider recognises repeated keys."
            ),
        ),
    },
)
# Why it is not known whether a message was taken; whatever a provider writes is no answer.
_UNKNOWN_REASONS: Mapping[str, Any] = {
    SkipReason.CRASHED: _("Interrupted while sending"),
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
_BACKENDS: Mapping[str, Any] = {
    "smtp": _("Mail relay (SMTP)"),
    "http_sms": _("SMS gateway (HTTP)"),
    "email_service": _("E-mail service (SendGrid, Mailgun, Postmark, Brevo)"),
    "webhook": _("The lender's own endpoint (signed webhook)"),
    "console": _("Shown in the log only"),
    "memory": _("Kept in memory, for tests"),
}
SERVICE_KINDS = Vocabulary(
    ServiceKind,
    {
        ServiceKind.NOTICE: _("Notice"),
        ServiceKind.DUE_REMINDER: _("Payment reminder"),
        ServiceKind.COLLECTION: _("Collection (from the first day overdue)"),
        ServiceKind.ONE_TIME_CODE: _("One-time code (at any hour)"),
        ServiceKind.FRAUD_WARNING: _("Fraud warning (at any hour)"),
    },
)


def backend(name: str) -> str:
    """Return how a backend is read; those that a setting adds bear the name that it gives."""
    return str(_BACKENDS.get(name, name))


def unknown_reason(code: str) -> str:
    """Return why it is not known whether a message was taken."""
    return str(_UNKNOWN_REASONS.get(code, _("The provider's answer could not be understood")))


def message_reason(code: str) -> str:
    """Return why a message stands as it does.

    That is a reason of ours, what its provider reported, or the provider's own words; empty where
    nothing stood in its way.
    """
    if not code:
        return ""
    for vocabulary in (SKIP_REASONS, REPORT_KINDS):
        if code in vocabulary:
            return vocabulary.label(code)
    if code in _UNKNOWN_REASONS:
        return str(_UNKNOWN_REASONS[code])
    return account_reason(code)


def account_reason(code: str) -> str:
    """Return why a provider account is paused or blocked; a provider's own words are quoted."""
    if code in _ACCOUNT_REASONS:
        return str(_ACCOUNT_REASONS[code])
    return str(_("The provider answered: %(words)s")) % {"words": code}

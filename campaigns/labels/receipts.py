"""How reports of providers, replies and stops are read aloud."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.receipts.replies import ReplyDecision, ReplyMeaning
from campaigns.domain.receipts.report import DeliveryKind, ReceiptProblem
from campaigns.domain.receipts.stops import StopReason, StopSource
from loancrm.kernel.words.vocabulary import Term, Vocabulary

STOP_REASONS = Vocabulary(
    StopReason,
    {
        StopReason.OPTED_OUT: _("The person refused"),
        StopReason.COMPLAINED: _("The person complained"),
        StopReason.UNDER_REVIEW: _("A reply that may be a refusal; somebody has to read it"),
        StopReason.BY_HAND: _("Put on the list by hand"),
        StopReason.IMPORTED: _("From an imported stop list"),
    },
    unknown=_("another reason"),
)
STOP_SOURCES = Vocabulary(
    StopSource,
    {
        StopSource.UNSUBSCRIBE_LINK: _("Link to unsubscribe"),
        StopSource.PREFERENCE_CENTRE: _("Preference page"),
        StopSource.COMPLAINT: _("Complaint"),
        StopSource.SMS_REPLY: _("Reply by SMS"),
        StopSource.EMAIL_REPLY: _("Reply by e-mail"),
        StopSource.PHONE_REPLY: _("Reply by phone"),
        StopSource.WECHAT_REPLY: _("Reply by WeChat"),
        StopSource.PUSH_REPLY: _("Reply in the app"),
        StopSource.BY_HAND: _("By hand"),
    },
)
REPORT_KINDS = Vocabulary(
    DeliveryKind,
    {
        DeliveryKind.DELIVERED: _("Delivered"),
        DeliveryKind.BOUNCED_HARD: _("The address does not exist"),
        DeliveryKind.BOUNCED_SOFT: _("The mailbox did not take it"),
        DeliveryKind.FAILED: _("The provider reports a failure"),
        DeliveryKind.COMPLAINED: _("The person complained"),
        DeliveryKind.REPLIED: _("The person replied"),
        DeliveryKind.OPENED: _("Opened"),
        DeliveryKind.CLICKED: _("Clicked"),
        DeliveryKind.UNREADABLE: _("A report that nobody can read"),
    },
)
REPLY_MEANINGS = Vocabulary(
    ReplyMeaning,
    {
        ReplyMeaning.OPT_OUT: _("Reply: a refusal"),
        ReplyMeaning.REVIEW: _("Reply: perhaps a refusal"),
        ReplyMeaning.OTHER: _("Reply: something else"),
    },
)
RECEIPT_PROBLEMS = Vocabulary(
    ReceiptProblem,
    {
        ReceiptProblem.MESSAGE_UNKNOWN: Term(
            _("It names a message that is not known here, or not yet"),
            hint=_("Tried again by itself; after a day, look it up there"),
        ),
        ReceiptProblem.SENDER_UNREADABLE: Term(
            _("The sender's address cannot be read"),
            hint=_("Look it up at the provider; stop the number by hand"),
        ),
        ReceiptProblem.NAMES_NOBODY: Term(
            _("It names neither a message nor a sender"),
            hint=_("Look the report up at the provider by its id"),
        ),
        ReceiptProblem.MESSAGE_AMBIGUOUS: Term(
            _("The provider gave several messages the id that it names"),
            hint=_("Ask the provider to report by the key of the message"),
        ),
        ReceiptProblem.MESSAGE_PLANNED: Term(
            _("Its message is yet to be handed over, perhaps once more"),
            hint=_("Tried again by itself; nothing to do"),
        ),
        ReceiptProblem.KIND_UNKNOWN: Term(
            _("The provider reports something that is not known here"),
            hint=_("Ask the provider what it means"),
        ),
        ReceiptProblem.REPORT_UNREADABLE: Term(
            _("The report is not in the agreed form"),
            hint=_("Ask the provider to mend its reports"),
        ),
        ReceiptProblem.GIVEN_UP: _("Its message did not turn up"),
        ReceiptProblem.SETTLED_BY_HAND: _("Taken off by a person"),
    },
)
REPLY_DECISIONS = Vocabulary(
    ReplyDecision,
    {
        ReplyDecision.OPEN: Term(_("to be read"), tone="warn"),
        ReplyDecision.REFUSAL: Term(_("it is a refusal"), tone="busy"),
        ReplyDecision.NO_REFUSAL: Term(_("it is no refusal"), tone="good"),
    },
)


def stop_source(code: str) -> str:
    """Return where a stop came from; imported lists bear the name that people gave."""
    return STOP_SOURCES.label(code) if code in STOP_SOURCES else code

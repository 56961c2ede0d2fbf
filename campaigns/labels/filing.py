"""How the states of filed signatures and templates are read aloud."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.filing.filing import FilingDemand, FilingKind, FilingStatus
from loancrm.kernel.words.vocabulary import Term, Vocabulary

FILING_KINDS = Vocabulary(
    FilingKind, {FilingKind.SIGNATURE: _("Signature"), FilingKind.TEMPLATE: _("Template")}
)
FILING_STATUSES = Vocabulary(
    FilingStatus,
    {
        FilingStatus.DRAFT: _("Draft"),
        FilingStatus.SUBMITTED: Term(_("Handed in"), tone="busy"),
        FilingStatus.APPROVED: Term(_("Approved"), tone="good"),
        FilingStatus.REFUSED: Term(_("Refused"), tone="bad"),
        FilingStatus.CLEARED: Term(_("Deleted by the provider"), tone="bad"),
        FilingStatus.EXPIRED: Term(_("Expired"), tone="bad"),
    },
)
FILING_DEMANDS = Vocabulary(
    FilingDemand,
    {
        FilingDemand.NOTHING: _("Nothing"),
        FilingDemand.SIGNATURE: _("The signature"),
        FilingDemand.TEMPLATE: _("The signature and every template"),
    },
)
# What a person says has become of a filing.
FILING_MOVE_WORDS = Vocabulary(
    FilingStatus,
    {
        FilingStatus.DRAFT: _("Take back as a draft"),
        FilingStatus.SUBMITTED: _("Was handed in"),
        FilingStatus.APPROVED: _("Was approved"),
        FilingStatus.REFUSED: _("Was refused"),
        FilingStatus.CLEARED: _("Was deleted by the provider"),
        FilingStatus.EXPIRED: _("Has expired"),
    },
)

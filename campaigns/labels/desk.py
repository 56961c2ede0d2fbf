"""How gaps of drafts, sends of the calendar and alerts about deliveries are read."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.campaigns.delivery_alerts import DeliveryAlertKind
from campaigns.domain.campaigns.drafts import DraftGap
from campaigns.domain.campaigns.sends import SendKind
from loancrm.kernel.words.vocabulary import Term, Vocabulary

DRAFT_GAPS = Vocabulary(
    DraftGap,
    {
        DraftGap.NO_SEGMENT: _("no segment"),
        DraftGap.NO_MESSAGE: _("no text"),
        DraftGap.NO_CHANNEL: _("a message without a channel"),
        DraftGap.CHANNEL_OFF: _("a channel that is switched off"),
        DraftGap.START_PASSED: _("a start that has passed"),
    },
)
SEND_KINDS = Vocabulary(
    SendKind,
    {
        SendKind.BEGUN: Term(_("Begun"), tone="good"),
        SendKind.SCHEDULED: Term(_("Scheduled"), tone="busy"),
        SendKind.COMING_RUN: Term(_("Next run"), tone="busy"),
        SendKind.NOT_LAUNCHED: Term(_("Not launched yet"), tone="warn"),
    },
)
DELIVERY_ALERTS = Vocabulary(
    DeliveryAlertKind,
    {
        DeliveryAlertKind.BOUNCED: _("%(share)s of its messages bounced (%(count)s of %(total)s)."),
        DeliveryAlertKind.SKIPPED: _(
            "%(share)s of its people were skipped (%(count)s of %(total)s)."
        ),
    },
)

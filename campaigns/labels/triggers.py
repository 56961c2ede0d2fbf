"""How what a campaign waits for is read aloud."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.campaigns.trigger import TriggerKind, TriggerRefusal, TriggerState
from loancrm.kernel.words.vocabulary import Vocabulary

KINDS = Vocabulary(
    TriggerKind,
    {
        TriggerKind.EVENT: _("when something happens to a person"),
        TriggerKind.API: _("when an own system calls"),
    },
)
STATES = Vocabulary(
    TriggerState,
    {
        TriggerState.WAITING: _("waits"),
        TriggerState.ENROLLED: _("has become a message"),
        TriggerState.REFUSED: _("has begun nothing"),
    },
)
REFUSALS = Vocabulary(
    TriggerRefusal,
    {
        TriggerRefusal.BEFORE_START: _("happened before the campaign began"),
        TriggerRefusal.TOO_LATE: _("became known too late"),
        TriggerRefusal.NOT_IN_SEGMENT: _("person not in the segment"),
        TriggerRefusal.EXCLUDED: _("person left out by an exclusion"),
        TriggerRefusal.GOAL_REACHED: _("person has reached the goal since"),
        TriggerRefusal.IN_EARLIER_RUN: _("person was written to before"),
        TriggerRefusal.SAME_PERSON: _("same person at the same time"),
        TriggerRefusal.CAMPAIGN_OVER: _("campaign was over"),
    },
)

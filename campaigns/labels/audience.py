"""How exclusions are read aloud."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.campaigns.course import StepCondition
from campaigns.domain.campaigns.exclusions import ExclusionReason
from loancrm.kernel.words.vocabulary import Vocabulary

EXCLUSION_REASONS = Vocabulary(
    ExclusionReason,
    {
        ExclusionReason.SEGMENT: _("In a segment that is left out"),
        ExclusionReason.MESSAGED: _("Got a message of a named campaign lately"),
        ExclusionReason.APPLIED: _("Applied lately"),
        ExclusionReason.CALLED: _("Was called lately"),
    },
)
STEP_CONDITIONS = Vocabulary(
    StepCondition,
    {
        StepCondition.EVERYBODY: _("everybody in the campaign"),
        StepCondition.NOT_CLICKED: _("who has clicked no link so far"),
        StepCondition.GOAL_NOT_REACHED: _("who has not reached the goal so far"),
    },
)

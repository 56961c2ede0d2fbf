"""How exclusions are read aloud."""

from django.utils.translation import gettext_lazy as _

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

"""How the answers of gates are read on the page that says why."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.evidence.gates import GateOutcome
from loancrm.kernel.words.vocabulary import Term, Vocabulary

GATE_OUTCOMES = Vocabulary(
    GateOutcome,
    {
        GateOutcome.PASSED: Term(_("passed"), tone="good"),
        GateOutcome.OBJECTED: Term(_("refused"), tone="bad"),
        GateOutcome.DEFERRED: Term(_("asked to wait"), tone="warn"),
        GateOutcome.HELD_OUT: Term(_("held back for comparison"), tone="busy"),
        GateOutcome.NOT_ASKED: _("not asked"),
    },
)

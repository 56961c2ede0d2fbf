"""How the answers of gates and the signs of machines are read on the page that says why."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.evidence.gates import GateOutcome
from campaigns.domain.receipts.visits import MachineSign
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
MACHINE_SIGNS = Vocabulary(
    MachineSign,
    {
        MachineSign.METHOD: _("asked for the address only"),
        MachineSign.AGENT: _("calls itself a program"),
        MachineSign.PREFETCH: _("loaded in advance"),
        MachineSign.BURST: _("opened many links at once"),
        MachineSign.TOO_SOON: _("came with the delivery"),
        MachineSign.SHARED_ADDRESS: _("went through many people's messages"),
    },
    unknown=_("marked as a machine's"),
)

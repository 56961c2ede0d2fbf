"""Words for the states of long work and for what can be asked of it."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from loancrm.kernel.manifest import WorkAction
from loancrm.kernel.models import RequestedAction, WorkState
from loancrm.kernel.words.vocabulary import Term, Vocabulary

STATES: Final = Vocabulary(
    WorkState,
    {
        WorkState.WAITING: Term(_("Waiting"), tone="busy"),
        WorkState.RUNNING: Term(_("Running"), tone="busy"),
        WorkState.PAUSED: Term(_("Paused"), tone="warn"),
        WorkState.DONE: Term(_("Done"), tone="good"),
        WorkState.FAILED: Term(_("Failed"), tone="bad"),
        WorkState.CANCELLED: Term(_("Cancelled"), tone="bad"),
    },
)
REQUESTED: Final = Vocabulary(
    RequestedAction,
    {
        RequestedAction.NONE: "",
        RequestedAction.PAUSE: _("will pause after the page at hand"),
        RequestedAction.CANCEL: _("will be cancelled after the page at hand"),
    },
)
ACTIONS: Final = Vocabulary(
    WorkAction,
    {
        WorkAction.PAUSE: _("Pause"),
        WorkAction.RESUME: _("Go on"),
        WorkAction.CANCEL: _("Cancel"),
        WorkAction.RETRY: _("Try again"),
    },
)

"""How signals, alerts and cases are read."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.domain.warning.cases import AlertEnd, CaseOutcome, CaseState
from analytics.domain.warning.rules import Severity, WarningAction
from analytics.domain.warning.signals import Signal
from loancrm.kernel.words.vocabulary import Term, Vocabulary

SIGNALS = Vocabulary(
    Signal,
    {
        Signal.FIRST_PAYMENT_MISSED: Term(
            gettext_lazy("First payment missed"),
            icon="event_busy",
            hint=gettext_lazy("The first instalment is not paid some days after it was due."),
        ),
        Signal.BUCKET_UP: Term(
            gettext_lazy("Further behind"),
            icon="trending_up",
            hint=gettext_lazy("A loan went into a worse bucket within the window."),
        ),
        Signal.PARTIAL_PAYMENTS: Term(
            gettext_lazy("Instalments paid in part"),
            icon="pie_chart",
            hint=gettext_lazy("So many instalments in a row were paid in part only."),
        ),
        Signal.UTILISATION_HIGH: Term(
            gettext_lazy("Credit limits used up"),
            icon="speed",
            hint=gettext_lazy(
                "Two bureau reports in a row are above the level, or use rose quickly."
            ),
        ),
        Signal.INQUIRIES_MANY: Term(
            gettext_lazy("Many inquiries"),
            icon="search",
            hint=gettext_lazy("The newest bureau report tells of many inquiries."),
        ),
        Signal.CONTACT_CHANGED: Term(
            gettext_lazy("New number, then silence"),
            icon="phone_disabled",
            hint=gettext_lazy("A number or address changed and the person is inactive since."),
        ),
        Signal.SALARY_STOPPED: Term(
            gettext_lazy("No salary any more"),
            icon="money_off",
            hint=gettext_lazy("Money came in every month, and then none."),
        ),
        Signal.SCORE_DROPPED: Term(
            gettext_lazy("Score fell"),
            icon="south",
            hint=gettext_lazy("A risk score fell by more than so many bands."),
        ),
        Signal.PARTNER_FIRST_DEFAULT: Term(
            gettext_lazy("Partner's first payments fail"),
            icon="handshake",
            hint=gettext_lazy(
                "More first payments of a partner's customers are missed than chance explains."
            ),
        ),
        Signal.SEGMENT_ARREARS: Term(
            gettext_lazy("Segment in arrears"),
            icon="group_remove",
            hint=gettext_lazy(
                "More loans of a segment are past due than chance explains, beside the whole book."
            ),
        ),
        Signal.SEGMENT_DRIFT: Term(
            gettext_lazy("Segment's scores move"),
            icon="moving",
            hint=gettext_lazy("The score bands of a segment are others than before (PSI)."),
        ),
    },
)
SEVERITIES = Vocabulary(
    Severity,
    {
        Severity.LOW: Term(gettext_lazy("Low")),
        Severity.MEDIUM: Term(gettext_lazy("Medium"), tone="warn"),
        Severity.HIGH: Term(gettext_lazy("High"), tone="bad"),
        Severity.CRITICAL: Term(gettext_lazy("Critical"), tone="bad"),
    },
)
ACTIONS = Vocabulary(
    WarningAction,
    {
        WarningAction.WATCH: gettext_lazy("Keep an eye on it"),
        WarningAction.REMIND: gettext_lazy("Remind of the payment"),
        WarningAction.STOP_MARKETING: gettext_lazy("Stop marketing"),
        WarningAction.OFFER_HELP: gettext_lazy("Offer to change the instalments"),
        WarningAction.LOWER_LIMIT: gettext_lazy("Look at the limit"),
        WarningAction.COLLECT: gettext_lazy("Hand over to collection"),
    },
)
CASE_STATES = Vocabulary(
    CaseState,
    {
        CaseState.OPEN: Term(gettext_lazy("To be looked at"), tone="warn"),
        CaseState.TAKEN: Term(gettext_lazy("In hand"), tone="busy"),
        CaseState.CLOSED: Term(gettext_lazy("Closed")),
    },
)
CASE_OUTCOMES = Vocabulary(
    CaseOutcome,
    {
        CaseOutcome.ACTED: gettext_lazy("Something was done"),
        CaseOutcome.FALSE_ALARM: gettext_lazy("False alarm"),
        CaseOutcome.ENDED: gettext_lazy("The cause went away by itself"),
        CaseOutcome.RULE_OFF: gettext_lazy("The rule was switched off"),
    },
)
ALERT_ENDS = Vocabulary(
    AlertEnd,
    {
        AlertEnd.GONE: gettext_lazy("The rule finds nothing any more"),
        AlertEnd.RULE_OFF: gettext_lazy("The rule was switched off"),
    },
)
_FINDINGS = {
    Signal.FIRST_PAYMENT_MISSED: gettext_lazy("The first instalment is %(days)s days late."),
    Signal.BUCKET_UP: gettext_lazy("%(days)s days past due, %(before)s when the window began."),
    Signal.PARTIAL_PAYMENTS: gettext_lazy("%(count)s instalments in a row were paid in part."),
    Signal.UTILISATION_HIGH: gettext_lazy("Limits are used to %(used)s, before to %(before)s."),
    Signal.INQUIRIES_MANY: gettext_lazy("%(count)s inquiries within 30 days."),
    Signal.CONTACT_CHANGED: gettext_lazy("Inactive for %(days)s days since the change."),
    Signal.SALARY_STOPPED: gettext_lazy("No money has come in for %(days)s days."),
    Signal.SCORE_DROPPED: gettext_lazy("The score is %(bands)s bands worse."),
    Signal.PARTNER_FIRST_DEFAULT: gettext_lazy(
        "%(bad)s of %(total)s first payments were missed; %(expected)s is usual."
    ),
    Signal.SEGMENT_ARREARS: gettext_lazy(
        "%(bad)s of %(total)s loans are past due; %(expected)s of the whole book."
    ),
    Signal.SEGMENT_DRIFT: gettext_lazy("PSI %(psi)s of the score %(model)s."),
}
_SHARES = frozenset({"used", "expected"})


def finding(signal: str, facts: Mapping[str, Any]) -> str:
    """Return what an alert found, in a sentence."""
    words = dict(facts)
    if signal == Signal.UTILISATION_HIGH:
        words["before"] = _share(facts["before"])
    words |= {name: _share(facts[name]) for name in _SHARES & facts.keys()}
    return str(_FINDINGS[Signal(signal)]) % words


def _share(value: Any) -> str:
    return f"{float(value):.1%}"


def rule_name(signal: str) -> str:
    """Return how a rule is called: as what it looks for."""
    return str(SIGNALS.label(signal)) or _("Rule")

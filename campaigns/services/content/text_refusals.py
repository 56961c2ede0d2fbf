"""Why a text is not sent as it stands."""

from django.utils.translation import gettext as _

from campaigns.domain.content.approval import ApprovedPart
from campaigns.domain.sending.states import HoldReason
from loancrm.kernel.errors import LoanCrmError


class RuleBroken(LoanCrmError):
    """One person's finished text would break a rule."""

    code = "rule_broken"


class ApprovalLapsed(LoanCrmError):
    """What would be sent is no longer what was approved; nobody is failed for it."""

    code = "approval_lapsed"

    def __init__(self, part: ApprovedPart) -> None:
        """Keep which part has changed, for the reason that people read."""
        super().__init__(_("Something changed after the approval."), part=part)
        self.hold_reason = HoldReason(f"changed_{part}")


class RulesForbid(LoanCrmError):
    """A rule in force forbids what would be sent; nobody is failed for it."""

    code = "rules_forbid"

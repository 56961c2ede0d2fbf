"""How what waits for a second person is called."""

from django.utils.translation import gettext_lazy

from analytics.domain.approvals import ApprovalKind
from loancrm.kernel.words.vocabulary import Vocabulary

APPROVAL_KINDS = Vocabulary(
    ApprovalKind,
    {
        ApprovalKind.CAMPAIGN: gettext_lazy("Campaign"),
        ApprovalKind.FAIRNESS: gettext_lazy("Fairness override"),
        ApprovalKind.EXPORT: gettext_lazy("Export"),
        ApprovalKind.MODEL: gettext_lazy("Model"),
        ApprovalKind.POLICY: gettext_lazy("Credit policy"),
    },
)

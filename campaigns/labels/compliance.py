"""Words of the rules: whom they bind, how strict they are, what a message is about."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.compliance.offers import ProductKind
from campaigns.domain.compliance.rules import LenderType, RuleSeverity
from loancrm.kernel.words.vocabulary import Term, Vocabulary

LENDER_TYPES = Vocabulary(
    LenderType,
    {
        LenderType.BANK: _("Bank"),
        LenderType.CONSUMER_FINANCE: _("Consumer finance company"),
        LenderType.MICRO_LENDER: _("Micro-lender"),
        LenderType.LOAN_ASSISTING: _("Loan-assisting platform"),
    },
)
RULE_SEVERITIES = Vocabulary(
    RuleSeverity,
    {
        RuleSeverity.BLOCK: Term(_("stops it"), icon="block"),
        RuleSeverity.WARN: Term(_("warns"), icon="warning"),
    },
)
PRODUCT_KINDS = Vocabulary(
    ProductKind,
    {
        ProductKind.CREDIT_OFFER: _("Offer of credit"),
        ProductKind.SERVICE: _("Service"),
    },
)

"""Credit decisions as the lender's own systems read them: outcome, reasons, limit and price."""

from datetime import datetime

from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.domain.credit.policy import DecisionOutcome, DecisionReason
from analytics.domain.credit.reviewing import ReviewKind
from analytics.labels.credit import REASONS
from analytics.models import CreditDecision
from campaigns.models import Partner
from campaigns.services.partners import own_systems
from loancrm.api.pagination import CURSOR_PARAMETERS, page_of
from loancrm.api.views import PartnerView


class DecisionReasonOut(Struct, frozen=True):
    """Why the policy decided so; `text` is in the language of the request."""

    code: DecisionReason
    text: str


class CreditTermsOut(Struct, frozen=True):
    """How much is lent and at what price; amounts are text, the rate is a fraction a year."""

    band: str
    annual_rate: str
    limit_amount: str


class CreditDecisionOut(Struct, frozen=True):
    """One decision.

    `outcome` is what holds: `review` until a person has decided. `reasons` are the policy's, also
    where a person has decided otherwise since. `terms` stand wherever credit is granted.
    """

    source: str
    application: str
    outcome: DecisionOutcome
    policy_outcome: DecisionOutcome
    is_contested: bool
    reasons: list[DecisionReasonOut]
    terms: CreditTermsOut | None
    policy_version: int
    decided_at: datetime


class CreditDecisionPage(Struct, frozen=True):
    """One page, newest first; `next_cursor` is null on the last."""

    results: list[CreditDecisionOut]
    next_cursor: str | None


class CreditDecisionsView(PartnerView):
    """Decisions about applications."""

    required_scopes = ["decisions:read"]
    partner: Partner

    @extend_schema(
        operation_id="list_credit_decisions",
        parameters=[
            *CURSOR_PARAMETERS,
            OpenApiParameter("source", str, description="Source of the application."),
            OpenApiParameter("application", str, description="The application's id in its source."),
        ],
        responses={200: CreditDecisionPage},
    )
    def get(self, request: Request) -> Response:
        """List decisions, the newest first; those of one source or application where it is named.

        What a person settles later stays at its place: ask for it by its application.
        """
        own_systems.require_own_system(self.partner)
        rows = CreditDecision.objects.select_related("application", "policy")
        for name, column in (("source", "source"), ("application", "external_id")):
            if value := request.query_params.get(name):
                rows = rows.filter(**{f"application__{column}": value.replace("\x00", "")})
        found, following = page_of(rows.prefetch_related("reviews"), request)
        return Response(
            CreditDecisionPage(results=[_decision(row) for row in found], next_cursor=following)
        )


def _decision(row: CreditDecision) -> CreditDecisionOut:
    terms = None
    if row.final_rate is not None and row.final_limit_amount is not None:
        terms = CreditTermsOut(
            row.final_band, format(row.final_rate.normalize(), "f"), f"{row.final_limit_amount:.2f}"
        )
    return CreditDecisionOut(
        source=row.application.source,
        application=row.application.external_id,
        outcome=DecisionOutcome(row.final_outcome or row.outcome),
        policy_outcome=DecisionOutcome(row.outcome),
        is_contested=any(
            review.kind == ReviewKind.CONTEST and review.reviewed_at is None
            for review in row.reviews.all()
        ),
        reasons=[
            DecisionReasonOut(DecisionReason(code), str(REASONS.label(code)))
            for code in row.reasons
        ],
        terms=terms,
        policy_version=row.policy.number,
        decided_at=row.decided_at,
    )

"""Segments that are shared with a partner: listed and counted, never their members."""

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Segment
from customers.selectors.segments import preview, references
from customers.selectors.segments.preview import PreviewTooSlow
from customers.selectors.segments.references import SegmentRuleInvalid
from customers.services.segments import versions
from loancrm.api.pagination import CURSOR_PARAMETERS, page_of
from loancrm.api.sharing import shared_with
from loancrm.api.views import PartnerView
from loancrm.kernel import clock
from loancrm.kernel.errors import LoanCrmError

PERMISSION = "customers.view_segment"


class SegmentNotFound(LoanCrmError):
    """No such segment is shared with the partner."""

    code = "segment_not_found"


class SegmentNotCountable(LoanCrmError):
    """The segment's rule no longer fits the catalogue, or counting took too long."""

    code = "segment_not_countable"


class SegmentOut(Struct, frozen=True):
    """A shared segment; `id` is its short name."""

    id: str
    name: str
    description: str


class SegmentPage(Struct, frozen=True):
    """One page; `next_cursor` is null on the last."""

    results: list[SegmentOut]
    next_cursor: str | None


class SegmentCount(Struct, frozen=True):
    """How many customers are in a segment now.

    A count below `threshold` is not told, because it could be about a single person: `count` is
    then null and `is_below_threshold` true. An empty segment is counted as 0.
    """

    id: str
    count: int | None
    is_below_threshold: bool
    threshold: int
    as_of: datetime


class SegmentsView(PartnerView):
    """The segments shared with the partner."""

    required_scopes = ["segments:read"]

    @extend_schema(
        operation_id="list_segments", parameters=CURSOR_PARAMETERS, responses={200: SegmentPage}
    )
    def get(self, request: Request) -> Response:
        """List shared segments, the newest first."""
        rows, following = page_of(
            shared_with(request.user, PERMISSION, Segment.objects.all()), request
        )
        found = [SegmentOut(row.slug, row.name, row.description) for row in rows]
        return Response(SegmentPage(results=found, next_cursor=following))


class SegmentCountView(PartnerView):
    """The size of one shared segment."""

    required_scopes = ["segments:read"]

    @extend_schema(operation_id="count_segment", responses={200: SegmentCount})
    def get(self, request: Request, segment_id: str) -> Response:
        """Count a shared segment now; one that is not shared does not exist."""
        shared = shared_with(request.user, PERMISSION, Segment.objects.filter(slug=segment_id))
        segment = shared.select_related("current_version").first()
        if segment is None:
            raise SegmentNotFound(_("No such segment is shared with you."))
        now = clock.now()
        total = _count(segment, now)
        threshold = settings.LOANCRM_API_SMALLEST_GROUP
        is_small = 0 < total < threshold
        return Response(
            SegmentCount(
                id=segment.slug,
                count=None if is_small else total,
                is_below_threshold=is_small,
                threshold=threshold,
                as_of=now,
            )
        )


def _count(segment: Segment, now: datetime) -> int:
    rule = versions.rule_of(segment)
    if rule is None:
        return 0
    try:
        tree, scope = references.load_rule(rule, now=now, zone=clock.company_zone())
        return preview.count(tree, scope)
    except (SegmentRuleInvalid, PreviewTooSlow) as error:
        # What is wrong with the rule is the lender's business.
        raise SegmentNotCountable(
            _("The segment cannot be counted now."), slug=segment.slug, cause=error.code
        ) from error

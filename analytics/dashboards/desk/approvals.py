"""What waits for its reader's decision, in one list."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.domain.approvals import ApprovalKind
from analytics.labels.desk import APPROVAL_KINDS
from analytics.selectors.desk import approvals
from analytics.selectors.desk.approvals import WaitingApproval
from customers import labels as customer_labels
from loancrm import admin_pages

_PAGES = {
    ApprovalKind.CAMPAIGN: "admin:campaigns_campaign_change",
    ApprovalKind.FAIRNESS: "admin:campaigns_campaign_change",
    ApprovalKind.EXPORT: "admin:customers_segmentexport_change",
    ApprovalKind.MODEL: "models:version",
    ApprovalKind.POLICY: "admin:analytics_policyversion_change",
}


def index(request: HttpRequest) -> HttpResponse:
    """List what the reader may decide.

    Raises:
        PermissionDenied: She may decide nothing.
    """
    user = admin_pages.actor_of(request).user
    if user is None or not approvals.kinds_of(user):
        raise PermissionDenied
    return admin_pages.page(
        request,
        "analytics/desk/approvals.html",
        title=pgettext("menu", "Approvals"),
        rows=rows_of(user),
    )


def waiting_count(request: HttpRequest) -> int:
    """Return the badge of the menu's line: how much waits for the reader."""
    user = admin_pages.actor_of(request).user
    return 0 if user is None else approvals.count(user)


def rows_of(user: User) -> Sequence[dict[str, Any]]:
    """Return what waits for a person, as pages show it."""
    return [
        {
            "kind": APPROVAL_KINDS.label(one.kind),
            "name": _name(one),
            "by": one.by,
            "since": one.since,
            "url": reverse(_PAGES[one.kind], args=[one.key]),
        }
        for one in approvals.waiting(user)
    ]


def _name(one: WaitingApproval) -> str:
    name = customer_labels.score_model(one.name) if one.kind is ApprovalKind.MODEL else one.name
    if not one.number:
        return name
    number = _("version %(number)s") % {"number": one.number}
    return f"{name}, {number}" if name else number

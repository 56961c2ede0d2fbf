"""The alerts about one person, as a piece of the person's page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from analytics.labels.warning import CASE_STATES, SEVERITIES, finding, rule_name
from analytics.selectors.warning.rule_terms import stops_marketing
from analytics.selectors.warning.timeline import alerts_of
from customers.models import Customer
from loancrm import admin_pages

VIEW = "analytics.view_riskcase"
ALERTS_SHOWN = 20


@require_GET
def alerts(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Show what rules found about a person: what lasts first, then the newest."""
    person = get_object_or_404(Customer, pk=customer_id)
    admin_pages.require(request, VIEW)
    admin_pages.require(request, "customers.view_customer", person)
    rows = list(
        alerts_of(person.pk)
        .select_related("rule", "case")
        .order_by("-opened_at", "-pk")[: ALERTS_SHOWN + 1]
    )
    shown = sorted(rows[:ALERTS_SHOWN], key=lambda row: row.ended_at is not None)
    return render(
        request,
        "analytics/warning/customer.html",
        {
            "rows": [
                {
                    "name": rule_name(row.rule.signal),
                    "finding": finding(row.rule.signal, row.facts),
                    "severity": SEVERITIES.term(row.severity),
                    "state": CASE_STATES.term(row.case.state),
                    "opened_at": row.opened_at,
                    "ended_at": row.ended_at,
                    "url": reverse("warning:case", args=[row.case.pk]),
                }
                for row in shown
            ],
            "stops": any(row.ended_at is None and stops_marketing(row) for row in shown),
            "has_more": len(rows) > ALERTS_SHOWN,
            "most": ALERTS_SHOWN,
        },
    )

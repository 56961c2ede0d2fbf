"""Addresses of reports."""

from django.urls import path

from analytics.api import decisions, views

urlpatterns = [
    path("credit-decisions", decisions.CreditDecisionsView.as_view(), name="credit-decisions"),
    path(
        "campaigns/<slug:campaign_id>/report",
        views.CampaignReportView.as_view(),
        name="campaign-report",
    ),
]

"""Addresses of reports."""

from django.urls import path

from analytics.api import views

urlpatterns = [
    path(
        "campaigns/<slug:campaign_id>/report",
        views.CampaignReportView.as_view(),
        name="campaign-report",
    ),
]

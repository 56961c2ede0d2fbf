"""Addresses of decisions and policies, inside the admin's frame and behind its sign-in."""

from django.contrib import admin
from django.urls import path

from analytics.dashboards.credit import decisions, policies

app_name = "credit"
urlpatterns = [
    path(
        "decisions/<int:decision_id>/",
        admin.site.admin_view(decisions.decision),
        name="decision",
    ),
    path("policies/new/", admin.site.admin_view(policies.propose), name="propose"),
    path("policies/<int:policy_id>/", admin.site.admin_view(policies.offers), name="offers"),
]

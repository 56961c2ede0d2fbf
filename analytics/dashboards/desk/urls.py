"""Addresses of the desk, inside the admin's frame and behind its sign-in."""

from django.contrib import admin
from django.urls import path

from analytics.dashboards.desk import approvals

app_name = "desk"
urlpatterns = [
    path("approvals/", admin.site.admin_view(approvals.index), name="approvals"),
]

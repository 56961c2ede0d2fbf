"""Addresses of the reports, inside the admin's frame and behind its sign-in."""

from django.contrib import admin
from django.urls import path

from analytics.dashboards import report

app_name = "reports"
urlpatterns = [
    path("", admin.site.admin_view(report.index), name="index"),
    path("<slug:slug>/", admin.site.admin_view(report.campaign), name="campaign"),
]

"""Addresses of targeting, inside the admin's frame and behind its sign-in."""

from django.contrib import admin
from django.urls import path

from analytics.dashboards.targeting import pages

app_name = "targeting"
_wrap = admin.site.admin_view
urlpatterns = [
    path("", _wrap(pages.index), name="index"),
    path("new/", _wrap(pages.whom), name="whom"),
    path("new/what/", _wrap(pages.what), name="what"),
    path("new/how-much/", _wrap(pages.how_much), name="how_much"),
    path("<int:run_id>/", _wrap(pages.show), name="run"),
]

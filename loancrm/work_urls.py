"""Addresses of the page of long work, inside the admin's frame and behind its sign-in."""

from django.contrib import admin
from django.urls import path

from loancrm import work_pages

app_name = "work"
_wrap = admin.site.admin_view
urlpatterns = [
    path("", _wrap(work_pages.index), name="index"),
    path("<int:work_id>/<slug:action>/", _wrap(work_pages.steer), name="steer"),
]

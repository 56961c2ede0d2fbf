"""Addresses of the calendar, inside the admin's frame and behind its sign-in."""

from django.contrib import admin
from django.urls import path

from campaigns.admin.calendar import page

app_name = "calendar"
urlpatterns = [path("", admin.site.admin_view(page.index), name="index")]

"""Addresses of the searches for segments, inside the admin's frame and behind its sign-in."""

from django.contrib import admin
from django.urls import path

from analytics.dashboards import discoveries

app_name = "discoveries"
_wrap = admin.site.admin_view
urlpatterns = [
    path("", _wrap(discoveries.index), name="index"),
    path("<int:run_id>/", _wrap(discoveries.show), name="run"),
    path("<int:run_id>/segment/", _wrap(discoveries.make_segment), name="make_segment"),
    path("new/<slug:method>/", _wrap(discoveries.start), name="start"),
]

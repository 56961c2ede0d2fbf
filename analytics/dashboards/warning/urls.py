"""Addresses of early warning, inside the admin's frame and behind its sign-in."""

from django.contrib import admin
from django.urls import path

from analytics.dashboards.warning import customer, pages, replays

app_name = "warning"
_wrap = admin.site.admin_view
urlpatterns = [
    path("", _wrap(pages.index), name="index"),
    path("rules/", _wrap(pages.rule_list), name="rules"),
    path("rules/<str:rule_id>/", _wrap(pages.rule), name="rule"),
    path("replays/", _wrap(replays.index), name="replays"),
    path("replays/<str:replay_id>/", _wrap(replays.show), name="replay"),
    path("customers/<int:customer_id>/", _wrap(customer.alerts), name="customer"),
    path("<str:case_id>/", _wrap(pages.show), name="case"),
    path("<str:case_id>/take/", _wrap(pages.take), name="take"),
    path("<str:case_id>/close/", _wrap(pages.close), name="close"),
]

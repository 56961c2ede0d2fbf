"""Addresses of the public pages."""

from django.urls import path

from campaigns.pages import preference_centre, tracking, unsubscribe, webhooks

app_name = "pages"
urlpatterns = [
    path("t/<str:token>/", tracking.follow, name="follow"),
    path("u/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("p/<str:token>/", preference_centre.preferences_page, name="preferences"),
    path("hooks/<slug:channel>/", webhooks.receive, name="webhook"),
]

"""Addresses of the public pages."""

from django.urls import path

from campaigns.pages import tracking, unsubscribe, webhooks

app_name = "pages"
urlpatterns = [
    path("t/<str:token>/", tracking.follow, name="follow"),
    path("u/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("hooks/<slug:channel>/", webhooks.receive, name="webhook"),
]

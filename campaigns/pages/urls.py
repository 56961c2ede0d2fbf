"""Addresses of the public pages."""

from django.urls import path

from campaigns.pages import (
    confirmation,
    lead_form,
    preference_centre,
    tracking,
    unsubscribe,
    webhooks,
)

app_name = "pages"
urlpatterns = [
    path("t/<str:token>/", tracking.follow, name="follow"),
    path("u/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("p/<str:token>/", preference_centre.preferences_page, name="preferences"),
    path("c/<str:token>/", confirmation.confirm, name="confirm"),
    path("enquiry/", lead_form.enquiry, name="enquiry"),
    path("hooks/<slug:channel>/", webhooks.receive, name="webhook"),
]

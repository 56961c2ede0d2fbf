"""Addresses of the public pages."""

from django.urls import path, re_path

from campaigns.pages import (
    confirmation,
    lead_form,
    preference_centre,
    tracking,
    unsubscribe,
    webhooks,
)

app_name = "pages"


def _token(letter: str) -> str:
    """Return the pattern of a page behind a signed link.

    Telephones run a link on into the Chinese words and brackets after it; what follows the token is
    therefore left alone, or the click, or somebody's refusal, would be lost.
    """
    return rf"^{letter}/(?P<token>[^/]+)/(?:.*)$"


urlpatterns = [
    re_path(_token("t"), tracking.follow, name="follow"),
    re_path(_token("u"), unsubscribe.unsubscribe, name="unsubscribe"),
    re_path(_token("p"), preference_centre.preferences_page, name="preferences"),
    re_path(_token("c"), confirmation.confirm, name="confirm"),
    path("enquiry/", lead_form.enquiry, name="enquiry"),
    path("hooks/<slug:channel>/", webhooks.receive, name="webhook"),
]

"""Addresses of the page that says why somebody got a message, or none."""

from django.contrib import admin
from django.urls import path

from campaigns.admin.evidence import why_page

app_name = "why"
urlpatterns = [
    path("campaign/<int:pk>/", admin.site.admin_view(why_page.look_up), name="find"),
    path(
        "campaign/<int:pk>/<int:customer_id>/",
        admin.site.admin_view(why_page.why),
        name="person",
    ),
    path("message/<int:message_id>/", admin.site.admin_view(why_page.why_message), name="message"),
    path("text/<int:text_id>/", admin.site.admin_view(why_page.text), name="text"),
]

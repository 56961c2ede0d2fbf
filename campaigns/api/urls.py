"""Addresses of leads, events, conversions and campaigns."""

from django.urls import path

from campaigns.api import credit, messages, timeline, triggers, views

urlpatterns = [
    path("leads", views.LeadsView.as_view(), name="leads"),
    path("leads/bulk", views.LeadsBulkView.as_view(), name="leads-bulk"),
    path("leads/<uuid:lead_id>", views.LeadView.as_view(), name="lead"),
    path("events", views.EventsView.as_view(), name="events"),
    path("events/bulk", views.EventsBulkView.as_view(), name="events-bulk"),
    path("conversions", views.ConversionsView.as_view(), name="conversions"),
    path(
        "customers/<uuid:public_id>/timeline",
        timeline.CustomerTimelineView.as_view(),
        name="customer-timeline",
    ),
    path("credit-facts", credit.CreditFactsView.as_view(), name="credit-facts"),
    path("messages", messages.MessagesView.as_view(), name="messages"),
    path(
        "messages/<uuid:request_id>",
        messages.MessageRequestView.as_view(),
        name="message-request",
    ),
    path(
        "campaigns/<slug:slug>/triggers",
        triggers.TriggersView.as_view(),
        name="campaign-triggers",
    ),
    path("campaigns", views.CampaignsView.as_view(), name="campaigns"),
]

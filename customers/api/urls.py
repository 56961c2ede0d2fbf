"""Addresses of segments."""

from django.urls import path

from customers.api import views

urlpatterns = [
    path("segments", views.SegmentsView.as_view(), name="segments"),
    path(
        "segments/<slug:segment_id>/count", views.SegmentCountView.as_view(), name="segment-count"
    ),
]

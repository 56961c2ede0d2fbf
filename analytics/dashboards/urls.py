"""Addresses of the reports, inside the admin's frame and behind its sign-in."""

from django.contrib import admin
from django.urls import path

from analytics.dashboards import global_control, loan_book, report
from analytics.dashboards.credit import acceptance, book, book_loans
from analytics.dashboards.lifetime import borrowers

app_name = "reports"
urlpatterns = [
    path("", admin.site.admin_view(report.index), name="index"),
    # Two parts: no campaign's report has such an address.
    path("loans/book/", admin.site.admin_view(loan_book.page), name="loan_book"),
    path("control/periods/", admin.site.admin_view(global_control.page), name="global_control"),
    path("loans/vintages/", admin.site.admin_view(book.vintage_page), name="vintages"),
    path("loans/rolls/", admin.site.admin_view(book.roll_page), name="rolls"),
    path("loans/stages/", admin.site.admin_view(book.stage_page), name="stages"),
    path("loans/acceptance/", admin.site.admin_view(acceptance.page), name="acceptance"),
    path("loans/borrowers/", admin.site.admin_view(borrowers.page), name="borrowers"),
    path("loans/list/", admin.site.admin_view(book_loans.page), name="book_loans"),
    path("brief/<int:pk>/", admin.site.admin_view(report.brief), name="brief"),
    path("<slug:slug>/", admin.site.admin_view(report.campaign), name="campaign"),
]

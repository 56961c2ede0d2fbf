"""One include per app."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from loancrm.api.views import UnknownAddressView

partner_api: list[URLPattern | URLResolver] = [
    path("", include("loancrm.api.urls")),
    path("", include("customers.api.urls")),
    path("", include("campaigns.api.urls")),
    path("", include("analytics.api.urls")),
    re_path("", UnknownAddressView.as_view()),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/reports/", include("analytics.dashboards.urls")),
    path("admin/discoveries/", include("analytics.dashboards.discovery_urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include((partner_api, "api"))),
    path("", include("campaigns.pages.urls")),
]

handler400 = "loancrm.refusals.bad_request"
handler403 = "loancrm.refusals.forbidden"
handler404 = "loancrm.refusals.not_found"
handler500 = "loancrm.refusals.failed"

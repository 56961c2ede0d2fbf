"""The addresses that the apps' manifests name."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from loancrm.api.views import UnknownAddressView

manifests = settings.LOANCRM_MANIFESTS
partner_api: list[URLPattern | URLResolver] = [
    *(path("", include(module)) for module in manifests.api_urls),
    re_path("", UnknownAddressView.as_view()),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("i18n/", include("django.conf.urls.i18n")),
    *(path(f"admin/{pages.prefix}", include(pages.urls)) for pages in manifests.admin_pages),
    path("admin/", admin.site.urls),
    path("api/v1/", include((partner_api, "api"))),
    *(path("", include(module)) for module in manifests.page_urls),
]

handler400 = "loancrm.refusals.bad_request"
handler403 = "loancrm.refusals.forbidden"
handler404 = "loancrm.refusals.not_found"
handler500 = "loancrm.refusals.failed"

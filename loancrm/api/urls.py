"""What the API answers beside the apps' own end points: tokens, the schema, its pages."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from loancrm.api.tokens import RevokeTokenView, TokenView

urlpatterns = [
    path("oauth/token/", TokenView.as_view(), name="oauth-token"),
    path("oauth/revoke/", RevokeTokenView.as_view(), name="oauth-revoke"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(
            # Its pages have no template for anything else.
            url_name="api:schema",
            http_method_names=["get", "head"],
        ),
        name="docs",
    ),
]

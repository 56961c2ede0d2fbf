"""Settings of the partners' API."""

from typing import Any

from loancrm.settings.manifests import COLLECTED

API_PREFIX = "/api/v1/"

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["loancrm.api.auth.PartnerTokenAuthentication"],
    # A view that names no scope refuses everybody: nothing is public by omission.
    "DEFAULT_PERMISSION_CLASSES": ["loancrm.api.auth.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["loancrm.api.throttling.PartnerThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["loancrm.api.rendering.StructRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "loancrm.api.schema.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "loancrm.api.errors.problem_of_exception",
}

# Requests a minute. A partner's own limit (Partner.requests_per_minute) wins over the default.
LOANCRM_API_LIMITS: dict[str, int] = {
    "partner": 600,
    "tokens_per_client": 30,
    "refused_clients_per_address": 30,
    "refused_tokens_per_address": 60,
}
# The API stands below the apps; this function tells it which partner a service user belongs to.
LOANCRM_PARTNER_LOOKUP = "campaigns.services.partners.contracts.active_partner_of"
LOANCRM_API_BODY_BYTES = 2_500_000
# A count or rate about fewer people than this is not told to partners.
LOANCRM_API_SMALLEST_GROUP = 10

OAUTH2_PROVIDER: dict[str, Any] = {
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "OAUTH2_VALIDATOR_CLASS": "loancrm.api.validator.PartnerValidator",
    "SCOPES_BACKEND_CLASS": "campaigns.api.scopes.PartnerScopes",
    "SCOPES": COLLECTED.scopes,
    "DEFAULT_SCOPES": [],
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    # The secret is 128 random characters: a slow hash would only make the token end point a way to
    # burn the server's CPU.
    "CLIENT_SECRET_HASHER": "client-secret",
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["client_credentials"],
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": [],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "loancrm partner API",
    "DESCRIPTION": (
        "Partners hand in leads, report events and conversions, and read what is shared with them. "
        "Every error is an RFC 9457 problem document with a stable `code`."
    ),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    # The schema is the same for everybody and holds no data: documents are public.
    "SERVE_PUBLIC": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "OAUTH2_FLOWS": ["clientCredentials"],
    "OAUTH2_TOKEN_URL": f"{API_PREFIX}oauth/token/",
    "OAUTH2_SCOPES": {name: str(name) for name in COLLECTED.scopes},
    "POSTPROCESSING_HOOKS": [],
    "PREPROCESSING_HOOKS": ["loancrm.api.schema.only_partner_endpoints"],
    "DISABLE_ERRORS_AND_WARNINGS": False,
}

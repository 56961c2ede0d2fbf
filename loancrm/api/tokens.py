"""The token end points: client credentials in, a bearer token for one hour out (RFC 6749, 7009)."""

import base64
import hashlib
import json
from typing import Annotated, Any, Final
from urllib.parse import unquote

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from drf_spectacular.utils import extend_schema
from oauth2_provider.models import AccessToken
from oauth2_provider.views.mixins import OAuthLibMixin
from rest_framework.exceptions import Throttled
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from loancrm.api import throttling
from loancrm.api.errors import problem_response, problems
from loancrm.api.rendering import JSON_TYPE

_UNREADABLE: Final = '{"error": "invalid_request"}'


class TokenRequest(msgspec.Struct):
    """Credentials go here or, better, into HTTP Basic authentication."""

    grant_type: Annotated[str, msgspec.Meta(pattern="^client_credentials$")]
    scope: str = ""
    """Scopes separated by blanks; without it, everything that is granted to the client."""
    client_id: str = ""
    client_secret: str = ""


class Token(msgspec.Struct):
    """A bearer token; `expires_in` is in seconds."""

    access_token: str
    expires_in: int
    token_type: str
    scope: str


class RevocationRequest(msgspec.Struct):
    """The token to revoke."""

    token: str
    token_type_hint: str = "access_token"  # noqa: S105 - the name of a kind of token
    client_id: str = ""
    client_secret: str = ""


class _OAuthView(OAuthLibMixin, APIView):  # type: ignore[misc]  # untyped library
    """Speaks OAuth inside and problem documents outside."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    # Nobody is proven yet: refused credentials are counted below, and tokens by client.
    throttle_classes = ()
    parser_classes = (FormParser,)

    def _answer(
        self, request: Request, headers: dict[str, str], body: str | None, status: int
    ) -> HttpResponse:
        if status < 400:
            response = HttpResponse(body or "", status=status, content_type=JSON_TYPE)
            for name, value in headers.items():
                response[name] = value
            return response
        throttling.refuse_guessing(request, "refused-client", "refused_clients_per_address")
        fault: dict[str, Any] = json.loads(body or "{}")
        code: str = fault.get("error", "")
        if code not in problems():
            code = "invalid_request"
        detail = _("The token request was refused.")
        kept = {"Cache-Control": "no-store", "Pragma": "no-cache"}
        if challenge := headers.get("WWW-Authenticate"):
            kept["WWW-Authenticate"] = challenge
        return problem_response(code, detail, headers=kept, oauth_fault=fault)


@method_decorator(sensitive_post_parameters("client_secret"), name="dispatch")
class TokenView(_OAuthView):
    """Hands out tokens."""

    @extend_schema(
        operation_id="oauth_token",
        request={"application/x-www-form-urlencoded": TokenRequest},
        responses={200: Token},
        auth=[],
    )
    def post(self, request: Request) -> HttpResponse:
        """Get a bearer token with client credentials."""
        plain = request._request  # noqa: SLF001 - DRF's documented wrapper
        if _holds_nul(plain):
            return self._answer(request, {}, _UNREADABLE, 400)
        __, headers, body, status = self.create_token_response(plain)
        if status < 400:
            _count(json.loads(body)["access_token"])
        return self._answer(request, headers, body, status)


@method_decorator(sensitive_post_parameters("client_secret", "token"), name="dispatch")
class RevokeTokenView(_OAuthView):
    """Ends tokens."""

    @extend_schema(
        operation_id="oauth_revoke",
        request={"application/x-www-form-urlencoded": RevocationRequest},
        responses={200: None},
        auth=[],
    )
    def post(self, request: Request) -> HttpResponse:
        """Revoke a token of this client; an unknown token is no error (RFC 7009)."""
        plain = request._request  # noqa: SLF001 - DRF's documented wrapper
        if _holds_nul(plain):
            return self._answer(request, {}, _UNREADABLE, 400)
        __, headers, body, status = self.create_revocation_response(plain)
        return self._answer(request, headers, body, status)


def _holds_nul(request: HttpRequest) -> bool:
    """Return whether a request asks for what PostgreSQL cannot even look up."""
    said = [text for name in request.POST for text in (name, *request.POST.getlist(name))]
    scheme, _blank, word = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            said.append(unquote(base64.b64decode(word, validate=False).decode("utf-8", "replace")))
        except ValueError:
            return False
    return any("\x00" in text for text in said)


def _count(secret: str) -> None:
    """Count a token for its client; one too many is withdrawn before anybody has seen it."""
    checksum = hashlib.sha256(secret.encode()).hexdigest()
    token = AccessToken.objects.get(token_checksum=checksum)
    try:
        throttling.refuse_many_tokens(token.application_id)
    except Throttled:
        token.delete()
        raise

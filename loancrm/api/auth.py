"""Partners' credentials: secrets hashed fast, tokens checked, scopes enforced."""

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from django.contrib.auth.hashers import BasePasswordHasher, must_update_salt
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from oauth2_provider.contrib.rest_framework import OAuth2Authentication, TokenHasScope
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from loancrm.api import throttling

if TYPE_CHECKING:
    # DRF's views read the settings that name this module, so it cannot import them.
    from rest_framework.views import APIView

SECRET_CHARACTERS = 48


class ClientSecretHasher(BasePasswordHasher):
    """Salted SHA-256 for secrets that are random and long.

    Key stretching protects guessable passwords; a secret of 384 random bits has nothing to protect
    it from, and one PBKDF2 check costs half a second of CPU (measured: 0.54 s against 5 µs).
    """

    algorithm = "client-secret"

    def encode(self, password: str, salt: str) -> str:
        """Return `algorithm$salt$digest`."""
        digest = hashlib.sha256(f"{salt}${password}".encode()).hexdigest()
        return f"{self.algorithm}${salt}${digest}"

    def decode(self, encoded: str) -> dict[str, Any]:
        """Return the parts of a stored hash."""
        algorithm, salt, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether the secret is the one that was hashed, in constant time."""
        return constant_time_compare(encoded, self.encode(password, self.decode(encoded)["salt"]))

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        """Return what may be shown of a stored hash."""
        return {_("algorithm"): self.algorithm}

    def must_update(self, encoded: str) -> bool:
        """Return whether the salt is too short by today's measure."""
        return bool(must_update_salt(self.decode(encoded)["salt"], self.salt_entropy))

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing: there are no rounds to make up for."""


def new_client_secret() -> str:
    """Return a random secret; only its hash is ever stored."""
    return secrets.token_urlsafe(SECRET_CHARACTERS)


class PartnerTokenAuthentication(OAuth2Authentication):  # type: ignore[misc]  # untyped library
    """Bearer tokens of partners; the request acts as the service user of the client."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return (service user, token), or None when no bearer token was sent.

        Raises:
            AuthenticationFailed: The token is unknown, expired or revoked, or its partner is
                switched off.
        """
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        # The library reads form bodies; it gets the plain request so that DRF does not parse the
        # JSON of a bulk call a second time.
        granted = super().authenticate(request._request)  # noqa: SLF001 - DRF's documented wrapper
        user = None
        if granted is not None:
            application = granted[1].application
            user = granted[0] or (application.user if application else None)
        if granted is None or user is None or not user.is_active:
            throttling.refuse_guessing(request, "refused-token", "refused_tokens_per_address")
            raise AuthenticationFailed(
                _("The access token is unknown, expired or revoked."), code="invalid_token"
            )
        return user, granted[1]


class HasScope(TokenHasScope):  # type: ignore[misc]  # untyped library
    """The token must carry the scopes that the view names; a view that names none refuses all."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Return whether the token carries the scopes of the view."""
        if request.auth is None or not self.get_scopes(request, view):
            return False
        return bool(super().has_permission(request, view))

    def get_scopes(self, request: Request, view: "APIView") -> list[str]:
        """Return the scopes that the method at hand needs."""
        return list(getattr(view, "required_scopes", []))

"""The one rule that the OAuth library leaves open: a token is good for something, or not given."""

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator


class PartnerValidator(OAuth2Validator):  # type: ignore[misc]  # untyped library
    """Checks token requests of partners' clients."""

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Any, request: Any, *args: Any, **kw: Any
    ) -> bool:
        """Return whether there is a scope and every one is granted to the client's partner."""
        return bool(scopes) and bool(
            super().validate_scopes(client_id, scopes, client, request, *args, **kw)
        )

"""The OpenAPI document: structs as components, problem documents as every error."""

from typing import Any

import msgspec
from django.conf import settings
from drf_spectacular.contrib.django_oauth_toolkit import DjangoOAuthToolkitScheme
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction

from loancrm.api.errors import PROBLEM_TYPE, Problem

_REFERENCE = "#/components/schemas/{name}"


class StructExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # library
    """Writes msgspec structs as components."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        """Return the name of the struct."""
        return str(self.target.__name__)

    def get_identity(self, auto_schema: AutoSchema, direction: Direction) -> str:
        """Return the name, under which structs met inside others are registered as well."""
        return self.get_name(auto_schema, direction)

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """Return the struct's JSON schema; nested structs become components of their own."""
        __, components = msgspec.json.schema_components([self.target], ref_template=_REFERENCE)
        own: dict[str, Any] = components.pop(self.target.__name__)
        for name, schema in components.items():
            nested = ResolvedComponent(  # type: ignore[no-untyped-call]  # library
                name=name, type=ResolvedComponent.SCHEMA, object=name, schema=schema
            )
            auto_schema.registry.register_on_missing(nested)
        return own


class PartnerTokenScheme(DjangoOAuthToolkitScheme):  # type: ignore[no-untyped-call]  # library
    """Describes the bearer tokens of partners."""

    target_class = "loancrm.api.auth.PartnerTokenAuthentication"
    name = "oauth2"


class ProblemAutoSchema(AutoSchema):
    """Adds to every operation the problems that any request can meet."""

    def get_tags(self) -> list[str]:
        """Return the first part of the path: leads, events, segments."""
        return [self.path.removeprefix(settings.API_PREFIX).split("/")[0]]

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        component = self.resolve_serializer(Problem, direction)  # type: ignore[arg-type]  # StructExtension
        content = {PROBLEM_TYPE: {"schema": component.ref}}
        for status, description in _problems_of(self.method, self.path).items():
            bodies.setdefault(status, {"description": description, "content": content})
        return bodies


def _problems_of(method: str, path: str) -> dict[str, str]:
    problems = {
        "400": "The request cannot be read",
        "401": "No valid credentials",
        "403": "The token lacks a scope or the partnership is not active",
        "406": "Only JSON is served",
        "429": "Too many requests; see Retry-After",
    }
    if "{" in path:
        problems["404"] = "Unknown, or not shared with this partner"
    if method == "POST":
        problems |= {
            "404": "Something that the body names is unknown, or not shared with this partner",
            "409": "The same Idempotency-Key is still running, see Retry-After; or what is named"
            " cannot be used now",
            "413": "The body is too large",
            "415": "Only JSON is read",
            "422": "Fields are not valid, or the Idempotency-Key was used for another body",
        }
    return problems


def only_partner_endpoints(endpoints: list[Any], **_kwargs: Any) -> list[Any]:
    """Keep the partners' end points; the site's own pages are no part of the document."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(settings.API_PREFIX)]

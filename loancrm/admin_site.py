"""The bilingual admin site: its menu, its environment badge, and one look for all admins."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.contrib.admin.apps import AdminConfig
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.sites import UnfoldAdminSite

from loancrm import menu
from loancrm.kernel import clock
from loancrm.kernel.words.titles import numbered
from loancrm.script_texts import TextsOfScripts


class LoancrmAdminSite(UnfoldAdminSite):  # type: ignore[misc] # the theme ships no types
    """One admin site for all apps."""

    index_title = gettext_lazy("Home")
    empty_value_display = "–"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Say on every page when nothing is sent until a person has confirmed."""
        context: dict[str, Any] = super().each_context(request)
        # Tables are not there yet when this module is loaded.
        from loancrm.kernel.auditing import deployment  # noqa: PLC0415

        if request.user.is_authenticated and (reason := deployment.waiting_for()) is not None:
            context["sending_waits"] = deployment.describe(reason)
        if self.has_permission(request):
            context["bells"] = menu.bells(request)
        return context

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the apps with their tables once somebody asks: the menu of most pages does not."""
        apps = super().get_app_list
        found: list[dict[str, Any]] = SimpleLazyObject(lambda: apps(request, app_label))  # type: ignore[assignment]
        return found

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add what a page asks before it sends a form."""
        return [path("session/", self.session, name="session"), *super().get_urls()]

    def session(self, request: HttpRequest) -> HttpResponse:
        """Tell a page who is signed in by now, and the token that this session's forms carry.

        Never a redirect: a page that learns in time that its session has ended keeps what was
        typed into it.
        """
        if not self.has_permission(request):
            response = JsonResponse({"user": None, "token": ""})
        else:
            response = JsonResponse({"user": request.user.pk, "token": get_token(request)})
        response["Cache-Control"] = "no-store"
        return response

    def i18n_javascript(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Give the admin's scripts their texts, those that Django has not translated too."""
        return TextsOfScripts.as_view(packages=["django.contrib.admin"])(request)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page to sign in; say when to come back where too many tries failed."""
        response: HttpResponse = super().login(request, extra_context)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if wait_seconds := getattr(form, "wait_seconds", 0):
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS.value
            response["Retry-After"] = str(wait_seconds)
        return response

    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sign out, and note it."""
        # The table of users is not there yet when this module is loaded.
        from loancrm.kernel.sign_in import service  # noqa: PLC0415

        user = request.user
        response: HttpResponse = super().logout(request, extra_context)
        if user.is_authenticated and not request.user.is_authenticated:
            service.sign_out(user=user, now=clock.now())
        return response

    def register(
        self,
        model_or_iterable: ModelBase | Iterable[ModelBase],
        admin_class: "type[ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Register, giving the theme's base class to admins of other packages.

        Without it their fields have no borders and their buttons no colour.
        """
        super().register(model_or_iterable, _themed(admin_class), **options)


def _themed(admin_class: "type[ModelAdmin[Any]] | None") -> "type[ModelAdmin[Any]]":
    """Return the class with the theme's base class and forms mixed in."""
    # This package touches the app registry, which is not ready when this module is loaded.
    from unfold import admin, forms  # noqa: PLC0415

    from loancrm.kernel.admin.people import AuditedAdmin, ReleasingAdmin  # noqa: PLC0415

    if admin_class is None:
        return type("ModelAdmin", (admin.ModelAdmin,), {})
    if issubclass(admin_class, admin.ModelAdmin):
        return admin_class
    # The OAuth package lists keys under a heading that is no word.
    columns = ["id" if name == "pk" else name for name in admin_class.list_display]
    attributes: dict[str, Any] = {"list_display": columns}
    audited: type[AuditedAdmin] = AuditedAdmin
    if hasattr(admin_class, "change_password_form"):
        attributes |= {
            "form": forms.UserChangeForm,
            "add_form": forms.UserCreationForm,
            "change_password_form": forms.AdminPasswordChangeForm,
        }
        audited = ReleasingAdmin
    return type(admin_class.__name__, (audited, admin_class, admin.ModelAdmin), attributes)


_PARTNER_ACCESS = {
    "application": (gettext_lazy("API client"), gettext_lazy("API clients")),
    "accesstoken": (gettext_lazy("access token"), gettext_lazy("access tokens")),
    "refreshtoken": (gettext_lazy("refresh token"), gettext_lazy("refresh tokens")),
    "grant": (gettext_lazy("authorisation code"), gettext_lazy("authorisation codes")),
    "idtoken": (gettext_lazy("identity token"), gettext_lazy("identity tokens")),
}


class LoancrmAdminConfig(AdminConfig):
    """Django's admin with our site as the default one."""

    default_site = "loancrm.admin_site.LoancrmAdminSite"

    def ready(self) -> None:
        """Give the OAuth package, which has no translated names, names in both languages."""
        from django.apps import apps  # noqa: PLC0415 - complete only now

        config = apps.get_app_config("oauth2_provider")
        config.verbose_name = gettext_lazy("Access for partners")
        for name, (one, many) in _PARTNER_ACCESS.items():
            model = config.get_model(name)
            options = model._meta  # noqa: SLF001 - where Django keeps names
            options.verbose_name, options.verbose_name_plural = one, many
            if name != "application":
                # Each says its class by itself.
                model.__str__ = numbered  # type: ignore[method-assign,assignment]
        super().ready()


def environment(_request: HttpRequest) -> tuple[str, str]:
    """Return text and colour of the badge that tells a demo from the real thing."""
    if settings.LOANCRM_DEMO_CLOCK:
        return _("Demo"), "warning"
    if settings.DEBUG:
        return _("Development"), "info"
    return _("Production"), "danger"


def object_url(obj: Model, page: str = "change") -> str:
    """Return the admin address of one row."""
    meta = obj._meta  # noqa: SLF001 - Django's documented way to a model's names
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=[obj.pk])

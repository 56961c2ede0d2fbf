"""The bilingual admin site: its menu, its environment badge, and one look for all admins."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.contrib.admin.apps import AdminConfig
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.sites import UnfoldAdminSite

from loancrm.kernel import clock

# Pages beside the admin's own, by the name that the menu gives them.
_OUTSIDE = {"reports": "reports:index", "discoveries": "discoveries:index"}
# What can be shared object by object; the menu opens to whoever holds it on any.
_SHARED = {"customers.view_segment", "campaigns.view_campaign", "campaigns.view_report"}
_DISCOVERIES = "analytics.view_discoveryrun"


class LoancrmAdminSite(UnfoldAdminSite):  # type: ignore[misc] # the theme ships no types
    """One admin site for all apps."""

    index_title = gettext_lazy("Overview")
    empty_value_display = "–"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Say on every page when nothing is sent until a person has confirmed."""
        context: dict[str, Any] = super().each_context(request)
        # Tables are not there yet when this module is loaded.
        from loancrm.kernel import deployment  # noqa: PLC0415

        if request.user.is_authenticated and (reason := deployment.waiting_for()) is not None:
            context["sending_waits"] = deployment.describe(reason)
        return context

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

    from loancrm.kernel.admin_people import AuditedAdmin, ReleasingAdmin  # noqa: PLC0415

    if admin_class is None:
        return type("ModelAdmin", (admin.ModelAdmin,), {})
    if issubclass(admin_class, admin.ModelAdmin):
        return admin_class
    attributes: dict[str, Any] = {}
    audited: type[AuditedAdmin] = AuditedAdmin
    if hasattr(admin_class, "change_password_form"):
        attributes = {
            "form": forms.UserChangeForm,
            "add_form": forms.UserCreationForm,
            "change_password_form": forms.AdminPasswordChangeForm,
        }
        audited = ReleasingAdmin
    return type(admin_class.__name__, (audited, admin_class, admin.ModelAdmin), attributes)


class LoancrmAdminConfig(AdminConfig):
    """Django's admin with our site as the default one."""

    default_site = "loancrm.admin_site.LoancrmAdminSite"

    def ready(self) -> None:
        """Give the OAuth package, which has no translated names, names in both languages."""
        from django.apps import apps  # noqa: PLC0415 - complete only now

        config = apps.get_app_config("oauth2_provider")
        config.verbose_name = gettext_lazy("Access for partners")
        client = config.get_model("application")._meta  # noqa: SLF001 - where Django keeps names
        client.verbose_name = gettext_lazy("API client")
        client.verbose_name_plural = gettext_lazy("API clients")
        super().ready()


def environment(_request: HttpRequest) -> tuple[str, str]:
    """Return text and colour of the badge that tells a demo from the real thing."""
    if settings.LOANCRM_DEMO_CLOCK:
        return _("Demo"), "warning"
    if settings.DEBUG:
        return _("Development"), "info"
    return _("Production"), "danger"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu with the entries that this user may open."""
    groups = [
        (
            "",
            [_entry(request, _("Overview"), "dashboard", "index", None)],
        ),
        (
            _("Customers"),
            [
                _entry(request, _("Customers"), "group", "customers.customer"),
                _entry(request, _("Segments"), "filter_alt", "customers.segment"),
                _entry(request, _("Imports"), "upload_file", "customers.importbatch"),
                _entry(request, _("Data sources"), "handshake", "customers.datasource"),
                _entry(request, _("Exports"), "download", "customers.segmentexport"),
                _entry(request, _("Mappings"), "schema", "customers.savedmapping"),
                _entry(request, _("Duplicates"), "merge", "customers.mergedecision"),
                _entry(request, _("Survivorship rules"), "rule", "customers.survivorshiprule"),
                _entry(request, _("Attributes"), "label", "customers.attributedefinition"),
                _entry(request, _("Loan products"), "credit_card", "customers.product"),
                _entry(request, _("Privacy requests"), "privacy_tip", "customers.privacyrequest"),
            ],
        ),
        (
            _("Campaigns"),
            [
                _entry(request, _("Campaigns"), "campaign", "campaigns.campaign"),
                _entry(request, _("Channels"), "cell_tower", "campaigns.channel"),
                _entry(request, _("Frequency rules"), "speed", "campaigns.frequencyrule"),
                _entry(request, _("Stop list"), "block", "campaigns.suppression"),
            ],
        ),
        (
            _("Analytics"),
            [
                _entry(request, _("Reports"), "monitoring", "reports", "campaigns.view_report"),
                _entry(request, _("Discoveries"), "hub", "discoveries", _DISCOVERIES),
                _entry(request, _("Protected attributes"), "gavel", "analytics.protectedoverride"),
            ],
        ),
        (_("Administration"), _administration(request)),
    ]
    return [
        {"title": title, "separator": False, "items": found}
        for title, entries in groups
        if (found := [entry for entry in entries if entry is not None])
    ]


def _administration(request: HttpRequest) -> list[dict[str, Any] | None]:
    return [
        _entry(request, _("Users"), "person", "auth.user"),
        _entry(request, _("Roles"), "badge", "auth.group"),
        _entry(request, _("Partners"), "handshake", "campaigns.partner"),
        _entry(request, _("Leads of partners"), "person_add", "campaigns.partnerlead"),
        _entry(request, _("API clients"), "key", "oauth2_provider.application"),
        _entry(request, _("Audit trail"), "policy", "kernel.auditentry"),
    ]


def _entry(
    request: HttpRequest, title: str, icon: str, target: str, permission: str | None = ""
) -> dict[str, Any] | None:
    """Return one menu entry, or None when it does not exist or this user may not open it.

    `target` is `app.model` for a list of rows, else the name of an admin page. `permission` is
    empty for the permission to view the model, None for everybody.
    """
    if "." in target:
        app_label, model_name = target.split(".")
        permission = permission or f"{app_label}.view_{model_name}"
        view_name = f"{app_label}_{model_name}_changelist"
    else:
        view_name = target
    if permission and not request.user.has_perm(permission):
        from loancrm.kernel import grants  # noqa: PLC0415 - tables are not there at import

        if permission not in _SHARED or not grants.holds_any(request.user, permission):
            return None
    try:
        link = reverse(_OUTSIDE.get(target) or f"admin:{view_name}")
    except NoReverseMatch:
        return None
    return {"title": title, "icon": icon, "link": link}


def object_url(obj: Model, page: str = "change") -> str:
    """Return the admin address of one row."""
    meta = obj._meta  # noqa: SLF001 - Django's documented way to a model's names
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=[obj.pk])

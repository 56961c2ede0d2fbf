"""Admins of rows that can be shared one by one: the list by right, and the operators' page."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loancrm import admin_pages
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin
from loancrm.kernel.security import grants


class SharedRowsAdmin(ReadOnlyAdmin):
    """Whoever was granted one row finds it in the list, and only that one."""

    # What can be granted on a row, with its words.
    shareable: ClassVar[Mapping[str, Any]] = {}

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return whether the list is open: by role, or because something is shared."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return whether a row, or without one any row, may be seen."""
        if obj is None:
            return grants.holds_any(request.user, self._viewing)
        return request.user.has_perm(self._viewing) or request.user.has_perm(self._viewing, obj)

    def visible(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return those of the rows that the reader may see."""
        return grants.visible(request.user, self._viewing, rows)

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which operators share a row."""
        meta = self.opts
        own = path(
            "<int:pk>/sharing/",
            self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.sharing_view)),
            name=f"{meta.app_label}_{meta.model_name}_sharing",
        )
        return [own, *super().get_urls()]

    def sharing_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show who holds what on a row; give and take it."""
        admin_pages.require(request, grants.SHARE)
        obj = admin_pages.row_of(self.model, str(pk))
        if request.method == "POST":
            self._change(request, obj)
            return HttpResponseRedirect(request.path)
        words = self.shareable
        shown = [
            (grant.holder, _holder_key(grant.holder), name, words[name])
            for grant in grants.on(obj)
            if (name := f"{self.opts.app_label}.{grant.permission.codename}") in words
        ]
        return admin_pages.page(
            request,
            "loancrm/sharing.html",
            title=_("Sharing of %(name)s") % {"name": getattr(obj, "name", "") or str(obj)},
            model_admin=self,
            shown=shown,
            words=words.items(),
            holders=[(_holder_key(holder), holder) for holder in _holders()],
            back=reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[pk]),
        )

    @property
    def _viewing(self) -> str:
        return f"{self.opts.app_label}.view_{self.opts.model_name}"

    def _change(self, request: HttpRequest, obj: Model) -> None:
        holder = _holder_of(request.POST.get("holder", ""))
        permission = request.POST.get("permission", "")
        if holder is None or permission not in self.shareable:
            messages.error(request, _("Choose somebody and what they may do."))
            return
        actor, now = admin_pages.actor_of(request), clock.now()
        if "remove" in request.POST:
            with admin_pages.attempt(request, _("The share is taken back.")):
                grants.take(actor=actor, of=holder, permissions=[permission], obj=obj, now=now)
        else:
            with admin_pages.attempt(request, _("It is shared.")):
                grants.give(actor=actor, to=holder, permissions=[permission], obj=obj, now=now)


def _holders() -> list[User | Group]:
    people = User.objects.filter(is_active=True, is_superuser=False).order_by("username")
    return [*Group.objects.order_by("name"), *people]


def _holder_key(holder: User | Group) -> str:
    return f"{'user' if isinstance(holder, User) else 'group'}:{holder.pk}"


def _holder_of(text: str) -> User | Group | None:
    kind, _colon, key = text.partition(":")
    if not key.isascii() or not key.isdigit() or len(key) > 9:
        return None
    if kind == "user":
        return User.objects.filter(pk=key, is_active=True).first()
    return Group.objects.filter(pk=key).first() if kind == "group" else None

"""Message templates: the list, the form, and the steps from draft to approval."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from campaigns import labels
from campaigns.admin.requests.template_form import TemplateForm
from campaigns.domain.requests.template import TemplateStatus
from campaigns.models import MessageTemplate
from campaigns.selectors.requests import templates as state_of
from campaigns.services.requests import held, templates
from customers import labels as customer_labels
from loancrm import admin_pages
from loancrm.admin_filters import vocabulary_filter
from loancrm.admin_site import object_url
from loancrm.kernel import access, clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin

_VIEW = "campaigns.view_messagetemplate"


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ReadOnlyAdmin):
    """Texts that the lender's own systems send by name."""

    list_display = ("title", "slug", "state", "channel_label", "purpose_label", "is_active")
    list_display_links = ("title",)
    list_filter = (
        vocabulary_filter(
            "status",
            gettext_lazy("status"),
            TemplateStatus,
            lambda value: labels.read(labels.TEMPLATE_STATUSES, value),
        ),
    )
    search_fields = ("name", "slug")
    ordering = ("name", "id")
    empty_template = "campaigns/template_empty.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Authors write templates, in our own form."""
        return bool(request.user.has_perm(templates.WRITES))

    def get_queryset(self, request: HttpRequest) -> QuerySet[MessageTemplate]:
        """Read the channels with the templates."""
        return MessageTemplate.objects.select_related("touchpoint__channel")

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def title(self, template: MessageTemplate) -> str:
        """Return the template's name."""
        return template.name

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def state(self, template: MessageTemplate) -> str:
        """Return the status as a coloured badge."""
        words = labels.read(labels.TEMPLATE_STATUSES, template.status)
        return admin_pages.badge(labels.tone(template.status), words)

    @admin.display(description=gettext_lazy("channel"))
    def channel_label(self, template: MessageTemplate) -> str:
        """Return the channel's name."""
        channel = template.channel
        return (channel.name or channel.slug) if channel else "–"

    @admin.display(description=gettext_lazy("purpose"), ordering="purpose")
    def purpose_label(self, template: MessageTemplate) -> str:
        """Return the purpose in words."""
        return customer_labels.purpose(template.purpose)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Write a new template."""
        admin_pages.require(request, templates.WRITES)
        return self._page(request, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a template; saving voids its approval."""
        admin_pages.require(request, _VIEW)
        template = admin_pages.row_of(self.get_queryset(request), object_id)
        if request.method == "POST":
            admin_pages.require(request, templates.WRITES)
        return self._page(request, template)

    def get_urls(self) -> list[URLPattern]:
        """Add the steps of a template."""
        step_view = self.admin_site.admin_view(step)
        return [
            path("<int:pk>/step/<slug:name>/", step_view, name="campaigns_messagetemplate_step"),
            *super().get_urls(),
        ]

    def _page(self, request: HttpRequest, template: MessageTemplate | None) -> HttpResponse:
        may_save = request.user.has_perm(templates.WRITES)
        form = TemplateForm(request.POST or None, template=template, is_open=may_save)
        if request.method == "POST" and form.is_valid():
            with admin_pages.attempt(request, _("The template is saved.")) as outcome:
                template_saved = _save(request, form, template)
            if outcome.is_done:
                return HttpResponseRedirect(object_url(template_saved))
            form.show_refusal(outcome.error)
        if template is not None and not form.is_bound:
            form.show_faults(state_of.findings_of(template))
        return admin_pages.page(
            request,
            "campaigns/template.html",
            title=template.name if template else _("New message template"),
            model_admin=self,
            form=form,
            row=template,
            may_save=may_save,
            **(_standing(request, template) if template else {}),
        )


def _standing(request: HttpRequest, template: MessageTemplate) -> dict[str, Any]:
    """Return where a template stands, in words, and what this user may do about it."""
    is_approved = state_of.is_approved(template)
    lapsed = template.status == TemplateStatus.APPROVED and not is_approved
    return {
        "status": labels.read(labels.TEMPLATE_STATUSES, template.status),
        "tone": labels.tone(template.status),
        "is_approved": is_approved,
        "has_lapsed": lapsed,
        "asked_for": state_of.asked_for(template),
        "held": [
            (labels.read(labels.HOLD_REASONS, reason), count)
            for reason, count in state_of.held(template)
        ],
        "seen_digest": state_of.digest_of(state_of.shown(template)),
        "buttons": _buttons(request, template, is_approved=is_approved),
        "waits_for_another": _waits_for_another(request, template),
    }


def _waits_for_another(request: HttpRequest, template: MessageTemplate) -> bool:
    """Return whether this user could approve, had she not written it herself."""
    return (
        template.status == TemplateStatus.IN_REVIEW
        and access.is_allowed(admin_pages.actor_of(request), templates.APPROVES)
        and _is_barred(request, template)
    )


def _is_barred(request: HttpRequest, template: MessageTemplate) -> bool:
    user = admin_pages.actor_of(request).user
    return user is None or state_of.is_barred(template, user)


def _buttons(
    request: HttpRequest, template: MessageTemplate, *, is_approved: bool
) -> list[dict[str, str]]:
    actor = admin_pages.actor_of(request)
    is_waiting = template.status == TemplateStatus.IN_REVIEW
    may_approve = (
        is_waiting
        and access.is_allowed(actor, templates.APPROVES)
        and not _is_barred(request, template)
    )
    may_write = access.is_allowed(actor, templates.WRITES)
    is_held = bool(state_of.held(template)) and access.is_allowed(actor, held.RELEASES)
    shown = {
        "submit": may_write and not is_waiting and not is_approved,
        "approve": may_approve,
        "reject": may_approve,
        "switch_off": may_write and template.is_active,
        "switch_on": may_write and not template.is_active,
        "release": is_held,
        "cancel": is_held,
    }
    return [
        {"name": name, "text": str(_STEPS[name][0]), "kind": _STEPS[name][1]}
        for name, is_shown in shown.items()
        if is_shown
    ]


# Name of a step: its words, how its button looks, and what it says once it is done.
_STEPS: Mapping[str, tuple[Any, str, Any]] = {
    "submit": (
        gettext_lazy("Submit for approval"),
        "primary",
        gettext_lazy("The template waits for an approval by somebody else."),
    ),
    "approve": (
        gettext_lazy("Approve"),
        "primary",
        gettext_lazy("The template is approved: systems may send it."),
    ),
    "reject": (
        gettext_lazy("Send back"),
        "",
        gettext_lazy("The template is back with its author."),
    ),
    "switch_off": (
        gettext_lazy("Switch off"),
        "",
        gettext_lazy("Calls for the template are refused from now on."),
    ),
    "switch_on": (gettext_lazy("Switch on"), "", gettext_lazy("The template can be used again.")),
    "release": (
        gettext_lazy("Let held messages go on"),
        "",
        gettext_lazy("The held messages go on."),
    ),
    "cancel": (
        gettext_lazy("Give held messages up"),
        "danger",
        gettext_lazy("The held messages are given up."),
    ),
}


@require_POST
def step(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Take one step with a template."""
    admin_pages.require(request, _VIEW)
    template = admin_pages.row_of(MessageTemplate, str(pk))
    if name not in _STEPS:
        raise Http404
    actor, now = admin_pages.actor_of(request), clock.now()
    steps: dict[str, Callable[[], object]] = {
        "submit": lambda: templates.submit_template(template=template, actor=actor, now=now),
        "approve": lambda: templates.approve_template(
            template=template,
            seen_digest=request.POST.get("seen", "")[:64],
            actor=actor,
            now=now,
        ),
        "reject": lambda: templates.reject_template(
            template=template,
            actor=actor,
            now=now,
            reason=request.POST.get("comment", "")[:200],
        ),
        "switch_off": lambda: templates.set_active(
            template=template, is_active=False, actor=actor, now=now
        ),
        "switch_on": lambda: templates.set_active(
            template=template, is_active=True, actor=actor, now=now
        ),
        "release": lambda: held.release_held(template=template, actor=actor, now=now),
        "cancel": lambda: held.cancel_held(template=template, actor=actor, now=now),
    }
    with admin_pages.attempt(request, str(_STEPS[name][2])):
        steps[name]()
    return HttpResponseRedirect(object_url(template))


def _save(
    request: HttpRequest, form: TemplateForm, template: MessageTemplate | None
) -> MessageTemplate:
    spec, actor, now = form.spec(), admin_pages.actor_of(request), clock.now()
    if template is None:
        return templates.create_template(spec=spec, actor=actor, now=now)
    return templates.change_template(template=template, spec=spec, actor=actor, now=now)

"""Message templates: the list, the form, and the steps from draft to approval."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from campaigns import labels
from campaigns.admin.requests.template_form import TemplateForm
from campaigns.domain.requests.template import TemplateStatus
from campaigns.domain.sending.service_messages import ServiceKind
from campaigns.labels import content as content_labels
from campaigns.models import MessageTemplate
from campaigns.selectors.requests import templates as state_of
from campaigns.selectors.sending import channel_states
from campaigns.services.requests import held, template_previews, templates
from customers import labels as customer_labels
from loancrm import admin_pages, stale_forms
from loancrm.admin_filters import vocabulary_filter
from loancrm.admin_site import object_url
from loancrm.kernel import access, clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin
from loancrm.kernel.errors import LoanCrmError

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
            content_labels.TEMPLATE_STATUSES.label,
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
        words = content_labels.TEMPLATE_STATUSES.label(template.status)
        return admin_pages.badge(content_labels.TEMPLATE_STATUSES.tone(template.status), words)

    @admin.display(description=gettext_lazy("channel"))
    def channel_label(self, template: MessageTemplate) -> str:
        """Return the channel's name."""
        channel = template.channel
        return (channel.name or channel.slug) if channel else "–"

    @admin.display(description=gettext_lazy("purpose"), ordering="purpose")
    def purpose_label(self, template: MessageTemplate) -> str:
        """Return the purpose in words."""
        return customer_labels.PURPOSES.label(template.purpose)

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
        error = None
        form = TemplateForm(request.POST or None, template=template, is_open=may_save)
        if request.method == "POST" and form.is_valid():
            with admin_pages.attempt(request, _("The template is saved.")) as outcome:
                template_saved = _save(request, form, template)
            if outcome.is_done:
                return HttpResponseRedirect(object_url(template_saved))
            error = outcome.error
            form.show_refusal(error)
        if template is not None and not form.is_bound:
            form.show_faults(state_of.findings_of(template, now=clock.now()))
        return admin_pages.page(
            request,
            "campaigns/template.html",
            title=template.name if template else _("New message template"),
            model_admin=self,
            form=form,
            row=template,
            may_save=may_save,
            **(_standing(request, template) if template else {}),
            **_stale(request, form, template, error),
        )


def _stale(
    request: HttpRequest,
    form: TemplateForm,
    template: MessageTemplate | None,
    error: LoanCrmError | None,
) -> dict[str, Any]:
    """Return what tells the second of two who change one template."""
    if template is None:
        return {}
    return stale_forms.context(
        request,
        state_of.stored(template),
        error=error,
        differences=stale_forms.differences_of(form),
    )


def _standing(request: HttpRequest, template: MessageTemplate) -> dict[str, Any]:
    """Return where a template stands, in words, and what this user may do about it."""
    is_approved = state_of.is_approved(template)
    lapsed = template.status == TemplateStatus.APPROVED and not is_approved
    return {
        "status": content_labels.TEMPLATE_STATUSES.label(template.status),
        "tone": content_labels.TEMPLATE_STATUSES.tone(template.status),
        "is_approved": is_approved,
        "has_lapsed": lapsed,
        "asked_for": state_of.asked_for(template),
        "held": [
            (labels.HOLD_REASONS.label(reason), count) for reason, count in state_of.held(template)
        ],
        "seen_digest": state_of.digest_of(state_of.shown(template)),
        "buttons": _buttons(request, template, is_approved=is_approved),
        "waits_for_another": _waits_for_another(request, template),
        **_preview(template),
    }


def _preview(template: MessageTemplate) -> dict[str, Any]:
    """Return the stored message in each language with its price, or why none can be written."""
    try:
        found = template_previews.preview_template(template=template, now=clock.now())
    except LoanCrmError as error:
        return {"preview_problem": error.message}
    languages, channel = dict(settings.LANGUAGES), template.channel
    return {
        "stands_still": channel_states.state_of(channel) if channel else None,
        "is_sms": channel is not None and channel.kind == "sms",
        "previews": [
            (
                languages.get(each.language, each.language),
                each,
                labels.SKIP_REASONS.label(each.problem) if each.problem else "",
            )
            for each in found
        ],
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
) -> list[dict[str, Any]]:
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
        {
            "name": name,
            "text": str(_STEPS[name][0]),
            "kind": _STEPS[name][1],
            "asks": name in _ASKING_BACK,
        }
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

# One click on them would stop what people wait for.
_ASKING_BACK = {"switch_off"}


@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Take one step with a template on POST; ask back on GET where that is due."""
    admin_pages.require(request, _VIEW)
    template = admin_pages.row_of(MessageTemplate, str(pk))
    if name not in _STEPS:
        raise Http404
    if request.method == "GET":
        return _question(request, template, name)
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


def _question(request: HttpRequest, template: MessageTemplate, name: str) -> HttpResponse:
    """Say what switching a template off does before it is done."""
    if name not in _ASKING_BACK:
        return HttpResponseNotAllowed(["POST"])
    admin_pages.require(request, templates.WRITES)
    count = state_of.asked_for(template)
    asked = ngettext(
        "Systems have asked for %(count)s message by it.",
        "Systems have asked for %(count)s messages by it.",
        count,
    )
    meaning = [
        _("From then on every call for the template is refused, until it is switched on again."),
        asked % {"count": intcomma(count)},
    ]
    if template.service_kind == ServiceKind.ONE_TIME_CODE:
        meaning.insert(1, _("It carries one-time codes: whoever needs one gets none."))
    return admin_pages.page(
        request,
        "campaigns/template_confirm.html",
        title=f"{_STEPS[name][0]}: {template.name}",
        model_admin=admin.site.get_model_admin(MessageTemplate),
        meaning=meaning,
        button=_STEPS[name][0],
        back=object_url(template),
    )


def _save(
    request: HttpRequest, form: TemplateForm, template: MessageTemplate | None
) -> MessageTemplate:
    spec, actor, now = form.spec(), admin_pages.actor_of(request), clock.now()
    if template is None:
        return templates.create_template(spec=spec, actor=actor, now=now)
    return templates.change_template(
        template=template, spec=spec, actor=actor, now=now, seen=stale_forms.posted(request)
    )

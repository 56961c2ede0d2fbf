"""Channels: the list, and a form that has the backend check every option before it is stored."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from campaigns import labels
from campaigns.channels import registry
from campaigns.models import Channel
from campaigns.services import channels
from loancrm import admin_pages
from loancrm.kernel import clock
from loancrm.kernel.admin import ReadOnlyAdmin

CHANGE = "campaigns.change_channel"


class ChannelForm(forms.Form):
    """One provider account. Its secret is read from the environment and never shown."""

    slug = forms.SlugField(
        label=gettext_lazy("slug"), max_length=60, widget=widgets.UnfoldAdminTextInputWidget()
    )
    name = forms.CharField(
        label=gettext_lazy("name"), max_length=80, widget=widgets.UnfoldAdminTextInputWidget()
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("kind"),
        choices=lambda: [
            (kind, labels.read(labels.CHANNEL_KINDS, kind)) for kind in channels.KINDS
        ],
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    backend = forms.ChoiceField(
        label=gettext_lazy("backend"),
        choices=lambda: [(name, name) for name in sorted(registry.backends())],
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    sender = forms.CharField(
        label=gettext_lazy("sender or signature"),
        max_length=120,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("E-mail: “Name <address>”. SMS: the registered signature."),
    )
    cost_per_part = forms.DecimalField(
        label=gettext_lazy("cost a part"),
        min_value=0,
        max_digits=10,
        decimal_places=4,
        initial=0,
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
    )
    rate_per_second = forms.IntegerField(
        label=gettext_lazy("messages a second"),
        min_value=1,
        required=False,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy("Empty: no limit of ours."),
    )
    secret_variable = forms.CharField(
        label=gettext_lazy("environment variable of the secret"),
        required=False,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("Empty: the secret stays as it is."),
    )
    options = forms.JSONField(
        label=gettext_lazy("options"),
        required=False,
        initial=dict,
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text=gettext_lazy("JSON, as the backend documents it; it is checked when you save."),
    )


def _kind_label(kind: str) -> str:
    return labels.read(labels.CHANNEL_KINDS, kind)


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    """Provider accounts."""

    list_display = ("name", "slug", "kind_label", "backend", "sender", "cost_per_part", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "slug")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change channels may add them."""
        return bool(request.user.has_perm(CHANGE))

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def kind_label(self, channel: Channel) -> str:
        """Return the kind in words."""
        return _kind_label(channel.kind)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Set up a new channel."""
        admin_pages.require(request, CHANGE)
        return self._form_page(request, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a channel; saving has its backend check the options first."""
        channel = admin_pages.row_of(Channel, object_id)
        admin_pages.require(request, "campaigns.view_channel", channel)
        return self._form_page(request, channel)

    def _form_page(self, request: HttpRequest, channel: Channel | None) -> HttpResponse:
        names = list(ChannelForm.base_fields)
        initial = {name: getattr(channel, name, "") for name in names} if channel else {}
        form = ChannelForm(request.POST or None, initial=initial)
        if channel is not None:
            form.fields["slug"].disabled = True
        if request.method == "POST" and form.is_valid():
            with admin_pages.attempt(request, _("The channel is saved.")) as outcome:
                _save(request, form)
            if outcome.is_done:
                return HttpResponseRedirect(reverse("admin:campaigns_channel_changelist"))
        return admin_pages.page(
            request,
            "campaigns/channel.html",
            title=channel.name if channel else _("New channel"),
            model_admin=self,
            form=form,
            may_save=request.user.has_perm(CHANGE),
        )


def _save(request: HttpRequest, form: ChannelForm) -> None:
    """Store the channel; the backend checks its options first."""
    data = {**form.cleaned_data, "options": form.cleaned_data["options"] or {}}
    channels.configure_channel(**data, actor=admin_pages.actor_of(request), now=clock.now())

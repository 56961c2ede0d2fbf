"""Channels: the list, and a form that has the backend check every option before it is stored."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold import widgets

from campaigns import labels
from campaigns.admin.channel_settings import accounts, addresses, option_fields
from campaigns.channels import registry
from campaigns.domain.sending.channel_finding import ChannelFinding
from campaigns.labels import channel_options
from campaigns.labels.filing import FILING_DEMANDS
from campaigns.models import Channel
from campaigns.selectors.sending import channel_states
from campaigns.services.channels import registry as channels
from campaigns.services.channels import reopening, testing
from customers import labels as customer_labels
from loancrm import admin_pages, stale_forms
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin
from loancrm.kernel.errors import LoanCrmError

CHANGE = "campaigns.change_channel"
LAUNCH = "campaigns.launch_campaign"
# Nothing is chosen beforehand: what a channel does is said by whoever sets it up.
_EXPERT = ("secret_variable", "options")
_UNCHOSEN = ("", gettext_lazy("– choose –"))


class ChannelForm(forms.Form):
    """One provider account. Its secret is entered once, or read from the environment."""

    slug = forms.SlugField(
        label=gettext_lazy("slug"), max_length=60, widget=widgets.UnfoldAdminTextInputWidget()
    )
    name = forms.CharField(
        label=gettext_lazy("name"), max_length=80, widget=widgets.UnfoldAdminTextInputWidget()
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("kind"),
        choices=lambda: [
            _UNCHOSEN,
            *((kind, _kind_label(kind)) for kind in channels.KINDS),
        ],
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    backend = forms.ChoiceField(
        label=gettext_lazy("backend"),
        choices=lambda: [
            _UNCHOSEN,
            *((name, _backend_label(name)) for name in sorted(registry.backends())),
        ],
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
    filing_demand = forms.ChoiceField(
        label=gettext_lazy("filed with the provider"),
        required=False,
        choices=FILING_DEMANDS.choices,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy(
            "Text messages in China: nothing goes out under a signature that is not approved."
        ),
    )
    filing_idle_days = forms.IntegerField(
        label=gettext_lazy("days until an unused signature is deleted"),
        min_value=30,
        max_value=3650,
        required=False,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy("Empty: the provider deletes none."),
    )
    fallbacks = forms.CharField(
        label=gettext_lazy("fall-over channels"),
        required=False,
        max_length=300,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy(
            "Slugs, apart by commas, in their order. While this channel is down, what was not"
            " handed over goes through the first that works, under its signature and at its price."
        ),
    )
    is_active = forms.BooleanField(
        label=gettext_lazy("active"),
        required=False,
        initial=True,
        widget=widgets.UnfoldBooleanWidget(),
        help_text=gettext_lazy(
            "Switched off, nothing new can be written for it, and what it sends is held."
        ),
    )
    secret = forms.CharField(
        label=gettext_lazy("secret"),
        required=False,
        strip=False,
        max_length=500,
        widget=widgets.UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy(
            "The provider's password or key. It is sealed and never shown again; empty: it stays"
            " as it is."
        ),
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
        help_text=gettext_lazy(
            "JSON; what there is stands below. A secret does not belong here. It is checked when "
            "you save."
        ),
    )

    def __init__(self, *args: Any, channel: Channel | None = None, **kwargs: Any) -> None:
        """Show a channel as it is stored, or begin a new one."""
        super().__init__(*args, **kwargs)
        self.channel = channel
        self.fields["slug"].disabled = channel is not None
        option_fields.add_option_fields(
            self, channel.options if channel else {}, channel.backend if channel else ""
        )

    def plain_fields(self) -> list[forms.BoundField]:
        """Return what every channel has."""
        return [self[name] for name in type(self).base_fields if name not in _EXPERT]

    def expert_fields(self) -> list[forms.BoundField]:
        """Return what is seldom needed."""
        return [self[name] for name in _EXPERT]

    def option_groups(self) -> list[tuple[str, forms.BoundField, list[forms.BoundField]]]:
        """Return the options of each backend."""
        return list(option_fields.option_groups(self))

    def clean_slug(self) -> str:
        """Refuse a slug in use beside the field: saving would change the other channel."""
        slug: str = self.cleaned_data["slug"]
        if self.channel is None and Channel.objects.filter(slug=slug).exists():
            raise forms.ValidationError(str(channels.slug_taken(slug).message))
        return slug

    def clean(self) -> dict[str, Any]:
        """Refuse a backend that does not carry this kind of channel."""
        cleaned: dict[str, Any] = super().clean() or {}
        kind, backend = cleaned.get("kind"), cleaned.get("backend")
        if kind and backend and (problem := channels.backend_problem(kind, backend)):
            self.add_error("backend", problem)
        if not self.errors:
            cleaned["options"] = option_fields.options_from(self, cleaned["options"] or {})
        return cleaned


def _kind_label(kind: str) -> str:
    return customer_labels.CHANNELS.label(kind)


def _backend_label(backend: str) -> str:
    """Return the way to the provider in words, and that it leads to nobody where it does."""
    label = labels.backend(backend)
    if not registry.reaches_nobody(backend):
        return label
    return _("%(backend)s (reaches nobody)") % {"backend": label}


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    """Provider accounts."""

    list_display = (
        *("name", "state", "kind_label", "backend_label", "sender", "price", "tested"),
        "is_active",
    )
    list_filter = ("is_active",)
    search_fields = ("name", "slug")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change channels may add them."""
        return bool(request.user.has_perm(CHANGE))

    @admin.display(description=gettext_lazy("state"))
    def state(self, channel: Channel) -> str:
        """Return whether it sends now, else why not."""
        if not channel.is_active:
            return admin_pages.badge("", _("Switched off"))
        state = channel_states.state_of(channel)
        if state is None:
            return admin_pages.badge("good", _("Sends"))
        word = _("Blocked") if state.is_blocked else _("Paused")
        tone = "bad" if state.is_blocked else "warn"
        return admin_pages.badge(tone, f"{word}: {labels.account_reason(state.reason)}")

    @admin.display(description=gettext_lazy("last test"), ordering="tested_at")
    def tested(self, channel: Channel) -> str:
        """Return what the last test showed."""
        return labels.CHANNEL_FINDINGS.label(channel.test_finding) if channel.tested_at else "–"

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def kind_label(self, channel: Channel) -> str:
        """Return the kind in words."""
        return _kind_label(channel.kind)

    @admin.display(description=gettext_lazy("backend"), ordering="backend")
    def backend_label(self, channel: Channel) -> str:
        """Return the way to the provider in words."""
        return _backend_label(channel.backend)

    @admin.display(description=gettext_lazy("cost a part"), ordering="cost_per_part")
    def price(self, channel: Channel) -> str:
        """Return the price without trailing zeros."""
        return f"¥{channel.cost_per_part.normalize():f}"

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

    def get_urls(self) -> list[URLPattern]:
        """Add the test of a channel and the end of a block."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/test/", wrap(test), name="campaigns_channel_test"),
            path("<int:pk>/reopen/", wrap(reopen), name="campaigns_channel_reopen"),
            *super().get_urls(),
        ]

    def _form_page(self, request: HttpRequest, channel: Channel | None) -> HttpResponse:
        names = [name for name in ChannelForm.base_fields if not name.startswith("secret")]
        initial = {name: getattr(channel, name, "") for name in names} if channel else {}
        form = ChannelForm(request.POST or None, initial=initial, channel=channel)
        error: LoanCrmError | None = None
        if request.method == "POST" and form.is_valid():
            with admin_pages.attempt(request, _("The channel is saved.")) as outcome:
                _save(request, form)
            if outcome.is_done:
                return HttpResponseRedirect(reverse("admin:campaigns_channel_changelist"))
            error = outcome.error
        return admin_pages.page(
            request,
            "campaigns/channel.html",
            title=channel.name if channel else _("New channel"),
            model_admin=self,
            form=form,
            may_save=request.user.has_perm(CHANGE),
            channel=channel,
            account=accounts.account(channel) if channel else None,
            may_reopen=request.user.has_perm(LAUNCH),
            options=_options(),
            webhook=addresses.webhook_address(channel) if channel else "",
            hints=addresses.domain_hints(channel) if channel else [],
            reaches_nobody=channel is not None and registry.reaches_nobody(channel.backend),
            **_stale(request, form, error),
        )


def _options() -> list[dict[str, Any]]:
    """Return each way to a provider with its options, in words."""
    return [
        {
            "name": name,
            "backend": _backend_label(name),
            "rows": [
                {
                    "name": option.name,
                    "default": _("needed") if option.is_needed else option.default,
                    "words": channel_options.hint(name, option.name),
                }
                for option in registry.options_of(name)
            ],
        }
        for name in sorted(registry.backends())
    ]


def _stale(request: HttpRequest, form: ChannelForm, error: LoanCrmError | None) -> dict[str, Any]:
    """Return what tells the second of two who change one channel."""
    if form.channel is None:
        return {}
    return stale_forms.context(
        request,
        channels.stored(form.channel),
        error=error,
        differences=stale_forms.differences_of(form),
    )


@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test message and tell what it showed."""
    channel = get_object_or_404(Channel, pk=pk)
    with admin_pages.attempt(request, ""):
        found = testing.test_channel(
            channel=channel,
            to=request.POST.get("to", "")[:320],
            actor=admin_pages.actor_of(request),
            now=clock.now(),
        )
        good = {ChannelFinding.WORKS, ChannelFinding.KEYS_SHOWN}
        text = labels.CHANNEL_FINDINGS.label(found.finding)
        if found.code:
            text = f"{text} {labels.account_reason(found.code)}"
        admin_pages.show_message(request, text, is_good=found.finding in good)
    return HttpResponseRedirect(object_url(channel))


@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a blocked channel go on."""
    channel = get_object_or_404(Channel, pk=pk)
    with admin_pages.attempt(request, _("The channel goes on.")):
        reopening.reopen_channel(
            channel=channel,
            actor=admin_pages.actor_of(request),
            now=clock.now(),
            blames_recipients=request.POST.get("blames_recipients") == "on",
        )
    return HttpResponseRedirect(object_url(channel))


def _save(request: HttpRequest, form: ChannelForm) -> None:
    """Store the channel; the backend checks its options first."""
    data = {name: form.cleaned_data[name] for name in ChannelForm.base_fields}
    channels.configure_channel(
        **data,
        is_new=form.channel is None,
        seen=stale_forms.posted(request),
        actor=admin_pages.actor_of(request),
        now=clock.now(),
    )

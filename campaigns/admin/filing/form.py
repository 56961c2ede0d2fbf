"""The form of a filed signature or template."""

from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from campaigns.domain.filing.filing import FilingKind
from campaigns.labels.filing import FILING_KINDS
from campaigns.models import Channel, Filing
from campaigns.services.filing.filings import FiledValues


def _with_code(text: Any, example: str) -> str:
    return format_html(text, example=format_html("<code>{}</code>", example))


_in_code = lazy(_with_code, str)


class ChannelField(forms.ModelChoiceField):  # type: ignore[type-arg] # not generic at run time
    """A choice of channels by name."""

    def label_from_instance(self, obj: Channel) -> str:
        """Return the name that people gave it."""
        return obj.name


class FilingForm(forms.Form):
    """What is filed, with which provider, and what it answered."""

    channel = ChannelField(
        label=gettext_lazy("channel"),
        queryset=Channel.objects.filter(kind="sms").order_by("name", "pk"),
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("kind"),
        choices=FILING_KINDS.choices,
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    name = forms.CharField(
        label=gettext_lazy("signature or name"),
        max_length=60,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("A signature without 【】, as the channel has it."),
    )
    text = forms.CharField(
        label=gettext_lazy("text as filed"),
        required=False,
        max_length=1000,
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "Of a template, with the variables as the provider writes them; without the signature,"
            " with the opt-out words."
        ),
    )
    variables = forms.CharField(
        label=gettext_lazy("variables"),
        required=False,
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_in_code(
            gettext_lazy("One a line, what each of them holds, as texts say it: {example}"),
            "name = first_name",
        ),
    )
    provider_code = forms.CharField(
        label=gettext_lazy("provider's number"),
        required=False,
        max_length=80,
        widget=widgets.UnfoldAdminTextInputWidget(),
    )
    evidence = forms.CharField(
        label=gettext_lazy("evidence"),
        required=False,
        max_length=200,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("Where the papers are: a file, a case number."),
    )
    expires_on = forms.DateField(
        label=gettext_lazy("approved until"),
        required=False,
        # The theme's own widget needs scripts that this page does not load.
        widget=forms.DateInput(
            attrs={"type": "date", "class": " ".join(widgets.INPUT_CLASSES)}, format="%Y-%m-%d"
        ),
    )

    def __init__(self, *args: Any, filing: Filing | None = None, **kwargs: Any) -> None:
        """Show a filing as it is stored, or begin a new one."""
        if filing is not None:
            kwargs["initial"] = {
                **{name: getattr(filing, name) for name in self.base_fields},
                "channel": filing.channel_id,
                "variables": written(filing.variables),
            }
        super().__init__(*args, **kwargs)
        self.fields["channel"].disabled = filing is not None

    def clean_variables(self) -> dict[str, str]:
        """Read a line a variable."""
        found: dict[str, str] = {}
        for line in self.cleaned_data["variables"].splitlines():
            if not line.strip():
                continue
            name, sign, held = line.partition("=")
            if not sign or not name.strip() or not held.strip():
                raise forms.ValidationError(
                    _("Not “name = what it holds”: %(line)s") % {"line": line}
                )
            found[name.strip()] = held.strip()
        return found

    def values(self) -> FiledValues:
        """Return what was written."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "channel"}
        return FiledValues(**{**given, "kind": FilingKind(given["kind"])})


def written(variables: dict[str, str]) -> str:
    """Return variables as the form has them, a line each."""
    return "\n".join(f"{name} = {held}" for name, held in variables.items())

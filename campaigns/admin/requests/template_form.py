"""The form of a message template: what it is for, through which channel, and its texts."""

import re
from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from campaigns import labels
from campaigns.admin.message_fields import ChannelSelect, NamedChannels, text_name
from campaigns.domain.content.written import LOCALES, PARTS, TextSpec
from campaigns.domain.sending.service_messages import ServiceKind
from campaigns.labels import compliance as labels_of_rules
from campaigns.labels import content as content_labels
from campaigns.models import Channel, MessageTemplate
from campaigns.selectors.content.faults import TextFinding
from campaigns.services.content.writing import TextUnreadable
from campaigns.services.requests.templates import TemplateSpec
from customers import labels as customer_labels
from customers.domain.consents.consent import Purpose
from loancrm.kernel.errors import LoanCrmError

_BETWEEN = re.compile(r"[\s,，、;；]+")
_ROWS = {"text": 4, "html": 8}


class TemplateForm(forms.Form):
    """One template, whole."""

    slug = forms.SlugField(
        label=_("slug"),
        max_length=80,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=_("Systems call the template by it; it stays as it is."),
    )
    name = forms.CharField(
        label=_("name"), max_length=120, widget=widgets.UnfoldAdminTextInputWidget()
    )
    channel = NamedChannels(
        label=_("Channel"), queryset=Channel.objects.none(), widget=ChannelSelect()
    )
    purpose = forms.ChoiceField(
        label=_("Purpose"),
        choices=lambda: [(item.value, customer_labels.PURPOSES.label(item)) for item in Purpose],
        initial=Purpose.SERVICE,
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    service_kind = forms.ChoiceField(
        label=_("kind of service message"),
        choices=lambda: [
            ("", "–"),
            *((kind.value, labels.SERVICE_KINDS.label(kind)) for kind in ServiceKind),
        ],
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    product_kind = forms.ChoiceField(
        label=_("What it is about"),
        choices=lambda: [("", "–"), *labels_of_rules.PRODUCT_KINDS.choices()],
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("An offer of credit always needs a consent for marketing."),
    )
    variables = forms.CharField(
        label=_("variables"),
        required=False,
        max_length=1000,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=_(
            "Names whose values come with every call, such as “code”; in the texts: {{ code }}."
        ),
    )

    def __init__(
        self, data: Any = None, *, template: MessageTemplate | None = None, is_open: bool = True
    ) -> None:
        """Show a template as it is stored, or begin a new one."""
        super().__init__(data, initial=_stored(template) if template is not None else {})
        self.text_faults: dict[str, list[TextFinding]] = {}
        channels = Channel.objects.filter(is_active=True)
        if template is not None:
            channels |= Channel.objects.filter(pk=template.touchpoint.channel_id or 0)
        self.fields["channel"].queryset = channels.order_by("name")  # type: ignore[attr-defined]
        for locale in LOCALES:
            for part in PARTS:
                self.fields[_field(locale, part)] = _text_field(locale, part)
        self.fields["slug"].disabled = template is not None
        if not is_open:
            for field in self.fields.values():
                field.disabled = True

    def spec(self) -> TemplateSpec:
        """Return what was filled in."""
        data = self.cleaned_data
        texts = (
            TextSpec(locale, *(data[_field(locale, part)] for part in PARTS)) for locale in LOCALES
        )
        return TemplateSpec(
            slug=data["slug"],
            name=data["name"],
            channel=data["channel"],
            purpose=data["purpose"],
            service_kind=data["service_kind"],
            product_kind=data["product_kind"],
            variables=tuple(name for name in _BETWEEN.split(data["variables"]) if name),
            texts=tuple(t for t in texts if t.subject or t.text or t.html),
        )

    def show_refusal(self, error: LoanCrmError | None) -> None:
        """Put what the service refused beside the field that it is about."""
        if isinstance(error, TextUnreadable):
            self.add_error(field_of(error.finding), str(error.finding))
            return
        problems: Any = error.facts.get("problems", ()) if error is not None else ()
        for name, words in problems:
            self.add_error(name if name in self.fields else _field(LOCALES[0], "text"), words)

    def show_faults(self, findings: list[TextFinding]) -> None:
        """Put findings about the stored texts beside their fields."""
        for finding in findings:
            self.text_faults.setdefault(field_of(finding), []).append(finding)

    def plain_fields(self) -> Iterator[forms.BoundField]:
        """Yield the fields before the texts."""
        for name in type(self).base_fields:
            yield self[name]

    def languages(self) -> Iterator[dict[str, Any]]:
        """Yield each language with its fields and what was found in them."""
        for locale in LOCALES:
            names = {part: _field(locale, part) for part in PARTS}
            yield {
                "name": content_labels.TEXT_LANGUAGES.label(locale),
                "fields": [
                    (part, self[name], self.text_faults.get(name, ()))
                    for part, name in names.items()
                ],
            }


def field_of(finding: TextFinding) -> str:
    """Return the name of the form's field that a finding is about."""
    return _field(finding.locale, finding.place.part)


def _field(locale: str, part: str) -> str:
    return text_name("", "A", locale, part)


def _text_field(locale: str, part: str) -> forms.CharField:
    label = content_labels.TEXT_PARTS.label(part)
    language = content_labels.TEXT_LANGUAGES.label(locale)
    if part == "subject":
        widget: Any = widgets.UnfoldAdminTextInputWidget()
    else:
        widget = widgets.UnfoldAdminTextareaWidget(attrs={"rows": _ROWS[part]})
    return forms.CharField(
        label=f"{label} · {language}",
        required=False,
        max_length=300 if part == "subject" else 100_000,
        widget=widget,
        strip=False,
    )


def _stored(template: MessageTemplate) -> dict[str, Any]:
    values: dict[str, Any] = {
        "slug": template.slug,
        "name": template.name,
        "channel": template.touchpoint.channel_id,
        "purpose": template.purpose,
        "service_kind": template.service_kind,
        "product_kind": template.product_kind,
        "variables": ", ".join(template.variables),
    }
    variant = template.touchpoint.variants.get(key="A")
    for row in variant.contents.filter(is_current=True):
        for part in PARTS:
            values[_field(row.locale, part)] = getattr(row, part)
    return values

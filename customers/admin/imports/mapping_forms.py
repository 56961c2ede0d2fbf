"""One form a column: where its cells go, and how they are read."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import labels
from customers.admin.imports.forms import HowForm
from customers.domain.consents.consent import ConsentChannel, Purpose
from customers.domain.imports.column_guess import ID_TARGET
from customers.domain.imports.mapping import PARSED_FIELDS, TEXT_FIELDS
from customers.domain.imports.mapping_draft import IGNORE, ColumnChoice
from customers.labels import imports as import_labels
from customers.models import AttributeDefinition
from loancrm.kernel.words.phrases import reads_chinese

NEW_ATTRIBUTE = "attribute."
_PERSON = (
    *("name", "national_id", "birth_date", "gender"),
    *(name for name in TEXT_FIELDS if name not in PARSED_FIELDS),
)
_INPUT = {"class": "lcx-input"}


def _select() -> forms.Select:
    return forms.Select(attrs=_INPUT)


def target_choices() -> list[tuple[str, Any]]:
    """Return all targets, grouped, in the reader's language."""
    attributes = AttributeDefinition.objects.order_by("name").values_list(
        "name", "label_zh", "label_en"
    )
    is_chinese = reads_chinese()
    own = [(f"attribute.{name}", (zh if is_chinese else en) or name) for name, zh, en in attributes]
    consents = [f"consent.{channel}.{purpose}" for purpose in Purpose for channel in ConsentChannel]
    return [
        ("", _("– not decided –")),
        (IGNORE, _("Leave out")),
        (ID_TARGET, import_labels.target(ID_TARGET)),
        (
            _("Person"),
            [(f"customer.{name}", import_labels.target(f"customer.{name}")) for name in _PERSON],
        ),
        (
            _("Contact"),
            [(path, import_labels.target(path)) for path in ("contact.phone", "contact.email")],
        ),
        (_("Consent"), [(path, import_labels.target(path)) for path in consents]),
        (_("Attributes"), [*own, (NEW_ATTRIBUTE, _("New attribute …"))]),
    ]


class ChoiceForm(forms.Form):
    """What is to become of one column."""

    target = forms.ChoiceField(required=False, widget=_select())
    attribute = forms.CharField(
        label=gettext_lazy("Name of the new attribute"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={**_INPUT, "placeholder": "monthly_income"}),
    )
    type = forms.ChoiceField(
        label=gettext_lazy("Type of the new attribute"),
        choices=labels.ATTRIBUTE_TYPES.choices,
        widget=_select(),
    )
    transform = forms.ChoiceField(
        label=gettext_lazy("Read the cell"),
        choices=import_labels.TRANSFORMS.choices,
        widget=_select(),
    )
    order = forms.ChoiceField(
        label=gettext_lazy("Dates are written"),
        choices=import_labels.DATE_ORDERS.choices,
        required=False,
        widget=_select(),
    )
    region = forms.CharField(
        label=gettext_lazy("Country of the phone numbers"),
        max_length=2,
        min_length=2,
        widget=forms.TextInput(attrs=_INPUT),
    )
    blank = forms.ChoiceField(
        label=gettext_lazy("A blank cell"),
        choices=import_labels.BLANKS.choices,
        widget=_select(),
    )
    dictionary = forms.CharField(
        label=gettext_lazy("Dictionary"),
        required=False,
        widget=forms.Textarea(
            attrs={"class": "lcx-pre", "rows": 4, "placeholder": "本科=bachelor"}
        ),
        help_text=gettext_lazy("One word=code a line; nothing after the sign means blank."),
    )
    keeps_others = forms.BooleanField(
        label=gettext_lazy("Keep words that the dictionary does not list"), required=False
    )
    expected = forms.BooleanField(label=gettext_lazy("Report blank cells"), required=False)
    optional = forms.BooleanField(label=gettext_lazy("The file may lack it"), required=False)

    def __init__(self, data: Any, *, prefix: str, choice: ColumnChoice, targets: Any) -> None:
        """Offer the targets, and start from what was chosen before."""
        known = {path for _group, items in targets if isinstance(items, list) for path, _ in items}
        is_new = choice.target.startswith(NEW_ATTRIBUTE) and choice.target not in known
        initial = {
            "target": NEW_ATTRIBUTE if is_new else choice.target,
            "attribute": choice.target.removeprefix(NEW_ATTRIBUTE) if is_new else "",
            "keeps_others": choice.others == "keep",
        }
        same = ("type", "transform", "order", "region", "blank", "dictionary")
        initial |= {name: getattr(choice, name) for name in (*same, "expected", "optional")}
        super().__init__(data, prefix=prefix, initial=initial)
        self.column = choice.column
        self.fields["target"].choices = targets  # type: ignore[attr-defined] # a ChoiceField

    def clean(self) -> dict[str, Any]:
        """Ask for the name of a new attribute."""
        data = super().clean() or self.cleaned_data
        if data.get("target") == NEW_ATTRIBUTE and not data.get("attribute"):
            self.add_error("attribute", _("Give the new attribute a name."))
        return data

    def choice(self, types: dict[str, str]) -> ColumnChoice:
        """Return what was chosen.

        Args:
            types: Type by name of the attributes that exist.
        """
        data = self.cleaned_data
        target = str(data.get("target", ""))
        if target == NEW_ATTRIBUTE:
            target += str(data.get("attribute", "")).strip().lower()
        return ColumnChoice(
            self.column,
            target,
            type=types.get(target.removeprefix(NEW_ATTRIBUTE), data.get("type", "text")),
            transform=data.get("transform", "none"),
            dictionary=data.get("dictionary", ""),
            others="keep" if data.get("keeps_others") else "report",
            expected=data.get("expected", False),
            optional=data.get("optional", False),
            order=data.get("order", ""),
            region=str(data.get("region", "CN")).upper(),
            blank=data.get("blank", "keep"),
        )


class BuilderForm(HowForm):
    """The mapping's name, and how the file is to be imported with it."""

    name = forms.RegexField(
        r"^[a-z0-9][a-z0-9_-]{0,59}$",
        label=gettext_lazy("Name of the mapping"),
        widget=forms.TextInput(attrs=_INPUT),
        help_text=gettext_lazy(
            "Small letters, digits, - and _; a name that exists gets a new version."
        ),
    )
    source = forms.RegexField(
        r"^[a-z0-9][a-z0-9_-]{0,59}$",
        label=gettext_lazy("Source"),
        required=False,
        widget=forms.TextInput(attrs=_INPUT),
        help_text=gettext_lazy("The system that the ids belong to; the mapping's name if empty."),
    )
    note = forms.CharField(
        label=gettext_lazy("What changed"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=_INPUT),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput())

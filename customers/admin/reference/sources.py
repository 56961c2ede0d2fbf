"""The register of data sources: what was agreed with whom, and what is about to end."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from customers import labels
from customers.domain.consents.consent import Purpose
from customers.domain.sources import (
    SourceKind,
    SourceTerms,
    Standing,
    TermsProblem,
    check_terms,
    days_left,
    standing,
)
from customers.domain.values.quality import Share
from customers.labels import imports as import_labels
from customers.models import DataSource
from customers.selectors.imports.quality import MEASURES, source_history, trends
from customers.services.credit import vendors
from loancrm import admin_pages
from loancrm.admin_filters import vocabulary_filter
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ThemedAdmin

CARDS_SHOWN = 20
_FIELD_OF = {
    TermsProblem.CONTRACT_MISSING: "contract",
    TermsProblem.END_MISSING: "valid_until",
    TermsProblem.DATES_REVERSED: "valid_until",
    TermsProblem.PURPOSE_UNKNOWN: "purposes",
}


def _kind_label(kind: str) -> str:
    return labels.SOURCE_KINDS.label(kind)


class DataSourceForm(forms.ModelForm):  # type: ignore[type-arg] # not at run time
    """One source; the rules are those of the service."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=lambda: [
            (kind.value, _kind_label(kind))
            for kind in SourceKind
            if kind is not SourceKind.UNREGISTERED
        ],
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    purposes = forms.MultipleChoiceField(
        label=gettext_lazy("Agreed purposes"),
        choices=lambda: [(purpose.value, labels.PURPOSES.label(purpose)) for purpose in Purpose],
        required=False,
        initial=[purpose.value for purpose in Purpose],
        widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=gettext_lazy("What data of this source may be used for."),
    )

    class Meta:
        model = DataSource
        fields = (
            *("name", "title", "kind", "contract", "purposes"),
            *("valid_from", "valid_until", "contact", "quality_owner", "is_active"),
        )
        help_texts = {
            "is_active": gettext_lazy(
                "Switched off, nothing comes in from it, and marketing with its data stops."
            ),
        }

    def clean(self) -> dict[str, Any]:
        """Show what is wrong with the terms beside the fields that say it."""
        data: dict[str, Any] = super().clean() or {}
        if "kind" not in data or "purposes" not in data:
            return data
        terms = SourceTerms(
            kind=SourceKind(data["kind"]),
            purposes=frozenset(Purpose(name) for name in data["purposes"]),
            contract=data.get("contract", ""),
            valid_from=data.get("valid_from"),
            valid_until=data.get("valid_until"),
        )
        for problem in check_terms(terms, purposes=data["purposes"]):
            self.add_error(_FIELD_OF[problem], labels.SOURCE_PROBLEMS.label(problem))
        return data


@admin.register(DataSource)
class DataSourceAdmin(ThemedAdmin):
    """Sources are switched off, never deleted: records name them."""

    form = DataSourceForm
    list_display = (
        *("name", "title", "kind_label", "contract", "purpose_labels", "valid_until", "state"),
        "quality_owner",
    )
    list_select_related = ("quality_owner",)
    list_filter = (
        vocabulary_filter("kind", gettext_lazy("kind"), SourceKind, _kind_label),
        "is_active",
    )
    search_fields = ("name", "title", "contract")
    ordering = ("name",)
    empty_template = "customers/source_empty.html"

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def kind_label(self, source: DataSource) -> str:
        """Return the kind in words."""
        return _kind_label(source.kind)

    @admin.display(description=gettext_lazy("agreed purposes"))
    def purpose_labels(self, source: DataSource) -> str:
        """Return the purposes in words."""
        return " · ".join(labels.PURPOSES.label(name) for name in source.purposes) or "–"

    @admin.display(description=gettext_lazy("state"))
    def state(self, source: DataSource) -> str:
        """Return whether data may come in, as a coloured badge that warns of an early end."""
        today = clock.today()
        found = standing(source.terms, today=today)
        left = days_left(source.terms, today=today)
        text, tone = labels.SOURCE_STANDINGS.label(found), labels.SOURCE_STANDINGS.tone(found)
        if found is Standing.IN_FORCE and source.kind == SourceKind.UNREGISTERED:
            text, tone = _("in use, not described yet"), "warn"
        elif left is not None:
            text, tone = _("ends in %(days)s days") % {"days": left}, "warn"
        return admin_pages.badge(tone, text)

    def get_readonly_fields(
        self, request: HttpRequest, obj: DataSource | None = None
    ) -> tuple[str, ...]:
        """A name stays: records carry it. The quality of the files is there to look at."""
        return ("name", "quality", "kind_label", "purpose_labels") if obj else ()

    def get_fields(self, request: HttpRequest, obj: DataSource | None = None) -> tuple[str, ...]:
        """Show the quality of a source that exists below its description."""
        if obj is None:
            return DataSourceForm.Meta.fields
        if self.has_change_permission(request, obj):
            return (*DataSourceForm.Meta.fields, "quality")
        # Who may only look reads words where a form would offer choices.
        words = {"kind": "kind_label", "purposes": "purpose_labels"}
        return (*(words.get(name, name) for name in DataSourceForm.Meta.fields), "quality")

    @admin.display(description=gettext_lazy("quality of its files"))
    def quality(self, source: DataSource) -> str:
        """Return the five measures of the latest files, with how the newest stands."""
        cards = source_history(source=source.name, limit=CARDS_SHOWN)
        rows = [
            (card.file_name, card.created_at, [Share(*share) for share in card.shares])
            for card in cards
        ]
        moves = [
            (import_labels.TRENDS.label(found), import_labels.TRENDS.tone(found))
            for found in trends(cards)
        ]
        measures = [import_labels.QUALITY_MEASURES.label(name) for name in MEASURES]
        return render_to_string(
            "customers/source_quality.html", {"rows": rows, "moves": moves, "measures": measures}
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes a source: what it handed in would look as if it came from nowhere."""
        return False

    def save_model(self, request: HttpRequest, obj: DataSource, form: Any, change: bool) -> None:  # type: ignore[override] # noqa: FBT001 - Django's signature
        """Store the source by its service, which writes the audit entry."""
        vendors.save_vendor_source(actor=admin_pages.actor_of(request), source=obj, now=clock.now())

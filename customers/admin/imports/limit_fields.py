"""How many rows of a file may have which finding: chosen in words, stored by code."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext, gettext_lazy
from unfold import widgets

from customers.domain.imports.mapping import parse_limits
from customers.domain.values.quality import LIMIT_CODES, REJECTED_LIMIT
from customers.labels import imports as import_labels

# More are given in the mapping itself; hardly anybody sets more than one or two by hand.
SHOWN: Final = 3


def _findings() -> list[tuple[str, str]]:
    """Return the findings that a limit may be about; refused rows of any kind come first."""
    named = [(code, import_labels.finding(code)) for code in LIMIT_CODES - {REJECTED_LIMIT}]
    return [
        ("", gettext("No limit")),
        (REJECTED_LIMIT, gettext("Refused rows, for whatever reason")),
        *sorted(named, key=lambda pair: pair[1].lower()),
    ]


class LimitsWidget(forms.MultiWidget):
    """A few lines of a finding and a percentage."""

    template_name = "customers/limits_widget.html"

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        """Build the lines."""
        lines: list[forms.Widget] = []
        for _number in range(SHOWN):
            lines += [
                widgets.UnfoldAdminSelectWidget(attrs={"aria-label": gettext_lazy("Finding")}),
                widgets.UnfoldAdminDecimalFieldWidget(
                    attrs={
                        "aria-label": gettext_lazy("Percent of rows"),
                        "placeholder": "%",
                        "min": "0",
                        "max": "100",
                        "step": "any",
                    }
                ),
            ]
        super().__init__(lines, dict(attrs or {}))

    def decompress(self, value: Any) -> list[Any]:
        """Return the values of the lines for limits by code."""
        pairs = list(dict(value or {}).items())[:SHOWN]
        flat = [part for code, share in pairs for part in (code, f"{share * 100:g}")]
        return flat + [""] * (2 * SHOWN - len(flat))


class LimitsField(forms.MultiValueField):
    """Limits by code, as shares of 1."""

    widget = LimitsWidget

    def __init__(self, **options: Any) -> None:
        """Build the parts of every line."""
        findings = [forms.ChoiceField(choices=_findings, required=False) for _ in range(SHOWN)]
        parts: list[forms.Field] = []
        for finding in findings:
            parts += [finding, forms.DecimalField(min_value=0, max_value=100, required=False)]
        super().__init__(parts, require_all_fields=False, required=False, **options)
        for finding, shown in zip(findings, self.widget.widgets[::2], strict=True):
            shown.choices = finding.choices  # type: ignore[attr-defined] # a select, as just built

    def compress(self, data_list: list[Any]) -> dict[str, float]:
        """Return {code: share}; a line is filled in whole or left empty."""
        limits: dict[str, float] = {}
        for code, percent in zip(data_list[::2], data_list[1::2], strict=True):
            if not code and percent is None:
                continue
            if not code or percent is None:
                raise forms.ValidationError(
                    gettext("Choose a finding and give a percentage from 0 to 100 for it.")
                )
            if code in limits:
                raise forms.ValidationError(gettext("Each finding has one limit."))
            limits[code] = float(Decimal(percent) / 100)
        return parse_limits(limits)

"""The form of a loan product: its rate is written in percent, as customers read it."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from customers.models import Product

# Below or above these a year, a figure was more likely mistyped than meant; 36 % is the ceiling up
# to which courts in China enforce what was agreed.
USUAL_PERCENT = (Decimal(1), Decimal(36))
_MOST_PERCENT = 1000


class PercentField(forms.DecimalField):
    """A share that is stored as a fraction and written in percent."""

    def prepare_value(self, value: Any) -> Any:
        """Show the stored fraction in percent; what somebody typed stays as it was typed."""
        if isinstance(value, Decimal):
            return f"{value * 100:f}".rstrip("0").rstrip(".") if value else "0"
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare in percent."""
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> Decimal | None:
        """Return the fraction."""
        percent = super().clean(value)
        return None if percent is None else percent / 100


class ProductForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """A product; an unusual rate is stored only where somebody says that it is meant."""

    annual_rate = PercentField(
        label=_("annual rate, %"),
        min_value=0,
        max_value=_MOST_PERCENT,
        decimal_places=4,
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
        help_text=_("In percent a year, as customers read it: 7.2 means 7.2 %."),
    )
    is_unusual_meant = forms.BooleanField(
        label=_("the unusual rate is meant"),
        required=False,
        widget=widgets.UnfoldBooleanWidget(),
        help_text=_("Only for a rate below 1 % or above 36 % a year."),
    )

    class Meta:
        model = Product
        fields = (
            "code", "name_zh", "name_en", "annual_rate", "min_amount", "max_amount",
            "term_months", "offered_until", "is_active",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Ask about a rate that is hardly meant, saying what was understood."""
        cleaned: dict[str, Any] = super().clean() or {}
        rate = cleaned.get("annual_rate")
        if rate and not cleaned.get("is_unusual_meant"):
            least, most = USUAL_PERCENT
            if not least <= rate * 100 <= most:
                self.add_error(
                    "annual_rate",
                    _(
                        "This would be %(percent)s %% a year. If that is meant, tick the box below;"
                        " otherwise mend the figure."
                    )
                    % {"percent": self.fields["annual_rate"].prepare_value(rate)},
                )
        return cleaned

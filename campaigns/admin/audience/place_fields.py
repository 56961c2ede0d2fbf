"""The fields that say for whom a later message of a campaign is, and when it begins."""

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from campaigns.domain.campaigns.course import StepCondition
from campaigns.domain.campaigns.given.place_reading import USUAL_MINUTES
from campaigns.domain.campaigns.given.reader import MOST_WHOLE
from campaigns.labels.audience import STEP_CONDITIONS
from campaigns.models import Step


def fields() -> dict[str, forms.Field]:
    """Return new fields, by their names without the message's prefix."""
    return {
        "only_if": forms.ChoiceField(
            label=_("Only for"),
            choices=STEP_CONDITIONS.choices(),
            initial=StepCondition.EVERYBODY,
            required=False,
            widget=widgets.UnfoldAdminSelectWidget(),
            help_text=_("Looked at when the message is due."),
        ),
        "after_minutes": forms.IntegerField(
            label=_("Minutes after the message before"),
            min_value=0,
            max_value=MOST_WHOLE,
            initial=USUAL_MINUTES,
            required=False,
            widget=widgets.UnfoldAdminIntegerFieldWidget(),
            help_text=_("Three days are 4320."),
        ),
    }


def sentence(step: Step) -> str:
    """Return for whom a later message is and when; empty of the first and of a fallback."""
    if step.position == 1 or step.is_fallback:
        return ""
    return gettext("%(minutes)s minutes after the message before, only for: %(people)s") % {
        "minutes": f"{step.wait_minutes:,}",
        "people": STEP_CONDITIONS.label(step.condition),
    }

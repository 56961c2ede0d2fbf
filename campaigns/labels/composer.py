"""Words of the page on which a campaign is written."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.campaigns.composing_steps import ComposingStep
from campaigns.domain.content.sample_people import SamplePerson
from loancrm.kernel.words.vocabulary import Term, Vocabulary

COMPOSING_STEPS = Vocabulary(
    ComposingStep,
    {
        ComposingStep.AUDIENCE: Term(_("Audience"), icon="group"),
        ComposingStep.CONTENT: Term(_("Content"), icon="edit_note"),
        ComposingStep.TIME: Term(_("Time and budget"), icon="schedule"),
        ComposingStep.GOAL: Term(_("Goal and control group"), icon="flag"),
        ComposingStep.CHECK: Term(_("Check"), icon="fact_check"),
    },
)
SAMPLE_PEOPLE = Vocabulary(
    SamplePerson,
    {
        SamplePerson.TYPICAL: Term(_("Typical person")),
        SamplePerson.LONGEST: Term(_("Longest name")),
        SamplePerson.MISSING: Term(
            _("Missing values"), hint=_("Nothing is known about her but her address.")
        ),
    },
)

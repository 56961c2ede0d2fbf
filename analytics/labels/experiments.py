"""How the sizes of variants are read aloud."""

from django.utils.translation import gettext_lazy as _

from analytics.domain.sample_ratio import SampleDimension
from loancrm.kernel.words.vocabulary import Vocabulary

SAMPLE_DIMENSIONS = Vocabulary(
    SampleDimension,
    {
        SampleDimension.CHANNEL: _("Channel"),
        SampleDimension.LANGUAGE: _("Language"),
        SampleDimension.DAY: _("Day"),
    },
)
